"""Classifies texts with the best checkpoint of a run."""

import json
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from experiments.command_line import Place, parse, run, write_file
from rnn_jax.errors import UserError
from rnn_jax.reporting.explanation import in_terminal, page
from rnn_jax.settings import require
from rnn_jax.tasks.classified_files import Files, classify_rows
from rnn_jax.tasks.predictor import Answer, Predictor
from rnn_jax.training.compilation import keep_compiled_programs


@dataclass(frozen=True)
class Options:
    """Says of each text which label it has, positive or negative for film reviews, and how probable that is.

    Without texts, reads one a line from standard input; LF or CRLF ends a line, and nothing else does.
    Every text has its answer, in its place; the answer to one without words is that it has none. Only where
    no text at all can be classified is that an error.
    """

    workdir: Place
    """Directory of the run."""
    texts: tyro.conf.Positional[tuple[str, ...]] = ()
    """Texts to classify."""
    input: Place | None = None
    """Classify the rows of this .csv, .tsv, .jsonl or .parquet file, for --output."""
    output: Place | None = None
    """Write them into this file, of the same kind, with their columns and predicted_label and
    predicted_probability."""
    text_column: str = ""
    """Column of --input with the text; by default the one that the run has learnt from, or that is called
    text, or the like."""
    probabilities: bool = False
    """Write the probability of each label, too."""
    json: bool = False
    """Print a JSON object a line: text, label, and probability of that label, with --probabilities of all.
    Where there is none, both are null and `reason` says why; `note` says that no word of a text is known."""
    explain: bool = False
    """Show which words moved each decision, by integrated gradients and by occlusion."""
    page: Place | None = None
    """Write that as a page of HTML into this file."""
    gates: Place | None = None
    """Draw the gates of the first layer over the first text into this PNG file."""


def read_texts() -> tuple[str, ...]:
    """The lines of standard input."""
    try:
        content = sys.stdin.buffer.read().decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError(f"standard input is not UTF-8 (byte {error.start}): convert it first") from error
    *lines, rest = re.split("\r?\n", content)  # `splitlines` would also cut at form feeds, U+2028 and more
    return tuple([*lines, rest] if rest else lines)


def main() -> None:
    """Prints a line a text."""
    options = parse(Options)
    if options.input or options.output:
        classify_file(options)
        return
    require(not options.text_column, "text_column", options.text_column, "goes with --input")
    texts = options.texts or read_texts()
    if not texts:
        raise UserError("no text to classify: give one as an argument, or one a line on standard input")
    for number, text in enumerate(texts, 1):  # before the seconds that loading takes
        if any("\udc80" <= character <= "\udcff" for character in text):  # how Python passes on odd bytes
            raise UserError(f"text {number} is not UTF-8: convert it first")
    if options.json and options.explain:
        raise UserError("--json prints nothing but JSON: use --page with it instead of --explain")
    if options.gates:
        check_gates(options.gates)
    keep_compiled_programs()
    predictor = Predictor(options.workdir)
    answers = predictor.answers(texts)
    readable = [text for text, answer in zip(texts, answers, strict=True) if answer.label is not None]
    gates = predictor.gates(readable[0]) if options.gates and readable else None  # first: there may be none
    console = Console(highlight=False)
    looks = []
    for text, answer in zip(texts, answers, strict=True):
        labels = predictor.labels if options.probabilities else ()
        print(in_json(text, answer, labels) if options.json else in_plain(text, answer, labels), flush=True)
        if answer.label is not None and (options.explain or options.page):
            looks.append(predictor.explain(text))
            if options.explain:
                console.print(in_terminal(looks[-1]))
    if not readable:
        which = "text 1" if len(texts) == 1 else f"none of the {len(texts):,} texts can be classified: text 1"
        raise UserError(f"{which} {answers[0].note}")
    if options.page:
        write_file(options.page, "--page", lambda file: file.write_text(page(looks), encoding="utf-8"))
    if options.gates and gates:
        draw(options.gates, *gates)


def classify_file(options: Options) -> None:
    """Classifies the rows of a file, and says how many, and how fast.

    Raises:
        UserError: if a file cannot be read or written, or options do not fit.
    """
    if not options.input or not options.output:
        raise UserError("--input and --output go together: name both files")
    if options.texts or options.json or options.explain or options.page or options.gates:
        raise UserError("--input takes no texts, --json, --explain, --page or --gates: leave them out")
    keep_compiled_programs()
    files = Files(Path(options.input), Path(options.output), options.text_column, options.probabilities)
    predictor = Predictor(options.workdir)
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows", total=None)
        done = classify_rows(predictor, files, lambda rows: bar.update(task, completed=rows))
    odd = f"{done.unread:,} of them without an answer"
    odd += f", {done.unknown:,} without a word that is known" * bool(done.unknown)
    print(f"{done.rows:,} rows written to {options.output}, {odd}, in {done.seconds:,.0f} s")


def in_plain(text: str, answer: Answer, labels: tuple[str, ...]) -> str:
    """An answer and its text as a line to read, with the probabilities of some labels."""
    if answer.label is None:
        return f"unclassified ({answer.note})  {text}"
    each = "".join(f" {name}={p:.1%}" for name, p in zip(labels, answer.probabilities, strict=False))
    note = f" ({answer.note})" if answer.note else ""
    return f"{answer.label} {answer.probability:.1%}{note}{each and f' [{each[1:]}]'}  {text}"


def in_json(text: str, answer: Answer, labels: tuple[str, ...]) -> str:
    """An answer and its text as a line of JSON, with the probabilities of some labels."""
    if answer.probability is None:
        return json.dumps({"text": text, "label": None, "probability": None, "reason": answer.note})
    own: dict[str, Any] = {
        "text": text,
        "label": answer.label,
        "probability": round(answer.probability, 6),
    }
    if labels:
        rounded = (round(p, 6) for p in answer.probabilities)
        own["probabilities"] = dict(zip(labels, rounded, strict=True))
    return json.dumps(own | ({"note": answer.note} if answer.note else {}))


def check_gates(name: str) -> None:
    """Raises UserError if gates cannot be drawn into a file."""
    if find_spec("matplotlib") is None:
        raise UserError("--gates needs matplotlib: pip install matplotlib")
    if not name.endswith(".png"):
        raise UserError(f"--gates {name}: name a file that ends in .png")


def draw(name: str, words: list[str], gates: dict[str, NDArray[np.float32]]) -> None:
    """Draws the heat map of the gates."""
    from rnn_jax.reporting.gate_map import draw_gates

    write_file(name, "--gates", lambda file: draw_gates(words, gates).savefig(file, dpi=110))


if __name__ == "__main__":
    run(main, end_with_reader=True)
