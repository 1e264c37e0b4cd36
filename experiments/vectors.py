"""What scripts that classify sequences of vectors say before and after, and the pictures they leave."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from experiments.training import Script, TrainingOptions, devices, settings_of, train
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks import TASKS, open_as
from rnn_jax.tasks.vector_classifier import accuracies_over_time
from rnn_jax.training.loop import Run
from rnn_jax.training.recipe import Recipe
from rnn_jax.training.weights import Opened

if TYPE_CHECKING:  # which may be missing
    from matplotlib.figure import Figure

ANSWERS = "answers.png"
POINTS = 14  # of the curve


class Application(NamedTuple):
    """What is particular to a script.

    Attributes:
        recipe: of what it trains.
        presets: settings by name.
        small: the dataset that is there without being prepared, and settings for it in place of a preset's.
        minutes: how long it takes on two cores, in words.
        use: how to use a run, `(workdir) -> text`.
        also: further figures of a result, in words.
        pictures: by the name of their file, drawn from a run that has just ended and its best weights.
    """

    recipe: Recipe
    presets: Mapping[str, Any]
    small: tuple[str, dict[str, Any]]
    minutes: str
    use: Callable[[str], str]
    pictures: Mapping[str, "Callable[[Opened, Run], Figure]"]
    also: Callable[[dict[str, Any]], str] = lambda result: ""

    def run(self, options: TrainingOptions) -> int:
        """Trains, or reports what was trained."""

        def settle(dataset: str | None) -> Any:
            return self.settle(options, dataset)

        return train(Script(self.recipe.name, self.recipe, settle, self.plan, self.report), options)

    def settle(self, options: TrainingOptions, dataset: str | None) -> Any:
        """The settings once it is known which data are at hand; None before."""
        settings = settings_of(options)
        asked = settings.data.dataset
        name = dataset or (None if asked == "auto" else asked)
        if name is None:
            return None
        mine, presets = to_flat(settings), to_flat(self.presets[options.preset])  # type: ignore[attr-defined]
        small, changes = self.small
        untouched = {each: value for each, value in changes.items() if mine[each] == presets[each]}
        return with_flat(settings, dataset=name, **(untouched if name == small else {}))

    def plan(self, run: Run) -> str:
        """What would be trained, on what, in how many steps, and how long that takes on two cores."""
        data, train = run.data, cast("Bucketed", run.data.train)
        known = cast("VectorPreprocessor", data.preprocessor)
        return (
            f"{TASKS[run.task.name].summary(run.settings, data.preprocessor)}\n"
            f"{data.name}, {data.unit}: {len(data.train):,} to train on, {len(data.validation):,} to "
            f"validate, {len(data.test):,} to test; up to {known.max_length} steps of {known.size} "
            f"{'number' if known.size == 1 else 'numbers'}\n"
            f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} {data.unit} "
            f"a step on {devices(run)}, padded to {', '.join(map(str, train.boundaries))} steps; "
            f"on two cores, {self.minutes}"
        )

    def report(self, result: dict[str, Any], workdir: str, run: Run | None) -> str:
        """What came out, where its pictures are, and how to use it."""
        network = result["cell"] if result["network"] == "recurrent" else result["network"]
        tested = "test split not read"
        if result["test_examples"]:
            number = f"{result['test_examples']:,}"
            tested = f"test accuracy {result['test_accuracy']:.2%}{self.also(result)} on {number}"
            if run is not None:
                self.draw(workdir, run, np.array(result["test_confusion"]))
        chosen = f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
        lines = [
            f"{result['dataset']}, {network}: {tested} (validation {result['validation_accuracy']:.2%}, "
            f"{chosen}) · {result['train_seconds']:.0f} s of training"
        ]
        left = [str(Path(workdir) / name) for name in (ANSWERS, *self.pictures)]
        if there := [name for name in left if Path(name).exists()]:
            lines.append(f"Its answers, and how early it knew them: {', '.join(there)}")
        elif result["test_examples"]:
            lines.append("For pictures of its answers: pip install matplotlib, and train another")
        return "\n".join([*lines, self.use(workdir)])

    def draw(self, workdir: str, run: Run, confusion: np.ndarray[Any, Any]) -> None:
        """Leaves the pictures in the directory of the run, where matplotlib is there to draw them."""
        if importlib.util.find_spec("matplotlib") is None:
            return
        from rnn_jax.reporting.answers import draw_answers

        opened = open_as(self.recipe, workdir, unroll="dynamic")
        shares = [(i + 1) / POINTS for i in range(POINTS)]
        found = accuracies_over_time(opened, cast("Bucketed", run.data.test), shares)
        names = run.data.preprocessor.answer_names()
        figures = {ANSWERS: draw_answers(confusion, names, shares, found)}
        figures |= {name: draw(opened, run) for name, draw in self.pictures.items()}
        for name, figure in figures.items():
            figure.savefig(Path(workdir) / name, dpi=100)
