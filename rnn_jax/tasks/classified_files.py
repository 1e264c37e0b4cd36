"""Answers for the rows of a file: the same file with a label and a probability, written as it is read."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnn_jax.data.label_types import column_of
from rnn_jax.data.labelled_files import columns_of, rows_of, text_column_of
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.labelled_splits import SHOWN
from rnn_jax.data.tables import OUTPUTS, UTF8_MARK, Table, ending, has_mark, open_table
from rnn_jax.durable import whole_file
from rnn_jax.errors import UserError
from rnn_jax.tasks.predictor import NO_KNOWN_WORD, Answer, Predictor

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
    unknown: int  # of them, without a known word
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
    column = text_column_of(table, files.text_column or _learnt_from(predictor, table))
    new = [LABEL, PROBABILITY]
    new += [f"probability_{label}" for label in predictor.labels] if files.probabilities else []
    if taken := set(new) & set(table.columns):
        raise UserError(f"{files.input} has a column {taken.pop()!r} already: rename it")
    start, rows, unread, unknown = time.perf_counter(), 0, 0, 0
    unfinished = files.output.with_name(files.output.name + ".unfinished")
    try:
        with whole_file(files.output, unfinished) as file:
            if has_mark(files.input):  # without which some programs take the file for another encoding
                file.write(UTF8_MARK)
            output = OUTPUTS[kind](file)
            try:
                for block in table.blocks():
                    texts = [text if isinstance(text, str) else "" for text in block.column(column)]
                    answers = predictor.answers(texts)
                    output.write(block, _columns(answers, new, predictor.label_type))
                    rows += len(block)
                    unread += sum(answer.label is None for answer in answers)
                    unknown += sum(answer.note == NO_KNOWN_WORD for answer in answers)
                    progress(rows)
            finally:
                output.close()
            if not rows:
                raise UserError(f"{files.input} has no rows below its header: nothing to classify")
    except OSError as error:
        raise UserError(f"--output {files.output} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Done(rows, unread, unknown, time.perf_counter() - start)


def _learnt_from(predictor: Predictor, table: Table) -> str:
    """The column that a run has learnt from, where a table has it; else ""."""
    return predictor.text_column if predictor.text_column in table.columns else ""


def with_text_column(settings: LabelledSettings, predictor: Predictor) -> LabelledSettings:
    """The settings of a table to test on, with the column that a run has learnt from by default."""
    name = settings.text_column or _learnt_from(predictor, open_table(settings.test))
    return replace(settings, text_column=name)


class Assessed(NamedTuple):
    """The answers to the rows of a table that have a label and words, `[N]` of them."""

    probabilities: NDArray[np.float32]  # [N, K]
    labels: NDArray[np.int64]  # [N], by number
    rows: NDArray[np.int64]  # [N], which of the table, from 1 on
    left_out: int  # other rows


def assess_rows(predictor: Predictor, settings: LabelledSettings) -> Assessed:
    """Answers the rows of a table with labels.

    Args:
        predictor: a trained run.
        settings: name the table, as that to test on, and its columns, which are found where they are obvious.

    Raises:
        UserError: if it cannot be read, has no such column, no row with a label and words, or a label that
            the network does not know.
    """
    table = open_table(settings.test)
    columns = columns_of(table, settings)
    number = {label: k for k, label in enumerate(predictor.labels)}
    probabilities, labels, rows, read = [np.zeros((0, len(number)), np.float32)], [], [], 0
    for block in table.blocks(columns):
        own = rows_of(block, columns, PARTS.index("test"), table.path, read)
        for row, label in enumerate(own.labels, read + 1):
            if label is not None and label not in number:
                known = ", ".join(map(repr, predictor.labels[:SHOWN]))
                raise UserError(f"{table.path} has the label {label!r} in row {row}; the run knows {known}")
        answers = predictor.answers(own.texts)
        kept = [k for k, answer in enumerate(answers) if answer.probabilities and own.labels[k] is not None]
        probabilities += [np.array([answers[k].probabilities for k in kept], np.float32)] * bool(kept)
        labels += [number[str(own.labels[k])] for k in kept]
        rows += [read + k + 1 for k in kept]
        read += len(block)
    if not rows:
        raise UserError(f"{table.path} has no row with a label and words")
    found = np.concatenate(probabilities)
    return Assessed(found, np.array(labels), np.array(rows), read - len(rows))


def _columns(answers: list[Answer], names: list[str], label_type: str) -> dict[str, pa.Array]:
    """The new columns of some rows; null where a row has no answer."""
    columns = {
        LABEL: column_of([answer.label for answer in answers], label_type),
        PROBABILITY: pa.array([answer.probability for answer in answers], pa.float32()),
    }
    for number, name in enumerate(names[2:]):
        own = [answer.probabilities[number] if answer.probabilities else None for answer in answers]
        columns[name] = pa.array(own, pa.float32())
    return columns
