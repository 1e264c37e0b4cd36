"""A decoder: writes a text token by token, and reads a memory while it does."""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, State
from rnn_jax.cells.noise import has_hidden
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.models.attention import (
    ATTENTIONS,
    NOT_READ,
    Additive,
    Attended,
    AttentionName,
    Memory,
    attentive,
)
from rnn_jax.models.dropout import Keys, dropout
from rnn_jax.models.embedding import HEAD_DROPOUT, EmbeddingSettings, embed
from rnn_jax.models.encoder import Part
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings
from rnn_jax.models.softmax import Output, log_uniform, softmax_losses
from rnn_jax.settings import Rate, above, require
from rnn_jax.unroll import UNROLLS


@dataclass(frozen=True)
class DecoderSettings:
    """What writes, and how it reads."""

    attention: AttentionName = "luong"
    """How the decoder reads: luong, after each step; bahdanau, before it, so that the cell reads what it has
    found, which is always a dynamic unroll; none: the same summary at every step."""
    recurrent: RecurrentSettings = RecurrentSettings(cell="gru", hidden_size=256, dropout=0.3)
    embedding: EmbeddingSettings = EmbeddingSettings(
        embedding_size=256, word_dropout=0.1, embedding_dropout=0.3
    )
    label_smoothing: Rate = 0.1
    """Share of the training target that is spread over all tokens alike (C. Szegedy et al., 2016,
    arXiv:1512.00567)."""
    beams: Annotated[int, above(0)] = 4
    """Texts that are followed side by side when the trained network writes, of which the most probable is
    kept; 1: the likeliest token each time."""

    def check(self) -> None:
        """Raises UserError for what cannot write, or cannot read."""
        both, cell = self.recurrent.bidirectional, self.recurrent.cell
        require(not both, "bidirectional", both, "what comes is not read: leave it out")
        zoneout = self.recurrent.zoneout
        require(zoneout == 0, "zoneout", zoneout, "is not known to a decoder: leave it 0")
        learned = self.recurrent.learned_initial_state
        words = "a decoder begins with what is read: leave it out"
        require(not learned, "learned_initial_state", learned, words)
        free = CELLS[cell].free_state
        require(free, "cell", cell, "cannot begin in a state that is worked out: another cell")
        if self.attention == "bahdanau":
            alone = self.recurrent.num_layers == 1 and self.recurrent.block == "none"
            require(alone, "attention", self.attention, "needs --num-layers 1 and --block none")
            require(has_hidden(CELLS[cell]), "cell", cell, "has no state to ask with: --attention luong")


class Decoded(NamedTuple):
    """Steps of a decoder."""

    hidden: Array  # [B, T, E], what the output layer reads
    weights: Array  # [B, T, S], of the memory; [B, T, 0] where that is read as a whole
    state: Any


