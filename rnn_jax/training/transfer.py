"""A new run from the weights of another, of the same task or of another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from rnn_jax.errors import UserError
from rnn_jax.interchange.weight_files import load_layers, tree_of
from rnn_jax.models.functional import ModelParams
from rnn_jax.models.transfer import take_layers, take_rows
from rnn_jax.settings import to_flat
from rnn_jax.training.recipe import Preprocessor, Settings
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.task import Part, Task
from rnn_jax.training.weights import Opened

ROWS, LAYERS = "embedding", "recurrent"  # the part whose rows have names; and the one that is layers


class Source(NamedTuple):
    """Weights that a new run may begin with.

    Attributes:
        path: where they lie, for messages.
        learnt: the name of the task that they are for.
        settings: what they were made with, by name.
        parts: of the network that they are of.
        names: what the rows of its part `embedding` stand for.
        answers: what its outputs stand for, where they have names.
        params: the weights.
    """

    path: str
    learnt: str
    settings: Mapping[str, Any]
    parts: Mapping[str, Part]
    names: Sequence[str]
    params: ModelParams
    answers: Sequence[str] = ()


def of_run(path: str | Path, run: Opened) -> Source:
    """The best weights of a run."""
    names, task = run.preprocessor.row_names(), run.task
    answers = run.preprocessor.answer_names()
    return Source(str(path), task.name, to_flat(run.settings), task.parts, names, run.params, answers)


def of_layers(path: str | Path) -> Source:
    """Recurrent layers in a file; see `rnn_jax.interchange.weight_files.load_layers` for errors."""
    layers = load_layers(path)
    tree = jax.tree.map(lambda array: np.asarray(array, np.float32), tree_of(layers))
    plain = {"block": "none", "learned_initial_state": False}
    sizes: dict[str, Any] = {"cell": layers.cell, **layers.sizes, **plain}
    sizes["embedding_size"] = sizes.pop("input_size")
    part = Part((), tuple(sizes))
    return Source(str(path), "recurrent layers", sizes, {LAYERS: part}, (), tree)


class Transferred(NamedTuple):
    """Weights to start from."""

    params: ModelParams
    words: str  # what was taken, and what was drawn, in a line


def costs(path: str | Path) -> dict[str, Any]:
    """What a run took, and what that had started from: fields of the result of one that follows.

    None for a run that has not finished, and for weights from elsewhere.
    """
    result = None if Path(path).is_file() else RunDirectory(path).read_result()
    if result is None:
        return {"pretraining_seconds": None, "pretraining_epochs": None}
    seconds = result["train_seconds"] + (result.get("pretraining_seconds") or 0)
    return {"pretraining_seconds": round(seconds, 3), "pretraining_epochs": result["epochs_run"]}


def transfer(theirs: Source, task: Task, settings: Settings, preprocessor: Preprocessor) -> Transferred:
    """Weights of another network for a new run.

    All of them, where both learn the same answers from the same inputs; else those of the parts that both
    tasks have, vectors by name, and the rest as it is drawn.

    Args:
        theirs: the weights.
        task: of the new run.
        settings: of the new run.
        preprocessor: of the new run.

    Raises:
        UserError: if sizes differ, naming the setting, or the other run has been trained on what this one is
            validated on.
    """
    path, other, mine = theirs.path, theirs.settings, to_flat(settings)
    if other.get("refit") and not mine.get("refit"):
        advice = "use --refit, too" if "refit" in mine else "choose another"
        raise UserError(f"--init-from {path} has been trained on what is held out here: {advice}")
    parts = {name: part for name, part in task.parts.items() if name in theirs.parts}
    if not parts:
        raise UserError(f"--init-from {path} is of {theirs.learnt}, and has no part for {task.name}")
    both = (part for name in parts for part in (parts[name], theirs.parts[name]))
    for name in (name for part in both for name in part.settings):
        if name in other and name in mine and other[name] != mine[name]:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"--init-from {path} has {option} {other[name]}: use that, and not {mine[name]}")
    drawn = jax.device_get(task.init())
    names = preprocessor.row_names()
    answers = preprocessor.answer_names()
    if theirs.learnt == task.name and theirs.names == names and theirs.answers == answers:
        if jax.tree.map(jnp.shape, theirs.params) != jax.tree.map(jnp.shape, drawn):
            raise UserError(f"--init-from {path} is another network: use its settings")
        return Transferred(theirs.params, f"all weights from {path}")
    params, words = drawn, []
    for name, part in parts.items():
        their, my = at(theirs.params, theirs.parts[name].path), at(drawn, part.path)
        if name == ROWS:
            taken, count = take_rows(their, my, theirs.names, names)
            words.append(f"{count:,} of {len(names):,} vectors of the embedding")
        else:
            taken = _layers(path, their, my)
            alone = "backward" in my["layers"][0] and "backward" not in their["layers"][0]
            words.append("the recurrent layers" + ", forward alone" * alone)
        params = _put(params, part.path, taken)
    rest = sorted(params.keys() - {part.path[0] for part in parts.values()})
    drawn_words = f"; drawn: {', '.join(rest)}" if rest else ""
    return Transferred(params, f"taken from {path}: {' and '.join(words)}{drawn_words}")


def _layers(path: str | Path, theirs: Any, mine: Any) -> Any:
    try:
        return take_layers(theirs, mine)
    except ValueError as error:
        raise UserError(f"--init-from {path} has recurrent layers with other inputs: {error}") from error


def at(tree: Any, path: tuple[str, ...]) -> Any:
    """What lies at a place in nested dicts."""
    for name in path:
        tree = tree[name]
    return tree


def _put(tree: Any, path: tuple[str, ...], value: Any) -> Any:
    """The tree with a value at a place."""
    return value if not path else {**tree, path[0]: _put(tree[path[0]], path[1:], value)}


def hold(parts: Mapping[str, Part], steps: int, rate: float) -> optax.GradientTransformation:
    """Scales the updates of the parts: by 0 in the first steps, then by `rate`; no others."""
    scale = optax.scale_by_schedule(lambda count: jnp.where(count < steps, 0.0, rate))

    def chosen(params: ModelParams) -> Any:
        def within(path: Any, _: Any) -> bool:
            keys = tuple(key.key for key in path)
            return any(keys[: len(part.path)] == part.path for part in parts.values())

        return jax.tree_util.tree_map_with_path(within, params)

    return optax.masked(scale, chosen)
