"""A new run from the weights of another, of the same task or of another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from rnn_jax.errors import UserError
from rnn_jax.models.functional import ModelParams
from rnn_jax.models.transfer import take_layers, take_rows
from rnn_jax.settings import to_flat
from rnn_jax.training.recipe import Preprocessor, Settings
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.task import Part, Task
from rnn_jax.training.weights import Opened

ROWS = "embedding"  # the part whose rows have names; others are layers


class Transferred(NamedTuple):
    """Weights to start from."""

    params: ModelParams
    words: str  # what was taken, and what was drawn, in a line


def costs(path: str | Path) -> dict[str, Any]:
    """What a run took, and what that had started from: fields of the result of one that follows.

    None for a run that has not finished.
    """
    result = RunDirectory(path).read_result()
    if result is None:
        return {"pretraining_seconds": None, "pretraining_epochs": None}
    seconds = result["train_seconds"] + (result.get("pretraining_seconds") or 0)
    return {"pretraining_seconds": round(seconds, 3), "pretraining_epochs": result["epochs_run"]}


def transfer(
    path: str | Path, theirs: Opened, task: Task, settings: Settings, preprocessor: Preprocessor
) -> Transferred:
    """The best weights of another run for a new one.

    All of them, where both learn the same task with weights of the same shapes from inputs of the same names;
    else those of the parts that both tasks have, vectors by name, and the rest as it is drawn.

    Args:
        path: of the other run, for messages.
        theirs: the other run.
        task: of the new one.
        settings: of the new one.
        preprocessor: of the new one.

    Raises:
        UserError: if sizes differ, naming the setting, or the other run has been trained on what this one is
            validated on.
    """
    other, mine = to_flat(theirs.settings), to_flat(settings)
    if other.get("refit") and not mine.get("refit"):
        advice = "use --refit, too" if "refit" in mine else "choose another"
        raise UserError(f"--init-from {path} has been trained on what is held out here: {advice}")
    parts = {name: part for name, part in task.parts.items() if name in theirs.task.parts}
    if not parts:
        raise UserError(f"--init-from {path} holds a run of {theirs.task.name}, and no part for {task.name}")
    for name in (name for part in parts.values() for name in part.settings):
        if other[name] != mine[name]:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"--init-from {path} has {option} {other[name]}: use that, and not {mine[name]}")
    drawn = jax.device_get(task.init())
    their_names, my_names = theirs.preprocessor.row_names(), preprocessor.row_names()
    if theirs.task.name == task.name and their_names == my_names:
        if jax.tree.map(jnp.shape, theirs.params) != jax.tree.map(jnp.shape, drawn):
            raise UserError(f"--init-from {path} is another network: use its settings")
        return Transferred(theirs.params, f"all weights from {path}")
    params, words = drawn, []
    for name, part in parts.items():
        their, my = _at(theirs.params, theirs.task.parts[name].path), _at(drawn, part.path)
        if name == ROWS:
            taken, count = take_rows(their, my, their_names, my_names)
            words.append(f"{count:,} of {len(my_names):,} vectors of the embedding")
        else:
            taken = _layers(path, their, my)
            both = "backward" in my["layers"][0] and "backward" not in their["layers"][0]
            words.append("the recurrent layers" + ", forward alone" * both)
        params = _put(params, part.path, taken)
    rest = sorted(params.keys() - {part.path[0] for part in parts.values()})
    drawn_words = f"; drawn: {', '.join(rest)}" if rest else ""
    return Transferred(params, f"taken from {path}: {' and '.join(words)}{drawn_words}")


def _layers(path: str | Path, theirs: Any, mine: Any) -> Any:
    try:
        return take_layers(theirs, mine)
    except ValueError as error:
        raise UserError(f"--init-from {path} has recurrent layers with other inputs: {error}") from error


def _at(tree: Any, path: tuple[str, ...]) -> Any:
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
