"""Classifies texts with the best checkpoint of a run."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console

from experiments.command_line import Place, parse, run
from rnn_jax.errors import UserError
from rnn_jax.reporting.explanation import in_terminal, page
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.prediction import Predictor, check_text


@dataclass(frozen=True)
class Options:
    """Says of each text whether it is positive or negative, and how probable that is.

    Without texts, reads one a line from standard input.
    """

    workdir: Place
    """Directory of the run."""
    texts: tyro.conf.Positional[tuple[str, ...]] = ()
    """Reviews."""
    json: bool = False
    """Print a JSON object a line: text, label, and probability of that label."""
    explain: bool = False
    """Show which words moved each decision, by integrated gradients and by occlusion."""
    page: Place | None = None
    """Write that as a page of HTML into this file."""
    gates: Place | None = None
    """Draw the gates of the first layer over the first text into this PNG file."""


def read_texts() -> tuple[str, ...]:
    """The lines of standard input."""
    try:
        return tuple(sys.stdin.buffer.read().decode("utf-8").splitlines())
    except UnicodeDecodeError as error:
        raise UserError(f"standard input is not UTF-8 (byte {error.start}): convert it first") from error


def main() -> None:
    """Prints a line a text."""
    options = parse(Options)
    texts = options.texts or read_texts()
    if not texts:
        raise UserError("no text to classify: give one as an argument, or one a line on standard input")
    for number, text in enumerate(texts, 1):  # before the seconds that loading takes
        if any("\udc80" <= character <= "\udcff" for character in text):  # how Python passes on odd bytes
            raise UserError(f"text {number} is not UTF-8: convert it first")
        check_text(text, number)
    if options.json and options.explain:
        raise UserError("--json prints nothing but JSON: use --page with it instead of --explain")
    if options.gates:
        check_gates(options.gates)
    keep_compiled_programs()
    predictor = Predictor(options.workdir)
    gates = predictor.gates(texts[0]) if options.gates else None  # first, since there may be none
    console = Console(highlight=False)
    looks = []
    for text, positive in zip(texts, predictor(texts), strict=True):
        label = "positive" if positive > 0.5 else "negative"
        probability = float(max(positive, 1 - positive))
        if options.json:
            print(json.dumps({"text": text, "label": label, "probability": round(probability, 6)}))
        else:
            print(f"{label} {probability:.1%}  {text}", flush=True)
        if options.explain or options.page:
            looks.append(predictor.explain(text))
        if options.explain:
            console.print(in_terminal(looks[-1]))
    if options.page:
        write(options.page, "--page", lambda file: file.write_text(page(looks), encoding="utf-8"))
    if options.gates and gates:
        draw(options.gates, *gates)


def write(name: str, option: str, save: Callable[[Path], object]) -> None:
    """Writes a file that an option names."""
    try:
        save(Path(name))
    except OSError as error:
        raise UserError(f"{option} {name} cannot be written: {error.strerror}") from error
    print(f"wrote {name}", file=sys.stderr)


def check_gates(name: str) -> None:
    """Raises UserError if gates cannot be drawn into a file."""
    if find_spec("matplotlib") is None:
        raise UserError("--gates needs matplotlib: pip install 'rnn-jax[plots]'")
    if not name.endswith(".png"):
        raise UserError(f"--gates {name}: name a file that ends in .png")


def draw(name: str, words: list[str], gates: dict[str, NDArray[np.float32]]) -> None:
    """Draws the heat map of the gates."""
    from rnn_jax.reporting.gate_map import draw_gates

    write(name, "--gates", lambda file: draw_gates(words, gates).savefig(file, dpi=110))


if __name__ == "__main__":
    run(main, end_with_reader=True)
