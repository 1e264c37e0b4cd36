"""Trains a classifier on labelled texts of one's own, or of a TFDS data set, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import tyro

from experiments import classification
from experiments.command_line import run
from experiments.presets import PRESETS as REVIEWS
from experiments.training import Script, TrainingOptions, read_options, train
from rnn_jax.data.labelled_settings import PARTS
from rnn_jax.places import local
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks.labelled_texts import RECIPE, Settings
from rnn_jax.training.loop import Run

SHOWN = 12  # labels that are named
OWN = to_flat(Settings())
# Those for film reviews, but for which reviews they read.
PRESETS: dict[str, Settings] = {
    name: with_flat(Settings(), **{k: v for k, v in to_flat(settings).items() if k in OWN and k != "dataset"})
    for name, settings in REVIEWS.items()
    if not settings.text.unlabelled  # which films have alone
}

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(TrainingOptions):
    """Trains a classifier on labelled texts, and evaluates it on those that are held out for testing.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = "lstm"
    """Settings to start from, which were found for film reviews; the options below change them."""
    read_test: Annotated[bool, tyro.conf.arg(name="test"), tyro.conf.FlagCreatePairsOff] = True
    """Do not read the test split in the end, while searching for settings."""


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, an answer, how to use it, and what may be wrong."""
    said = classification.report(result, workdir, run, "texts", '"…"')
    if never := result.get("test_never_answered"):
        said = f"never answered: {', '.join(map(str, never[:SHOWN]))}{' …' * (len(never) > SHOWN)}\n{said}"
    validated = any(name.startswith("validation_") and value is not None for name, value in result.items())
    if validated and result["best_epoch"] == result["epochs_run"]:
        said = f"the last epoch was the best: more --epochs may do better\n{said}"
    return said


def with_whole_paths(settings: Settings) -> Settings:
    """The settings to be recorded: a run is evaluated, and goes on, from wherever that is asked for."""
    named = {part: name for part in PARTS if (name := getattr(settings.text, part))}
    return with_flat(settings, **{part: os.path.abspath(local(name)) for part, name in named.items()})


def main() -> int:
    """Trains, or reports what was trained."""
    options = read_options(Options, PRESETS, "lstm")
    settings = with_whole_paths(options.settings)
    script = Script("text_classification", RECIPE, lambda _: settings, classification.plan, report)
    return train(script, options)


if __name__ == "__main__":
    run(main)
