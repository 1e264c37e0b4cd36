"""Finds settings for the presets by random searches that never read the test split.

Round one draws settings at random from the space of a search and trains each once. Round two trains the best
of them, by validation accuracy, with seeds of their own. Chosen is the highest mean validation accuracy of
round two alone, so that what round one owed to luck does not count.

A run trains in `runs/search/NAME/draw-NN/seed-N`, and is then recorded: a line of
`results/search/NAME.jsonl`. What is recorded is not run again, and a run that was stopped goes on.
`python -m experiments.make_tables` then makes the tables of the searches.
"""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import tyro

from experiments import reproduce
from experiments.command_line import Place, parse, run
from experiments.recorded_runs import RecordedRun, run_missing
from rnn_jax.errors import RunError
from rnn_jax.reporting.trials import finalists, load_trials

Space = dict[str, tuple[int | float | str, ...]]  # what each option may be, with a flag or without


class Search(NamedTuple):
    """What is searched."""

    options: str  # the same for all draws
    space: Space
    draws: int
    finalists: int
    seconds: float = inf  # the longest training, counting of n-grams included, that may be chosen
    needs: str | None = None  # the row of `experiments.reproduce` whose weights all start from


BEST = (
    "--preset lstm --bidirectional --pooling mean_max --log-count-ratios 5 --vocabulary-size 30000 "
    "--max-length 1000"
)

SEARCHES: dict[str, Search] = {
    # The introductory recipe. It fixes 10,000 words, the last 500 tokens, one layer of 32, batches of 128.
    "lstm": Search(
        "--preset lstm",
        {
            "embedding-size": (32, 64),
            "pooling": ("mean", "max"),
            "word-dropout": (0.0, 0.1, 0.2, 0.3, 0.4),
            "embedding-dropout": (0.0, 0.3, 0.5),
            "dropout": (0.0, 0.3, 0.5),
            "learning-rate": (2e-3, 5e-3, 1e-2),
            "average-decay": (0.0, 0.99, 0.995, 0.998),
            "epochs": (4, 6, 8),
        },
        draws=24,
        finalists=4,
    ),
    # The most accurate network: whatever helps, with labelled reviews alone.
    "best": Search(
        BEST,
        {
            "cell": ("lstm", "gru", "mingru", "qrnn"),
            "hidden-size": (32, 64),
            "embedding-size": (32, 64),
            "adversarial": (1.0, 2.0, 3.0),
            "word-dropout": (0.1, 0.3, 0.5),
            "embedding-dropout": (0.0, 0.3, 0.5),
            "dropout": (0.3, 0.5),
            "learning-rate": (3e-3, 5e-3),
            "epochs": (3, 4, 5),
        },
        draws=12,
        finalists=3,
    ),
    # Around the draw of the search before with the lowest validation loss, a GRU: a step of it takes half as
    # long as a QRNN's on a CPU. Its log-count ratios are for two smoothings; before, they were for one.
    "closer": Search(
        f"{BEST} --cell gru",
        {
            "hidden-size": (32, 64),
            "embedding-size": (32, 64),
            "adversarial": (1.0, 2.0, 3.0, 5.0),
            "word-dropout": (0.0, 0.1, 0.2),
            "embedding-dropout": (0.3, 0.5),
            "dropout": (0.3, 0.5),
            "learning-rate": (2e-3, 3e-3, 5e-3),
            "epochs": (3, 4),
        },
        draws=7,
        finalists=2,
    ),
    # What a minute on two cores is enough for: log-count ratios, a small network, few epochs. The choice is
    # then trained on a tenth more reviews, hence the tenth of a minute that is left.
    "minute": Search(
        "--preset lstm --log-count-ratios 5 --vocabulary-size 30000 --pooling mean_max",
        {
            "cell": ("gru", "mingru", "mingru --bidirectional"),
            "hidden-size": (16, 32),
            "embedding-size": (16, 32),
            "max-length": (300, 500, 1000),
            "buckets": (2, 4),
            "adversarial": (0.0, 5.0),
            "word-dropout": (0.1, 0.2),
            "embedding-dropout": (0.0, 0.3),
            "dropout": (0.3, 0.5),
            "learning-rate": (5e-3, 1e-2),
            "epochs": (2, 3, 4),
        },
        draws=16,
        finalists=3,
        seconds=54,
    ),
    # The same minute for what mattered on validation reviews in the ablation of the most accurate network: a
    # GRU, and both directions; adversarial training and the words before the last 300 mattered little. Its
    # choice was tried and not kept (results/README.md): most of its runs were best before their last epoch.
    "minute_gru": Search(
        "--preset lstm --log-count-ratios 5 --vocabulary-size 30000 --pooling mean_max --cell gru "
        "--bidirectional --embedding-dropout 0",
        {
            "hidden-size": (16, 32),
            "embedding-size": (16, 32, 64),
            "max-length": (200, 300, 400),
            "buckets": (1, 2),
            "word-dropout": (0.0, 0.1, 0.2),
            "dropout": (0.3, 0.5),
            "learning-rate": (5e-3, 1e-2),
            "epochs": (2, 3),
        },
        draws=10,
        finalists=3,
        seconds=54,
    ),
    # The networks to compare with, with settings of their own for the introductory recipe.
    "text_cnn": Search(
        "--preset lstm --network cnn",
        {
            "hidden-size": (32, 64, 100),
            "embedding-size": (32, 64),
            "word-dropout": (0.0, 0.1, 0.2, 0.3),
            "embedding-dropout": (0.0, 0.3, 0.5),
            "dropout": (0.3, 0.5),
            "learning-rate": (1e-3, 2e-3, 5e-3),
            "epochs": (4, 6, 8),
        },
        draws=12,
        finalists=3,
    ),
    "fasttext": Search(
        "--preset lstm --network bag --pair-buckets 100000",
        {
            "embedding-size": (16, 32, 64),
            "word-dropout": (0.0, 0.1, 0.3),
            "embedding-dropout": (0.0, 0.3),
            "dropout": (0.0, 0.3, 0.5),
            "learning-rate": (2e-3, 5e-3, 1e-2, 2e-2),
            "epochs": (4, 6, 8),
        },
        draws=8,
        finalists=2,
    ),
    # From the language model `reviews`: how fast to move away from it, and how much noise.
    "semi_supervised": Search(
        "--preset semi_supervised",
        {
            "learning-rate": (2e-3, 5e-3),
            "pretrained-rate": (0.3, 0.5, 1.0),
            "word-dropout": (0.0, 0.1, 0.2),
            "dropout": (0.3, 0.5),
            "virtual-adversarial": (1.0, 2.0, 3.0),
            "epochs": (2, 3, 4),
        },
        draws=6,
        finalists=2,
        needs="reviews",
    ),
}
FIRST_SEEDS = (0,)
SECOND_SEEDS = (1, 2, 3)

