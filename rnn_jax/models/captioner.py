"""A photograph read, and a sentence about it written."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.models.attention import Memory
from rnn_jax.models.decoder import Decoder, DecoderSettings
from rnn_jax.models.dropout import Keys, dropout
from rnn_jax.models.encoder import Part
from rnn_jax.models.writer import Writer

CHANNELS = (64, 128, 256)  # of the layers
PIXELS = (4, 3, 3)  # of a side that each of their features reads
STRIDES = (4, 2, 2)
MEMORY, FLIP = 1001, 1002  # random streams


class Captioner(Writer):
    """Reads a photograph by convolutions, and writes about it, place by place.

    `pixels uint8 [B, 96, 96, 3] -> memory`: of 6 by 6 places, `[B, 36, 256]`. O. Vinyals et al., "Show and
    Tell", 2015, arXiv:1411.4555; with attention to places: K. Xu et al., "Show, Attend and Tell", 2015,
    arXiv:1502.03044. Variant: the convolutions are small, and learnt with the rest from the captions alone.

    In training, half of the photographs are seen in a mirror.
    """

    def __init__(self, settings: DecoderSettings, *, vocabulary_size: int, end: int, rngs: nnx.Rngs) -> None:
        self.settings = settings
        draw = nnx.initializers.he_normal()
        self.layers = nnx.List(
            [
                nnx.Conv(size, more, (side, side), strides=stride, kernel_init=draw, rngs=rngs)
                for size, more, side, stride in zip((3, *CHANNELS), CHANNELS, PIXELS, STRIDES, strict=False)
            ]
        )
        self.norm = nnx.LayerNorm(CHANNELS[-1], rngs=rngs)
        self.decoder = Decoder(
            settings, memory_size=CHANNELS[-1], vocabulary_size=vocabulary_size, end=end, rngs=rngs
        )

    def read(self, pixels: Array, *, keys: Keys | None = None) -> Memory:  # type: ignore[override]
        """What the decoder reads of photographs; `keys` turn noise on."""
        x = pixels.astype(jnp.float32) / 127.5 - 1
        if keys is not None:
            flip = jax.vmap(lambda key: jax.random.bernoulli(jax.random.fold_in(key, FLIP)))(keys.examples)
            x = jnp.where(flip[:, None, None, None], x[:, :, ::-1], x)
        for layer in self.layers:
            x = jax.nn.relu(layer(x))
        values = self.norm(x).reshape(len(x), -1, CHANNELS[-1])
        values = dropout(values, self.settings.recurrent.dropout, keys, MEMORY)
        return self.decoder.remember(values, jnp.ones(values.shape[:2], bool))

    def parts(self, inputs: jax.ShapeDtypeStruct, text: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        shape, found = inputs.shape, []
        for layer, side, stride in zip(self.layers, PIXELS, STRIDES, strict=True):
            shape = (shape[0], shape[1] // stride, shape[2] // stride, layer.out_features)
            output = jax.ShapeDtypeStruct(shape, jnp.float32)
            found.append(Part(f"convolution of {side} × {side}, every {stride} pixels", output, layer))
        places = jax.ShapeDtypeStruct((shape[0], shape[1] * shape[2], shape[3]), jnp.float32)
        return [*found, Part("layer normalisation", places, self.norm), *self.decoder.parts(text)]
