"""What a task is made from: its settings, its data, and what it keeps of them to use a run later."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from rnn_jax.data.batches import Batch, Split
from rnn_jax.training.task import Task

Settings = Any  # a tree of frozen dataclasses, with a field `training: TrainingSettings`


class Places(NamedTuple):
    """Where data lie; None for the usual places."""

    data_dir: str | None = None
    cache_dir: str | None = None


class Preprocessor(Protocol):
    """What raw inputs go through before the network; written beside a run, so that it can be used later."""

    def files(self) -> Mapping[str, Callable[[Path], None]]:
        """Writers by the name of their file."""

    def row_names(self) -> Sequence[str]:
        """What the rows of the part `embedding` of a network stand for; of others, none."""

    def answer_names(self) -> Sequence[str]:
        """What the outputs of a network stand for, where they have names of their own."""


class Data(NamedTuple):
    """A dataset, ready to be trained on."""

    name: str  # for the record
    unit: str  # what examples are, for people
    train: Split
    validation: Split  # may be empty
    test: Split
    preprocessor: Preprocessor
    seconds: float = 0.0  # that loading took, for the record
    fingerprint: str = ""  # of data that may change; a run goes on with the same alone


class Shapes(NamedTuple):
    """What the programs of a task take, as trees of `jax.ShapeDtypeStruct`: to compile them without data.

    Attributes:
        batch: of examples that are as long as they may be.
        use: what is asked of trained parameters: `(params, *inputs) -> answers`.
        inputs: of one use.
        evaluation: of examples that are evaluated, where they come in other batches than in training.
    """

    batch: Batch
    use: Callable[..., Any]
    inputs: tuple[Any, ...]
    evaluation: Batch | None = None


def batch_shapes(columns: dict[str, Any], rows: int) -> Batch:
    """A batch of so many examples, from the shapes of its columns."""
    weights, numbers = (jax.ShapeDtypeStruct((rows,), kind) for kind in (jnp.float32, jnp.int32))
    return Batch(columns, weights, numbers)


class Recipe(NamedTuple):
    """How a task is made.

    Attributes:
        name: as in config.json.
        settings: the defaults.
        load: the data of settings.
        preprocessor: reads it back from the directory of a run; no dataset is needed.
        make: the task of settings and a preprocessor.
        summary: the printed table of layers.
        stand_in: a preprocessor in place of the one that data would make, of the largest size.
        shapes: of B examples, `(settings, preprocessor, B) -> shapes`.
        used_by: the script that uses a trained run.
    """

    name: str
    settings: Settings
    load: Callable[[Settings, Places], Data]
    preprocessor: Callable[[Settings, Path], Preprocessor]
    make: Callable[[Settings, Preprocessor], Task]
    summary: Callable[[Settings, Preprocessor], str]
    stand_in: Callable[[Settings], Preprocessor]
    shapes: Callable[[Settings, Preprocessor, int], Shapes]
    used_by: str = "evaluate"
