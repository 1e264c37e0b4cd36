"""Classifies texts with the best checkpoint of a run."""

import json
import sys
from dataclasses import dataclass

import tyro

from experiments.command_line import parse, run
from rnn_jax.errors import UserError
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.prediction import Predictor, check_text


@dataclass(frozen=True)
class Options:
    """Says of each text whether it is positive or negative, and how probable that is.

    Without texts, reads one a line from standard input.
    """

    workdir: str
    """Directory of the run."""
    texts: tyro.conf.Positional[tuple[str, ...]] = ()
    """Reviews."""
    json: bool = False
    """Print a JSON object a line: text, label, and probability of that label."""


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
    keep_compiled_programs()
    for text, positive in zip(texts, Predictor(options.workdir)(texts), strict=True):
        label = "positive" if positive > 0.5 else "negative"
        probability = float(max(positive, 1 - positive))
        if options.json:
            print(json.dumps({"text": text, "label": label, "probability": round(probability, 6)}))
        else:
            print(f"{label} {probability:.1%}  {text}")


if __name__ == "__main__":
    run(main)
