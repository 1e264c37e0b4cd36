"""What a language model is worth to a classifier of reviews: over labelled reviews, and over its own epochs.

`labels` trains classifiers on 100 to all labelled reviews, from the weights of the language model `reviews`
and from drawn ones, and tests each run once. `epochs` trains language models for more and more epochs, each
with a schedule of its own, and a classifier from each, judged on the validation reviews. Classifiers do not
read unlabelled reviews themselves: those from a language model have the preset `semi_supervised` with
adversarial training in place of virtual, the others the preset `best`. The best epoch is chosen on the 2,500
validation reviews, whose labels do not count among the labelled ones.

A run trains in `runs/pretraining`, and is then recorded in `results/pretraining/PLATFORM`. What is recorded
is not run again, and a run that was stopped goes on. `python -m experiments.make_tables` then makes tables
and plots.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jax

from experiments import reproduce
from experiments.command_line import Place, parse, run
from experiments.presets import LABELLED_ALONE
from experiments.recorded_runs import RecordedRun, commands, run_missing

# Labelled reviews, and epochs: few reviews make few steps.
LABELS: dict[int | None, int] = {100: 40, 300: 30, 1_000: 15, 3_000: 8, 10_000: 5, None: 4}
EPOCHS = (1, 2)  # of language models, beside those of the preset
SEEDS = (0, 1, 2)
PRETRAINED = f"--preset semi_supervised {LABELLED_ALONE}"
DRAWN = "--preset best"


@dataclass(frozen=True)
class Options:
    """What a language model is worth to a classifier of reviews."""

    what: tuple[Literal["labels", "epochs"], ...] = ("labels", "epochs")
    """Over the number of labelled reviews, over the epochs of the language model."""
    seeds: tuple[int, ...] = SEEDS
    """A classifier of each kind with each."""
    records: Place = "results/pretraining"
    """Folder of the records."""
    runs: Place = "runs/pretraining"
    """Folder of the runs' directories."""
    language_models: Place = "runs/raw"
    """Where `experiments.reproduce` has run the language model `reviews`, or will."""
    dry_run: bool = False
    """Print the commands instead of running them."""


def labels(options: Options) -> list[RecordedRun]:
    """Classifiers on few and many labelled reviews, one seed after the other."""
    model = language_model(options, None)
    return [
        classifier(
            options,
            "labels",
            f"{'with' if needed else 'without'}-{examples or 'all'}",
            seed,
            f"--epochs {epochs}" + (f" --train-examples {examples}" if examples else ""),
            needed,
        )
        for seed in options.seeds
        for examples, epochs in LABELS.items()
        for needed in (model, None)
    ]


def epochs(options: Options) -> list[RecordedRun]:
    """Classifiers from language models of few and many epochs, one seed after the other."""
    models = {f"{count}-epochs": language_model(options, count) for count in EPOCHS}
    models["whole"] = language_model(options, None)
    return [
        classifier(options, "epochs", name, seed, "--no-test", model)
        for seed in options.seeds
        for name, model in models.items()
    ]


def language_model(options: Options, count: int | None) -> RecordedRun:
    """The language model `reviews`, or one that is trained for fewer epochs."""
    chosen = reproduce.Options(runs=options.language_models)
    whole = reproduce.run_of(chosen, "reviews", reproduce.ROWS["reviews"].seeds[0])
    if count is None:
        return whole
    name = f"reviews-{count}"
    return whole._replace(
        file=records_of(options, "language_models"),
        name=name,
        script=f"{whole.script} --epochs {count}",
        workdir=Path(options.runs) / platform() / name,
    )


def classifier(
    options: Options, what: str, name: str, seed: int, changes: str, needed: RecordedRun | None
) -> RecordedRun:
    """A classifier that starts from a language model, or from drawn weights."""
    settings = f"{PRETRAINED if needed else DRAWN} {changes}"
    return RecordedRun(
        file=records_of(options, what),
        name=name,
        seed=seed,
        script=f"imdb_sentiment {settings} --log-every 1000 --seed {seed}",
        workdir=Path(options.runs) / platform() / what / name / f"seed-{seed}",
        needs=needed,
    )


def records_of(options: Options, what: str) -> Path:
    """The file with the records."""
    return Path(options.records) / platform() / f"{what}.jsonl"


def platform() -> str:
    """That of this machine."""
    return jax.default_backend()


KINDS = {"labels": labels, "epochs": epochs}


def main() -> int:
    """Runs what is missing."""
    options = parse(Options)
    runs = [each for what in options.what for each in KINDS[what](options)]
    if options.dry_run:
        print(*commands(runs), sep="\n")
        return 0
    return run_missing(runs)


if __name__ == "__main__":
    run(main)
