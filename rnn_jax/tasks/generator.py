"""A trained language model, used: text that goes on from a beginning."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.tokenizers import END, UNKNOWN, Tokenizer
from rnn_jax.errors import UserError
from rnn_jax.models.functional import ModelParams, split
from rnn_jax.models.sampling import SamplingSettings, distribution
from rnn_jax.settings import check, require
from rnn_jax.tasks import open_as
from rnn_jax.tasks.language_model import RECIPE, TokenPreprocessor, make_model

PIECE = 64  # steps of a prompt that are read at once, so that few programs are compiled


class Next(NamedTuple):
    """A token that may come next."""

    token: str
    probability: float


class Generator:
    """The best weights of a language model, ready to write.

    The state is carried from token to token: a token costs the same however long the text is. Unknown tokens
    are read, and never written.

    Raises:
        UserError: if the directory holds no language model, or no checkpoint.

    Example:
        >>> generator = Generator("runs/shakespeare")
        >>> text = generator("ROMEO:", length=20, seed=1)
        >>> text == generator("ROMEO:", length=20, seed=1)
        True
    """

    def __init__(self, workdir: str | Path) -> None:
        run = open_as(RECIPE, workdir, unroll="dynamic")
        self.tokenizer: Tokenizer = cast("TokenPreprocessor", run.preprocessor).tokenizer
        self._params = run.params
        self._apart = run.settings.text.reading != "stream"
        both = run.settings.recurrent.bidirectional
        require(not both, "workdir", workdir, "a network that reads backward, too, cannot write")
        apply, _ = split(lambda: make_model(run.settings, self.tokenizer.size))

        @jax.jit
        def read(params: ModelParams, tokens: Array, lengths: Array, state: Any) -> tuple[Array, Any]:
            logits, state = apply(params, tokens, lengths, state)
            last = jnp.take_along_axis(logits, jnp.maximum(lengths - 1, 0)[:, None, None], axis=1)
            return last[:, 0], state

        self._read = read
        self._start = lambda rows: apply(run.params, rows, method="initial_state")

    def next(self, prompt: str = "") -> list[Next]:
        """All tokens that may come after a prompt, the most probable first."""
        logits, _ = self._after(prompt)
        probabilities = distribution(logits)
        order = np.argsort(-probabilities, kind="stable")
        order = order[order != UNKNOWN]
        names = self.tokenizer.names(order)
        return [Next(name, float(probabilities[i])) for name, i in zip(names, order, strict=True)]

    def unknown(self, prompt: str) -> int:
        """How many tokens of a prompt are unknown."""
        return int((self.tokenizer.encode(prompt) == UNKNOWN).sum())

    def __call__(
        self, prompt: str = "", *, length: int, seed: int = 0, samples: int = 1, **sampling: Any
    ) -> list[str]:
        """Texts that go on from a prompt, without it; see `stream` for arguments and errors."""
        streams = (
            self.stream(prompt, length=length, seed=seed, sample=sample, **sampling)
            for sample in range(samples)
        )
        return [self.tokenizer.decode(tokens) for tokens in streams]

    def stream(
        self, prompt: str = "", *, length: int, seed: int = 0, sample: int = 0, **sampling: Any
    ) -> Iterator[int]:
        """Draws token after token, as indices; `tokenizer.decode` makes text of them.

        Args:
            prompt: what is read first; without one, the end of a line, or of another text.
            length: how many tokens.
            seed: decides all draws, with the number of the sample.
            sample: which of several texts from one seed.
            sampling: `temperature`, `top_k` and `top_p`; see `SamplingSettings`.

        Raises:
            UserError: if a value makes no sense.
            TypeError: for another name.
        """
        settings = SamplingSettings(**sampling)
        check(settings)
        require(length > 0, "length", length, "must be above 0")
        return self._draw(prompt, length, settings, np.random.default_rng([seed, sample]))

    def _draw(
        self, prompt: str, length: int, settings: SamplingSettings, rng: np.random.Generator
    ) -> Iterator[int]:
        logits, state = self._after(prompt)
        one = np.ones(1, np.int32)
        for _ in range(length):
            token = int(rng.choice(self.tokenizer.size, p=distribution(logits, settings)))
            yield token
            found, state = self._read(self._params, np.array([[token]], np.int32), one, state)
            logits = self._known(found)

    def _after(self, prompt: str) -> tuple[NDArray[np.float32], Any]:
        """The log-odds of what comes after a prompt, and the state."""
        tokens = self._beginning(prompt)
        state = self._start(1)
        found = None
        for start in range(0, len(tokens), PIECE):
            piece = tokens[start : start + PIECE]
            padded = np.zeros((1, PIECE), np.int32)
            padded[0, : len(piece)] = piece
            found, state = self._read(self._params, padded, np.array([len(piece)], np.int32), state)
        if found is None:
            raise UserError("the prompt holds no token: write some text, or leave it out")
        return self._known(found), state

    def _beginning(self, prompt: str) -> NDArray[np.int32]:
        """The tokens of a prompt, behind the end of another text where each was read apart; or a line end."""
        end = self.tokenizer.index(END)
        if not prompt and end == UNKNOWN:
            return self.tokenizer.encode("\n")
        before = [end] if self._apart or not prompt else []
        return np.array([*before, *self.tokenizer.encode(prompt)], np.int32)

    def _known(self, logits: Array) -> NDArray[np.float32]:
        """Of one row, without the unknown token."""
        row = np.array(logits[0])
        row[UNKNOWN] = -np.inf
        return row
