"""Finds settings for the presets by random searches that never read the test split.

Round one draws settings at random from the space of a search (`searches.py`) and trains each once. Round two
trains the best of them, by the figure of the validation split that also chooses the best epoch, with seeds of
their own. Chosen is the best mean of round two alone, so that what round one owed to luck does not count.

A run trains in `runs/search/NAME/draw-NN/seed-N`, and is then recorded: a line of
`results/search/NAME.jsonl`. What is recorded is not run again, and a run that was stopped goes on.
`python -m experiments.make_tables` then makes the tables of the searches.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import tyro

from experiments import reproduce
from experiments.command_line import Place, parse, run
from experiments.recorded_runs import RecordedRun, run_missing
from experiments.searches import SEARCHES, Search
from rnn_jax.errors import RunError
from rnn_jax.reporting.trials import finalists, load_trials

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
            script=f"{search.script} {search.options} --no-test --log-every 1000 {settings} --seed {seed}",
            workdir=Path(options.runs) / options.name / draw / f"seed-{seed}",
            dataset=search.dataset,
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
