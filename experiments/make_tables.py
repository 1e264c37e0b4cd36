"""Makes the tables and plots of `results/`, and of the README, from the recorded runs."""

import re
from dataclasses import dataclass
from pathlib import Path

from experiments.command_line import parse, run
from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import Row, group_rows, load_runs
from rnn_jax.reporting.tables import commands, results_table

ROOT = Path(__file__).parent.parent
MARKED = re.compile(r"(<!-- table:imdb -->\n).*?(<!-- /table -->)", re.DOTALL)
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
    for page in PAGES:
        if (root / page).exists():
            before = (root / page).read_text(encoding="utf-8")
            texts[root / page] = MARKED.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", before)
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
    figures = {root / "results/plots/test_accuracy.png": (plots.test_accuracies, rows)}
    for platform in {row.platform for row in rows}:
        own = [row for row in rows if row.platform == platform]
        figures[root / f"results/plots/training_{platform}.png"] = (plots.training_curves, own)

    stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    stale += [path for path, (_, shown) in figures.items() if not plots.shows(path, shown)]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(root)} is not what the recorded runs give: run make tables")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path in texts:
            path.write_text(texts[path], encoding="utf-8")
        else:
            draw, shown = figures[path]
            plots.save(draw(shown), path, shown)
        print(f"wrote {path.relative_to(root)}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    run(main)
