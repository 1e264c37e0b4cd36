"""Measures files of texts: how fast they are encoded, in how much memory, and how fast classified."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from experiments.command_line import Place, command_line, parse, run, run_all
from rnn_jax.durable import write_whole
from rnn_jax.measuring.text_files import measure_answers, measure_encoding, measure_scikit_learn, write_rows
from rnn_jax.reporting.text_files import load_text_files, text_files_table
from rnn_jax.settings import require
from rnn_jax.training.environment import origin


@dataclass(frozen=True)
class Options:
    """Measures how files of texts are encoded and classified; scikit-learn classifies the same texts."""

    output: Place
    """Directory of text_files.jsonl and of a table."""
    rows: int = 1_000_000
    """Rows of the file that is encoded: synthetic reviews, hardly any two of them alike."""
    classified: int = 20_000
    """Rows of the file that is classified."""


def main() -> int:
    """Measures, and writes the records and a table."""
    options = parse(Options)
    for name in ("rows", "classified"):
        require(getattr(options, name) >= 100, name, getattr(options, name), "must be 100 or more")
    console = Console(stderr=True)
    setting = origin(command_line("benchmark_text_files"), 1, ("scikit-learn", "pyarrow"))
    folder = Path(tempfile.mkdtemp())
    try:
        large, small = folder / "large.csv", folder / "small.csv"
        with console.status(f"writing {options.rows:,} rows"):
            write_rows(large, options.rows)
            write_rows(small, options.classified)
        with console.status("encoding them"):
            rows = [measure_encoding(large, folder / "cache")]
        places = f"--train {small} --workdir {folder / 'run'} --cache-dir {folder / 'cache'}"
        if code := run_all([f"python -m experiments.text_classification {places} --epochs 1 --no-test"]):
            return code
        with console.status("classifying"):
            rows.append(measure_answers(folder / "run", small, folder / "answers.csv"))
            rows.append(measure_scikit_learn(small, small))
    finally:
        shutil.rmtree(folder)
    place = Path(options.output)
    place.mkdir(parents=True, exist_ok=True)
    file = place / "text_files.jsonl"
    write_whole(file, "".join(json.dumps(row | setting) + "\n" for row in rows))
    table = text_files_table(load_text_files(file))
    (place / "text_files.md").write_text(table, encoding="utf-8")
    print(table, end="")
    return 0


if __name__ == "__main__":
    run(main)