if TYPE_CHECKING:
    SearchName: TypeAlias = str
else:
    SearchName = Literal[tuple(SEARCHES)]


@dataclass(frozen=True)
class Options:
    """Finds settings for the presets by a random search that never reads the test split."""

    name: tyro.conf.Positional[SearchName]
    """What is searched."""
    records: Place = "results/search"
    """Folder of the records."""
    runs: Place = "runs/search"
    """Folder of the runs' directories."""
    dry_run: bool = False
    """Print the commands of round one instead of running them."""


def draw_settings(search: Search) -> dict[str, str]:
    """The name of each draw, and its options. The same on every machine."""
    rng = np.random.default_rng(0)
    return {
        f"draw-{number:02}": " ".join(
            f"--{name} {choices[rng.integers(len(choices))]}" for name, choices in search.space.items()
        )
        for number in range(search.draws)
    }


def runs_of(options: Options, draws: dict[str, str], seeds: tuple[int, ...]) -> list[RecordedRun]:
    """All runs of one round, recorded or not."""
    search = SEARCHES[options.name]
    needed = reproduce.run_of(reproduce.Options(), search.needs, 0) if search.needs else None
    return [
        RecordedRun(
            file=records_of(options),
            name=draw,
            seed=seed,
            script=f"imdb_sentiment {search.options} --no-test --log-every 1000 {settings} --seed {seed}",
            workdir=Path(options.runs) / options.name / draw / f"seed-{seed}",
            needs=needed,
        )
        for draw, settings in draws.items()
        for seed in seeds
    ]


def records_of(options: Options) -> Path:
    """The file with the records of the search."""
    return Path(options.records) / f"{options.name}.jsonl"


def main() -> int:
    """Round one, then round two, then the choice."""
    options = parse(Options)
    search, records = SEARCHES[options.name], records_of(options)
    draws = draw_settings(search)
    first = runs_of(options, draws, FIRST_SEEDS)
    if options.dry_run:
        print(*(each.command for each in first), sep="\n")
        return 0
    if code := run_missing(first):
        return code
    best = finalists(load_trials(records), FIRST_SEEDS, search.finalists, search.seconds)
    if code := run_missing(runs_of(options, {draw: draws[draw] for draw in best}, SECOND_SEEDS)):
        return code
    chosen = finalists(load_trials(records), SECOND_SEEDS, 1, search.seconds)
    if not chosen:
        raise RunError(f"no setting took less than {search.seconds:.0f} s here: there is none to choose")
    print(f"chosen: {chosen[0]} {draws[chosen[0]]}")
    return 0


if __name__ == "__main__":
    run(main)