class Decoder(nnx.Module):
    """Writes a text: each token given those before it, and a memory.

        h_t = cell(E[y_{t-1}], h_{t-1}),             c_t = attention(h_t, memory)             luong
        c_t = attention(h_{t-1}, memory),            h_t = cell([E[y_{t-1}], c_t], h_{t-1})   bahdanau
        h_t = cell([E[y_{t-1}], c], h_{t-1}),        c_t = c, the mean of the memory          none
        p(y_t) = softmax(E tanh(W [h_t, c_t] + b) + d)
        h_0 = tanh(V c + a)

    Papers: K. Cho et al., 2014, arXiv:1406.1078, without attention; with it, see `rnn_jax.models.attention`.
    Variants: the first state comes from the mean of the memory, as in K. Xu et al., 2015, arXiv:1502.03044,
    and not from the last state of what has read; the output layer has the word vectors E for its weights, as
    that of `LanguageModel` has them, behind a single layer of tanh.
    """

    def __init__(
        self,
        settings: DecoderSettings,
        *,
        memory_size: int,
        vocabulary_size: int,
        end: int,
        rngs: nnx.Rngs,
    ) -> None:
        size, hidden = settings.embedding.embedding_size, settings.recurrent.hidden_size
        self.settings, self.end = settings, end
        self.embedding = nnx.Embed(
            vocabulary_size, size, embedding_init=jax.nn.initializers.normal(size**-0.5), rngs=rngs
        )
        before = settings.attention != "luong"  # what is read goes through the cell
        self.recurrent = Recurrent(settings.recurrent, size + memory_size * before, rngs)
        kind = ATTENTIONS.get(settings.attention)
        self.attention = None if kind is None else kind(memory_size, hidden, rngs)
        self.projection = nnx.Linear(self.recurrent.output_size + memory_size, size, rngs=rngs)
        self.bias = nnx.Param(log_uniform(jnp.arange(vocabulary_size), vocabulary_size))
        states = jax.eval_shape(lambda: self.recurrent.initial_state(1))
        self.first = nnx.Linear(
            memory_size, sum(each.shape[-1] for each in jax.tree.leaves(states)), rngs=rngs
        )

    def remember(self, values: Array, valid: Array) -> Memory:
        """A memory, from its values `[B, S, M]` and which of them count, bool `[B, S]`."""
        keys = values if self.attention is None else self.attention.keys(values)
        return Memory(values, keys, jnp.where(valid, 0.0, NOT_READ))

    def start(self, memory: Memory) -> tuple[State, ...]:
        """The state before the first token."""
        zero = self.recurrent.initial_state(len(memory.values))
        leaves, structure = jax.tree.flatten(zero)
        flat = jnp.tanh(self.first(_mean(memory)))
        ends = [sum(each.shape[-1] for each in leaves[: i + 1]) for i in range(len(leaves))]
        parts = jnp.split(flat, ends[:-1], axis=-1)
        cast = [part.astype(leaf.dtype) for part, leaf in zip(parts, leaves, strict=True)]
        return jax.tree.unflatten(structure, cast)

    def __call__(
        self,
        memory: Memory,
        before: Array,
        lengths: Array | None,
        state: tuple[State, ...],
        keys: Keys | None = None,
    ) -> Decoded:
        """Steps, each after a token of `before [B, T]`; `keys` turn noise on."""
        vectors = embed(self.embedding, before, self.settings.embedding, keys, unknown=UNKNOWN)
        if isinstance(self.attention, Additive):
            cell, (layer,) = self.recurrent.cell_and_params(self.recurrent.params(), keys)
            around = self.attention.around(layer, memory)
            outputs, last = UNROLLS["dynamic"](attentive(cell), around, vectors, lengths, state[0])
            size = self.recurrent.output_size
            places = size, size + memory.values.shape[-1]
            outputs, context, weights = jnp.split(outputs, places, axis=-1)
            read, state = Attended(context, weights), (last,)
        elif self.attention is not None:
            outputs, state = self.recurrent(vectors, lengths, state, keys)
            read = self.attention(outputs, memory)
        else:
            whole = jnp.broadcast_to(_mean(memory)[:, None], (*before.shape, memory.values.shape[-1]))
            outputs, state = self.recurrent(jnp.concatenate([vectors, whole], axis=-1), lengths, state, keys)
            read = Attended(whole, jnp.zeros((*before.shape, 0)))
        hidden = jnp.tanh(self.projection(jnp.concatenate([outputs, read.context], axis=-1)))
        hidden = dropout(hidden, self.settings.recurrent.dropout, keys, HEAD_DROPOUT)
        return Decoded(hidden, read.weights, state)

    def losses(
        self, memory: Memory, tokens: Array, lengths: Array, keys: Keys | None = None
    ) -> tuple[Array, Array]:
        """The cross-entropy of each token of texts `[B, T]`, in nats, and the same with smoothed targets.

        - log p(y), and (1 - ε) (- log p(y)) - ε mean_v log p(v), with ε the label smoothing.
        """
        hidden = self(memory, self.shifted(tokens), lengths, self.start(memory), keys).hidden
        output = self.output()
        rows, wanted = hidden.reshape(-1, hidden.shape[-1]), tokens.ravel()
        losses = softmax_losses(output, rows, wanted)
        own = (rows * output.kernel[wanted]).sum(axis=-1) + output.bias[wanted]
        mean = rows @ output.kernel.mean(axis=0) + output.bias.mean()
        smoothed = losses + self.settings.label_smoothing * (own - mean)
        return losses.reshape(tokens.shape), smoothed.reshape(tokens.shape)

    def shifted(self, tokens: Array) -> Array:
        """What comes before each token; `end` before the first."""
        return jnp.concatenate([jnp.full_like(tokens[:, :1], self.end), tokens[:, :-1]], axis=1)

    def output(self) -> Output:
        """The output layer."""
        return Output(self.embedding.embedding[...], self.bias[...])

    def parts(self, tokens: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for texts of this shape."""
        settings = self.settings
        shape = lambda size: jax.ShapeDtypeStruct((*tokens.shape, size), jnp.float32)  # noqa: E731
        size, count = settings.embedding.embedding_size, len(self.bias[...])
        read = shape(self.projection.in_features - self.recurrent.output_size)
        return [
            Part(f"embedding of {count:,} tokens", shape(size), self.embedding),
            Part("the first state", shape(self.first.out_features), self.first),
            Part(settings.recurrent.cell, shape(self.recurrent.output_size), self.recurrent),
            Part(f"attention: {settings.attention}", read, self.attention),
            Part("dense, tanh", shape(size), self.projection),
            Part(f"softmax over {count:,} tokens, tied", shape(count), self.bias),
        ]


def _mean(memory: Memory) -> Array:
    """The mean of what a memory holds, `[B, M]`."""
    there = (memory.mask == 0)[..., None]
    return jnp.where(there, memory.values, 0).sum(axis=1) / jnp.maximum(there.sum(axis=1), 1)
