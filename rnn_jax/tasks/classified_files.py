"""Answers for the rows of a file: the same file with a label and a probability, written as it is read."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from rnn_jax.data.labelled_files import text_column_of
from rnn_jax.data.tables import OUTPUTS, ending, open_table
from rnn_jax.durable import whole_file
from rnn_jax.errors import UserError
from rnn_jax.tasks.predictor import Predictor

LABEL, PROBABILITY = "predicted_label", "predicted_probability"


class Files(NamedTuple):
    """What is read, and what is written.

    Attributes:
        input: a table.
        output: one of the same kind, with the same columns and more.
        text_column: of the text; "" for the obvious one.
        probabilities: whether each label has a column with its probability.
    """

    input: Path
    output: Path
    text_column: str = ""
    probabilities: bool = False


class Done(NamedTuple):
    """How much was written, and how long it took."""

    rows: int
    unread: int  # of them, without an answer
    seconds: float


def classify_rows(predictor: Predictor, files: Files, progress: Callable[[int], object]) -> Done:
    """Classifies all rows, some at a time; nothing is left behind where it fails.

    Args:
        predictor: a trained run.
        files: to read and to write.
        progress: is told how many rows are done.

    Raises:
        UserError: if a file cannot be read or written, has no text, or has a column of the new names already.
    """
    kind = ending(files.output)
    if files.input.is_dir():
        raise UserError(f"--input {files.input} is a folder: it takes a table in a file")
    table = open_table(files.input)
    if files.output.exists() and files.output.samefile(files.input):
        raise UserError(f"--output {files.output} is the input: name another file")
    if ending(files.input) != kind:
        raise UserError(
            f"--output {files.output} is of another kind than --input {files.input}: use one for both"
        )
    learnt_from = predictor.text_column if predictor.text_column in table.columns else ""
    column = text_column_of(table, files.text_column or learnt_from)
    new = [LABEL, PROBABILITY]
    new += [f"probability_{label}" for label in predictor.labels] if files.probabilities else []
    if taken := set(new) & set(table.columns):
        raise UserError(f"{files.input} has a column {taken.pop()!r} already: rename it")
    start, rows, unread = time.perf_counter(), 0, 0
    unfinished = files.output.with_name(files.output.name + ".unfinished")
    try:
        with whole_file(files.output, unfinished) as file:
            output = OUTPUTS[kind](file)
            try:
                for block in table.blocks():
                    more = _answers(predictor, block.column(column), new)
                    output.write(block, more)
                    rows, unread = rows + len(block), unread + more[LABEL].null_count
                    progress(rows)
            finally:
                output.close()
            if not rows:
                raise UserError(f"{files.input} has no rows below its header: nothing to classify")
    except OSError as error:
        raise UserError(f"--output {files.output} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Done(rows, unread, time.perf_counter() - start)


def _answers(predictor: Predictor, texts: list[Any], names: list[str]) -> dict[str, pa.Array]:
    """The new columns of some rows; null where a row has no answer."""
    answers = predictor.answers([text if isinstance(text, str) else "" for text in texts])
    labels: list[Any] = [answer.label for answer in answers]
    if predictor.integer_labels:
        labels = [None if label is None else int(label) for label in labels]
    columns = {
        LABEL: pa.array(labels, pa.int64() if predictor.integer_labels else pa.string()),
        PROBABILITY: pa.array([answer.probability for answer in answers], pa.float32()),
    }
    for number, name in enumerate(names[2:]):
        own = [answer.probabilities[number] if answer.probabilities else None for answer in answers]
        columns[name] = pa.array(own, pa.float32())
    return columns
