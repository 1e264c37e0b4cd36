"""What scripts that classify sequences of vectors say before and after, and the pictures they leave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from experiments.command_line import Place
from experiments.pictures import can_draw, save, where
from experiments.training import Script, TrainingOptions, as_begun, devices, settings_of, settle, takes, train
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.tasks import open_as
from rnn_jax.tasks.vector_classifier import accuracies_over_time
from rnn_jax.training.hosts import is_first
from rnn_jax.training.loop import Run
from rnn_jax.training.recipe import Recipe
from rnn_jax.training.weights import Opened

if TYPE_CHECKING:  # which may be missing
    from matplotlib.figure import Figure

ANSWERS = "answers.png"
POINTS = 14  # of the curve


@dataclass(frozen=True, kw_only=True)
class PredictOptions(TrainingOptions):
    """Options of a script that also uses what it has trained; which files it takes, each says itself."""

    predict: Place | None = None


class Application(NamedTuple):
    """What is particular to a script.

    Attributes:
        recipe: of what it trains.
        small: the dataset that is there without being prepared, and settings for it in place of a preset's.
        minutes: how long it takes on two cores, in words.
        use: how to use a run, `(workdir) -> text`.
        predict: what a run says of a file of one's own, `(workdir, file) -> text`.
        also: further figures of a result, in words.
        pictures: by the name of their file, drawn from a run that has just ended and its best weights.
    """

    recipe: Recipe
    small: tuple[str, dict[str, Any]]
    minutes: str
    use: Callable[[str], str]
    predict: Callable[[str, str], str]
    pictures: Mapping[str, "Callable[[Opened, Run], Figure]"]
    also: Callable[[dict[str, Any]], str] = lambda result: ""

    def run(self, options: PredictOptions) -> int:
        """Trains, or reports what was trained, or predicts."""
        if options.predict is not None:
            print(self.predict(options.workdir, options.predict))
            return 0
        options = as_begun(options, self.recipe)
        settled = partial(settle, settings_of(options), small=self.small)
        return train(Script(self.recipe.name, self.recipe, settled, self.plan, self.report), options)

    def plan(self, run: Run) -> str:
        """What would be trained, on what, in how many steps, and how long that takes on two cores."""
        data, train = run.data, cast("Bucketed", run.data.train)
        known = cast("VectorPreprocessor", data.preprocessor)
        return (
            f"{self.recipe.summary(run.settings, data.preprocessor)}\n"
            f"{data.name}, {data.unit}: {len(data.train):,} to train on, {len(data.validation):,} to "
            f"validate, {len(data.test):,} to test; up to {known.max_length} steps of {known.size} "
            f"{'number' if known.size == 1 else 'numbers'}\n"
            f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} {data.unit} "
            f"a step on {devices(run)}, padded to {', '.join(map(str, train.boundaries))} steps"
            f"{takes(run, self.minutes)}"
        )

    def report(self, result: dict[str, Any], workdir: str, run: Run | None) -> str:
        """What came out, where its pictures are, and how to use it."""
        network = result["cell"] if result["network"] == "recurrent" else result["network"]
        tested = "test split not read"
        if result["test_examples"]:
            number = f"{result['test_examples']:,}"
            tested = f"test accuracy {result['test_accuracy']:.2%}{self.also(result)} on {number}"
            if run is not None and is_first():
                self.draw(workdir, run, np.array(result["test_confusion"]))
        chosen = f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
        lines = [
            f"{result['dataset']}, {network}: {tested} (validation {result['validation_accuracy']:.2%}, "
            f"{chosen}) · {result['train_seconds']:.0f} s of training"
        ]
        if result["test_examples"]:
            lines += where(workdir, (ANSWERS, *self.pictures), "Its answers, and how early it knew them")
        return "\n".join([*lines, self.use(workdir)])

    def draw(self, workdir: str, run: Run, confusion: NDArray[np.integer]) -> None:
        """Leaves the pictures in the directory of the run, where matplotlib is there to draw them."""
        if not can_draw():
            return
        from rnn_jax.reporting.answers import draw_answers

        opened = open_as(self.recipe, workdir, unroll="dynamic")
        shares = [(i + 1) / POINTS for i in range(POINTS)]
        found = accuracies_over_time(opened, cast("Bucketed", run.data.test), shares)
        names = run.data.preprocessor.answer_names()
        figures = {ANSWERS: draw_answers(confusion, names, shares, found)}
        figures |= {name: draw(opened, run) for name, draw in self.pictures.items()}
        for name, figure in figures.items():
            save(figure, Path(workdir) / name)


def answer(what: str, labels: Sequence[str], probabilities: NDArray[np.floating]) -> str:
    """The most probable label, and the next, in words."""
    best, second = probabilities.argsort()[::-1][:2]
    return (
        f"{what}: {labels[best]}, with probability {probabilities[best]:.1%} "
        f"(then {labels[second]}, {probabilities[second]:.1%})"
    )
