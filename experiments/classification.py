"""What scripts that train classifiers say before and after."""

import shlex
from typing import Any, cast

import numpy as np

from experiments.training import devices, python
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.packing import Packed
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.tasks import TASKS
from rnn_jax.tasks.labels import probabilities_of
from rnn_jax.training.loop import Run


def text(run: Run) -> TextPreprocessor:
    """The preprocessor of a run, which is one of texts."""
    return cast("TextPreprocessor", run.data.preprocessor)


def plan(run: Run) -> str:
    """What would be trained, on what, and in how many steps."""
    data, train = run.data, cast("Bucketed | Packed", run.data.train)
    unlabelled = int(train.beside["unlabelled"])
    also = f" ({unlabelled:,} of them without a label)" if unlabelled else ""
    a_step, filled = f"{data.unit} a step", "padded to"
    if isinstance(train, Packed):
        a_step, filled = "rows a step", f"packed with {data.unit} up to"
    example = text(run).vocabulary.decode(train.columns["tokens"][0][:24])
    return (
        f"{TASKS[run.task.name].summary(run.settings, data.preprocessor)}\n"
        f"{data.name} {data.unit}: {len(data.train):,} to train on{also}, {len(data.validation):,} to "
        f"validate, {len(data.test):,} to test; the first, as the network reads it:\n"
        f"    {example} …\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} {a_step} on "
        f"{devices(run)}, {filled} {', '.join(map(str, train.boundaries))} tokens"
    )


def first_answer(run: Run) -> str:
    """The first test example decoded back to words, its label, and what the network makes of it."""
    if run.test_outputs is None:
        return ""
    test, names = cast("Bucketed", run.data.test).columns, text(run).labels
    words = text(run).vocabulary.decode(test["tokens"][0][:24])
    [probabilities] = np.asarray(probabilities_of(run.test_outputs[:1]))
    return (
        f"The first test {run.data.unit.removesuffix('s')}, decoded: {words} …\n"
        f"    it is {names[test['labels'][0]]}, and the network says "
        f"{names[probabilities.argmax()]}, {probabilities.max():.1%}\n"
    )


def beside(result: dict[str, Any]) -> str:
    """What stands beside the accuracy where labels may have any frequency."""
    if "test_most_frequent" not in result:
        return ""
    most, share = result["test_most_frequent"], result["test_accuracy_of_most_frequent"]
    return f", macro F1 {result['test_macro_f1']:.2%} (always answering {most}: accuracy {share:.2%})"


def report(result: dict[str, Any], workdir: str, run: Run | None, unit: str, example: str) -> str:
    """What came out, an answer, and how to use it.

    Args:
        result: of the run.
        workdir: its directory.
        run: None where it has finished earlier.
        unit: what examples are.
        example: one to try.
    """
    network = result["cell"] if result["network"] == "recurrent" else result["network"]
    tested = "test split not read"
    if result["test_examples"]:
        number = f"{result['test_examples']:,} {unit}"
        tested = f"test accuracy {result['test_accuracy']:.2%}{beside(result)} on {number}"
    chosen = f"the last of {result['epochs_run']} epochs"
    figure = "validation_macro_f1" if "validation_macro_f1" in result else "validation_accuracy"
    if result[figure] is not None:
        name = "macro F1 " if "macro" in figure else ""
        chosen = (
            f"validation {name}{result[figure]:.2%}, "
            f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
        )
    return (
        f"{result['dataset']} {unit}, {network}: {tested} ({chosen}) · "
        f"{result['train_seconds']:.0f} s of training · {result['examples_per_second']:,.0f} {unit}/s\n"
        f"{'' if run is None else first_answer(run)}"
        f"Classify a {unit.removesuffix('s')} of your own:\n"
        f"    {python()} -m experiments.predict --workdir {shlex.quote(workdir)} {example}"
    )
