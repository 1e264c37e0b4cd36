"""What scripts that classify sequences of vectors say before and after, and the picture they leave."""

import importlib.util
from pathlib import Path
from typing import Any, cast

import numpy as np

from experiments.training import devices
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.tasks import TASKS, open_as
from rnn_jax.tasks.vector_classifier import accuracies_over_time
from rnn_jax.training.loop import Run

PICTURE = "answers.png"
POINTS = 14  # of the curve


def plan(run: Run, minutes: str) -> str:
    """What would be trained, on what, in how many steps, and how long that takes on two cores."""
    data, train = run.data, cast("Bucketed", run.data.train)
    known = cast("VectorPreprocessor", data.preprocessor)
    return (
        f"{TASKS[run.task.name].summary(run.settings, data.preprocessor)}\n"
        f"{data.name}, {data.unit}: {len(data.train):,} to train on, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test; up to {known.max_length} steps of {known.size} "
        f"{'number' if known.size == 1 else 'numbers'}\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} {data.unit} a "
        f"step on {devices(run)}, padded to {', '.join(map(str, train.boundaries))} steps; "
        f"on two cores, {minutes}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None, use: str) -> str:
    """What came out, where its picture is, and how to use it.

    Args:
        result: of the run.
        workdir: its directory.
        run: None where it has finished earlier.
        use: a command.
    """
    network = result["cell"] if result["network"] == "recurrent" else result["network"]
    tested = "test split not read"
    if result["test_examples"]:
        tested = f"test accuracy {result['test_accuracy']:.2%} on {result['test_examples']:,}"
        if run is not None:
            draw(workdir, run, np.array(result["test_confusion"]))
    chosen = f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
    lines = [
        f"{result['dataset']}, {network}: {tested} (validation {result['validation_accuracy']:.2%}, "
        f"{chosen}) · {result['train_seconds']:.0f} s of training"
    ]
    picture = Path(workdir) / PICTURE
    if picture.exists():
        lines.append(f"Its answers, and how early it knew them: {picture}")
    elif result["test_examples"]:
        lines.append("For a picture of its answers: pip install matplotlib, and train another")
    return "\n".join([*lines, use])


def draw(workdir: str, run: Run, confusion: np.ndarray[Any, Any]) -> None:
    """Leaves the picture in the directory of the run, where matplotlib is there to draw it."""
    if importlib.util.find_spec("matplotlib") is None:
        return
    from rnn_jax.reporting.answers import draw_answers

    opened = open_as(TASKS[run.task.name], workdir, unroll="dynamic")
    shares = [(i + 1) / POINTS for i in range(POINTS)]
    found = accuracies_over_time(opened, cast("Bucketed", run.data.test), shares)
    names = run.data.preprocessor.answer_names()
    draw_answers(confusion, names, shares, found).savefig(Path(workdir) / PICTURE, dpi=100)
