"""Makes the tables and plots of `results/`, and of the README, from the recorded runs."""

import re
from dataclasses import dataclass
from pathlib import Path

from experiments.command_line import parse, run
from experiments.search import FIRST_SEEDS, SECOND_SEEDS
from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import Row, group_rows, load_runs
from rnn_jax.reporting.tables import commands, results_table
from rnn_jax.reporting.trials import load_trials, search_table

ROOT = Path(__file__).parent.parent
MARK = "<!-- table:imdb -->"
MARKED = re.compile(rf"({MARK}\n).*?(<!-- /table -->)", re.DOTALL)
PAGES = ("README.md", "results/README.md")  # which show the table between marks


@dataclass(frozen=True)
class Options:
    """Makes the tables and plots of `results/`, and of the README, from the recorded runs."""

    check: bool = False
    """Write nothing, and exit with 1 where a file differs from what would be written."""
    root: str = str(ROOT)
    """The project: its README.md, and results/ with raw/ in it."""


def make_texts(root: Path, rows: list[Row]) -> dict[Path, str]:
    """What every generated text file should hold."""
    table = results_table(rows)
    texts = {root / "results/tables/imdb.md": f"{table}\n{commands(rows)}"}
    if trials := load_trials(root / "results/search"):
        texts[root / "results/tables/search.md"] = search_table(trials, (FIRST_SEEDS, SECOND_SEEDS))
    for page in filter(Path.exists, (root / name for name in PAGES)):
        before = page.read_text(encoding="utf-8")
        texts[page], filled = MARKED.subn(lambda marks: f"{marks[1]}{table}{marks[2]}", before)
        if filled < before.count(MARK):  # it would never be filled, and nobody would notice
            raise UserError(f"{page}: the table that {MARK} begins has no end: add <!-- /table --> below it")
    return texts


def main() -> int:
    """Writes, or compares."""
    options = parse(Options)
    try:
        from rnn_jax.reporting import plots
    except ModuleNotFoundError as error:
        raise UserError(f"plots need {error.name}: pip install 'rnn-jax[plots]'") from error

    root = Path(options.root)
    rows = group_rows(load_runs(root / "results/raw"))
    if not rows:
        raise UserError(f"{root / 'results/raw'} holds no finished run: python -m experiments.reproduce")
    texts = make_texts(root, rows)
    pictures = {root / "results/plots" / name: picture for name, picture in plots.pictures(rows).items()}

    stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    stale += [path for path, picture in pictures.items() if not picture.is_in(path)]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(root)} is not what the recorded runs give: run make tables")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path in texts:
            path.write_text(texts[path], encoding="utf-8")
        else:
            pictures[path].save(path)
        print(f"wrote {path.relative_to(root)}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    run(main)
