"""What reads something, and writes a text about it."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.models.attention import Memory
from rnn_jax.models.beam_search import IMPOSSIBLE, beam_search
from rnn_jax.models.decoder import Decoder
from rnn_jax.models.dropout import Keys
from rnn_jax.models.encoder import Part

Inputs = tuple[Array, ...]  # what is read, leaves `[B, ...]`


class Writer(nnx.Module):
    """A decoder, and an encoder, which each network of this kind has in `read`.

    Attributes:
        decoder: what writes.
    """

    decoder: Decoder

    def read(self, *inputs: Array, keys: Keys | None = None) -> Memory:
        """What the decoder reads; `keys` turn noise on."""
        raise NotImplementedError

    def parts(self, inputs: jax.ShapeDtypeStruct, text: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for what it reads and what it writes of these shapes."""
        raise NotImplementedError

    def losses(
        self, inputs: Inputs, tokens: Array, lengths: Array, keys: Keys | None = None
    ) -> tuple[Array, Array]:
        """Of each token of texts `[B, T]`, or of C texts an example, `[B, C, T]`; see `Decoder.losses`."""
        memory = self.read(*inputs, keys=keys)
        if tokens.ndim == 2:
            return self.decoder.losses(memory, tokens, lengths, keys)
        count, shape = tokens.shape[1], tokens.shape
        memory = jax.tree.map(lambda leaf: jnp.repeat(leaf, count, axis=0), memory)
        if keys is not None:  # a key a text
            fold = jax.vmap(lambda key: jax.vmap(lambda c: jax.random.fold_in(key, c))(jnp.arange(count)))
            keys = keys._replace(examples=fold(keys.examples).reshape(-1))
        found = self.decoder.losses(memory, tokens.reshape(-1, shape[-1]), lengths.reshape(-1), keys)
        losses, smoothed = (each.reshape(shape) for each in found)
        return losses, smoothed

    def write(self, inputs: Inputs, *, beams: int, most: int) -> Array:
        """The likeliest texts that a beam search finds, `[B, most]`; unknown tokens are never written."""
        decoder, memory = self.decoder, self.read(*inputs)
        state = decoder.start(memory)
        shared: Memory = jax.tree.map(lambda leaf: jnp.repeat(leaf, beams, axis=0), memory)
        output = decoder.output()

        def step(before: Array, state: Any) -> tuple[Array, Any]:
            found = decoder(shared, before[:, None], None, state)
            logits = found.hidden[:, 0] @ output.kernel.T + output.bias
            return jax.nn.log_softmax(logits.at[:, UNKNOWN].set(IMPOSSIBLE)), found.state

        return beam_search(step, state, len(memory.values), beams=beams, end=decoder.end, most=most)

    def weights(self, inputs: Inputs, tokens: Array) -> Array:
        """What the decoder reads when it writes each token of texts `[B, T]`: `[B, T, S]`, of each place."""
        memory = self.read(*inputs)
        return self.decoder(memory, self.decoder.shifted(tokens), None, self.decoder.start(memory)).weights
