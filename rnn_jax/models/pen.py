"""A pen that draws: what it has drawn, and where it may go from there."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.data.sources.drawings import ACTIONS
from rnn_jax.models.dropout import Keys, dropout
from rnn_jax.models.embedding import HEAD_DROPOUT
from rnn_jax.models.encoder import Part
from rnn_jax.models.mixture_density import PER_COMPONENT, Mixture
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings
from rnn_jax.settings import above, require

INPUTS = 2 + ACTIONS
WINDOW = 4  # points that the network without recurrence reads
NOWHERE = (0.0, 0.0, -1.0)  # the point before the first


@dataclass(frozen=True)
class PenSettings:
    """What moves the pen."""

    network: Literal["recurrent", "window"] = "recurrent"
    """recurrent; window: a layer that reads the last four points, to compare with."""
    recurrent: RecurrentSettings = RecurrentSettings(cell="lstm", hidden_size=256, dropout=0.0)
    mixtures: Annotated[int, above(0)] = 20
    """Gaussians that a point is drawn from; 1: a single one."""

    def check(self) -> None:
        """Raises UserError for a network that would read what it is to predict."""
        both = self.recurrent.bidirectional
        require(not both, "bidirectional", both, "what comes is not read: leave it out")


class Next(NamedTuple):
    """What may come at some steps."""

    place: Mixture  # of the offsets
    action: Array  # [..., ACTIONS], log-probabilities of what the pen does then

    def log_likelihood(self, points: Array) -> tuple[Array, Array]:
        """Of the offsets, and of what the pen does, of points `[..., 3]`, in nats."""
        done = points[..., 2:].astype(jnp.int32)
        known = jnp.take_along_axis(self.action, jnp.maximum(done, 0), axis=-1)[..., 0]
        return self.place.log_density(points[..., :2]), known


class Pen(nnx.Module):
    """Reads points, and says where the pen goes next, and what it does then.

        x_t = [dx_{t-1}, dy_{t-1}, onehot(action_{t-1})]
        h_t = cell(x_1, …, x_t)
        p(dx_t, dy_t), p(action_t) = mixture(W h_t + b), softmax(V h_t + c)

    A. Graves, 2013, arXiv:1308.0850, without the window over a text. Variant: a pen that is lifted and one
    that has finished are told apart, as in D. Ha and D. Eck, 2017, arXiv:1704.03477.
    """

    def __init__(self, settings: PenSettings, rngs: nnx.Rngs) -> None:
        size = settings.recurrent.hidden_size
        self.settings = settings
        if settings.network == "recurrent":
            self.recurrent = Recurrent(settings.recurrent, INPUTS, rngs)
            size = self.recurrent.output_size
        else:
            self.window = nnx.Linear(WINDOW * INPUTS, size, rngs=rngs)
        self.head = nnx.Linear(size, PER_COMPONENT * settings.mixtures + ACTIONS, rngs=rngs)

    def __call__(self, points: Array, lengths: Array, keys: Keys | None = None) -> Next:
        """What may come at each step of drawings `[B, T, 3]`, given all before it; `keys` turn noise on."""
        before = jnp.broadcast_to(jnp.array(NOWHERE), (len(points), 1, 3))
        inputs = features(jnp.concatenate([before, points[:, :-1]], axis=1))
        if self.settings.network == "recurrent":
            hidden = self.recurrent(inputs, lengths, keys=keys).outputs
        else:
            hidden = self._look(self._start(len(points)), inputs)
        hidden = dropout(hidden, self.settings.recurrent.dropout, keys, HEAD_DROPOUT)
        return self._next(hidden)

    def step(self, point: Array, state: Any) -> tuple[Next, Any]:
        """What may come after a point `[B, 3]`, and the state to go on from."""
        inputs = features(point)[:, None]
        if self.settings.network == "recurrent":
            found = self.recurrent(inputs, initial_state=state)
            return self._next(found.outputs[:, 0]), found.state
        hidden = self._look(state, inputs)
        return self._next(hidden[:, 0]), jnp.concatenate([state, inputs], axis=1)[:, 1:]

    def start(self, batch_size: int) -> tuple[Array, Any]:
        """The point before the first, and the state there."""
        before = jnp.broadcast_to(jnp.array(NOWHERE), (batch_size, 3))
        if self.settings.network == "window":
            return before, self._start(batch_size)
        return before, self.recurrent.initial_state(batch_size)

    def _start(self, batch_size: int) -> Array:
        return jnp.zeros((batch_size, WINDOW - 1, INPUTS))

    def _look(self, before: Array, inputs: Array) -> Array:
        """What the window sees at each step: `[B, WINDOW - 1, INPUTS], [B, T, INPUTS] -> [B, T, H]`."""
        padded = jnp.concatenate([before, inputs], axis=1)
        steps = inputs.shape[1]
        seen = jnp.concatenate([padded[:, i : i + steps] for i in range(WINDOW)], axis=-1)
        return jax.nn.relu(self.window(seen))

    def _next(self, hidden: Array) -> Next:
        outputs = self.head(hidden)
        return Next(Mixture.of(outputs[..., ACTIONS:]), jax.nn.log_softmax(outputs[..., :ACTIONS], axis=-1))

    def parts(self, points: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of this shape."""
        inputs = jax.ShapeDtypeStruct((*points.shape[:2], INPUTS), jnp.float32)
        outputs = jax.ShapeDtypeStruct((*points.shape[:2], self.head.out_features), jnp.float32)
        if self.settings.network == "recurrent":
            below = self.recurrent.parts(inputs)
        else:
            hidden = jax.ShapeDtypeStruct((*points.shape[:2], self.head.in_features), jnp.float32)
            below = [Part(f"dense, of {WINDOW} points", hidden, self.window)]
        name = f"mixture of {self.settings.mixtures}, and what the pen does"
        return [*below, Part(name, outputs, self.head)]


def features(points: Array) -> Array:
    """What the network reads of points: `[..., 3] -> [..., 2 + ACTIONS]`."""
    action = points[..., 2].astype(jnp.int32)
    return jnp.concatenate([points[..., :2], jax.nn.one_hot(action, ACTIONS)], axis=-1)
