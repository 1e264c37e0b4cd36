"""An encoder–decoder: one text read, another written."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.models.attention import Memory
from rnn_jax.models.decoder import Decoder, DecoderSettings
from rnn_jax.models.dropout import Keys, dropout, redrawn
from rnn_jax.models.embedding import embed
from rnn_jax.models.encoder import Part
from rnn_jax.models.recurrent import Recurrent
from rnn_jax.models.writer import Writer

READING, MEMORY = 1000, 1001  # random streams


class Translator(Writer):
    """Reads a text in both directions, layers as the decoder has them, and writes another.

    `source [B, S], lengths [B] -> memory`: the outputs of the last layer, `[B, S, 2H]`, which the decoder
    reads. D. Bahdanau, K. Cho and Y. Bengio, 2015, arXiv:1409.0473.
    """

    def __init__(
        self,
        settings: DecoderSettings,
        *,
        source_size: int,
        target_size: int,
        end: int,
        rngs: nnx.Rngs,
    ) -> None:
        size = settings.embedding.embedding_size
        self.settings = settings
        self.embedding = nnx.Embed(
            source_size, size, embedding_init=jax.nn.initializers.normal(size**-0.5), rngs=rngs
        )
        self.encoder = Recurrent(replace(settings.recurrent, bidirectional=True), size, rngs)
        self.decoder = Decoder(
            settings, memory_size=self.encoder.output_size, vocabulary_size=target_size, end=end, rngs=rngs
        )

    def read(self, source: Array, lengths: Array, *, keys: Keys | None = None) -> Memory:  # type: ignore[override]
        """What the decoder reads of texts `[B, S]`; `keys` turn noise on."""
        own = None if keys is None else redrawn(keys, READING)  # not the masks of the decoder
        vectors = embed(self.embedding, source, self.settings.embedding, own, unknown=UNKNOWN)
        values = self.encoder(vectors, lengths, keys=own).outputs
        values = dropout(values, self.settings.recurrent.dropout, own, MEMORY)
        return self.decoder.remember(values, jnp.arange(source.shape[1]) < lengths[:, None])

    def parts(self, inputs: jax.ShapeDtypeStruct, text: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for texts of these shapes."""
        embedded = jax.eval_shape(self.embedding, inputs)
        name = f"embedding of {self.embedding.num_embeddings:,} tokens"
        return [
            Part(name, embedded, self.embedding),
            *self.encoder.parts(embedded),
            *self.decoder.parts(text),
        ]
