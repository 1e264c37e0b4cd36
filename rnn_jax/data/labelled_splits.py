"""Which split a labelled row belongs to, and what is odd about the rows, said before training.

Rows without a label, and without a word, are left out. A text that occurs several times lies in one split
alone, also where splits are files of their own: the test's first, then the validation's. Where there is no
such file, a tenth of the rows of each label is held out, the same in all runs.
"""

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.encoded_reviews import SPLIT_SEED, VALIDATION_FRACTION
from rnn_jax.data.encoded_tables import EncodedRows
from rnn_jax.data.examples import NO_LABEL
from rnn_jax.data.label_types import is_integer
from rnn_jax.data.labelled_settings import PARTS
from rnn_jax.errors import UserError

MOST_LABELS = 1_000
SHOWN = 12  # labels that are named

log = logging.getLogger(__name__)


class Splits(NamedTuple):
    """Which of N rows is in which split, and its label."""

    labels: tuple[str, ...]  # by number
    numbers: NDArray[np.int32]  # [N], of the row's label
    parts: NDArray[np.integer]  # [N], an index into `PARTS`; -1 for what is left out
    groups: NDArray[np.int64]  # [N], the same for rows of the same words

    def chosen(self, part: str) -> NDArray[np.int64]:
        """The rows of a split."""
        return np.flatnonzero(self.parts == PARTS.index(part))


def split_rows(name: str, rows: EncodedRows, refit: bool) -> Splits:
    """Looks the rows over, says what it finds, and puts each into its split.

    Args:
        name: of all, for people.
        rows: of which each knows the file that it is from.
        refit: whether what would be held out to validate on is trained on.

    Raises:
        UserError: if there are fewer than two labels, or far too many; if a file has a label that is not
            trained on; or if there are too few rows to hold some out.
    """
    used = (rows.labels != NO_LABEL) & (rows.lengths > 0)
    parts = np.where(used, rows.parts, -1)
    labels, numbers = _labels(rows, parts)
    _say(name, rows, labels, numbers, used)
    _say_repeated(rows, numbers, used)
    _, groups = np.unique(rows.keys, return_inverse=True)
    _leave_out_copies(parts, groups)
    for number, part in enumerate(PARTS):
        if (rows.parts == number).any() and not (parts == number).any():
            raise UserError(
                f"no row of the {part} split can be used: all lack a label or words, or repeat a text of "
                "a split that comes first (the test's, then the validation's)"
            )
    if refit:
        parts[parts == PARTS.index("validation")] = 0
    parts = _hold_out(parts, groups, numbers, refit)
    if len(np.unique(numbers[parts == 0])) < 2:
        raise UserError(f"{name}: fewer than two labels are left to train on, without what other splits hold")
    return Splits(labels, numbers, parts, groups)


def _labels(rows: EncodedRows, part: NDArray[np.integer]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The labels that are trained on, in order, and the number of each row's, `[N]`.

    Raises:
        UserError: if there is one label, far too many, or a split has another.
    """
    trained = np.unique(rows.labels[part == 0])
    names = sorted((rows.label_names[label] for label in trained), key=_order)
    if len(names) < 2:
        has = f"has the label {names[0]!r} alone" if names else "has no text with a label"
        raise UserError(f"the training file {has}: two labels or more are needed")
    if len(names) > MOST_LABELS:
        raise UserError(
            f"the training file has {len(names):,} labels, {names[0]!r} and {names[1]!r} among them: "
            f"at most {MOST_LABELS:,} are learnt; is that the right --label-column?"
        )
    position = {name: number for number, name in enumerate(names)}
    number_of = np.array([position.get(name, NO_LABEL) for name in rows.label_names], np.int32)
    numbers = np.where(part >= 0, number_of[rows.labels], NO_LABEL).astype(np.int32)
    for own in (1, 2):
        new = np.flatnonzero((part == own) & (numbers == NO_LABEL))
        if len(new):
            label = rows.label_names[rows.labels[new[0]]]
            row = rows.numbers[new[0]]
            raise UserError(
                f"the {PARTS[own]} file has the label {label!r} in row {row}, which the training file has "
                f"not: there it is one of {', '.join(map(repr, names[:SHOWN]))}"
            )
    return tuple(names), numbers


def _order(name: str) -> tuple[int, int, str]:
    """Integers by their value, before all others by alphabet."""
    return (0, int(name), name) if is_integer(name) else (1, 0, name)


def _say(
    name: str, rows: EncodedRows, labels: tuple[str, ...], numbers: NDArray[np.int32], used: NDArray[np.bool_]
) -> None:
    """What there is, and what is odd about it."""
    for part, split in enumerate(PARTS):
        if number := int((rows.parts == part).sum()):
            counted = list(zip(labels, _count(rows, numbers, used, part, len(labels)), strict=True))
            shown = ", ".join(f"{label}: {count:,}" for label, count in counted[:SHOWN])
            more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
            which = f"{name}: {number:,} rows; {len(labels)} labels" if part == 0 else split
            log.info("%s: %s%s", which, shown, more)
    counts = _count(rows, numbers, used, 0, len(labels))
    alike: dict[str, list[str]] = {}
    for label in labels:
        alike.setdefault(label.casefold(), []).append(label)
    for own in (own for own in alike.values() if len(own) > 1):
        log.info("%s differ in capitals alone: they are labels of their own", " and ".join(own))
    for what, odd in (
        ("have no label", rows.labels == NO_LABEL),
        ("have no words", (rows.labels != NO_LABEL) & (rows.lengths == 0)),
    ):
        if odd.any():
            log.info("%s rows %s: left out", f"{odd.sum():,}", what)
    if counts.max() >= 10 * counts.min():
        least, most = labels[counts.argmin()], labels[counts.argmax()]
        log.info(
            "The labels are far from equally frequent: %s has %s rows, %s has %s; accuracy alone says little",
            *(most, f"{counts.max():,}", least, f"{counts.min():,}"),
        )
    if rare := [label for label, count in zip(labels, counts, strict=True) if count == 1]:
        log.info("%s: one row each, which is trained on", ", ".join(rare[:SHOWN]))


def _count(
    rows: EncodedRows, numbers: NDArray[np.int32], used: NDArray[np.bool_], part: int, labels: int
) -> NDArray[np.int64]:
    """How many rows of a table have each label: `[labels]`."""
    return np.bincount(numbers[(rows.parts == part) & used], minlength=labels)


def _say_repeated(rows: EncodedRows, numbers: NDArray[np.int32], used: NDArray[np.bool_]) -> None:
    """How many texts occur several times, and with several labels."""
    different = len(np.unique(rows.keys[used]))
    if repeated := int(used.sum()) - different:
        pairs = np.unique(np.stack([rows.keys[used], numbers[used].astype(np.uint64)]), axis=1)
        torn = pairs.shape[1] - different
        log.info(
            "%s rows repeat the text of another, and lie in one split with it%s",
            f"{repeated:,}",
            f"; {torn:,} of these texts have more than one label, which none can answer" if torn else "",
        )


def _leave_out_copies(part: NDArray[np.integer], groups: NDArray[np.integer]) -> None:
    """Takes rows that repeat one of a file for testing, or validating, out of what comes before it."""
    for own in (2, 1):
        in_own = np.zeros(groups.max(initial=-1) + 1, bool)
        in_own[groups[part == own]] = True
        repeating = in_own[groups] & (part >= 0) & (part < own)
        if repeating.any():
            log.info("%s rows repeat a text of the %s file: left out", f"{repeating.sum():,}", PARTS[own])
            part[repeating] = -1


def _hold_out(
    part: NDArray[np.integer], groups: NDArray[np.integer], numbers: NDArray[np.int32], refit: bool
) -> NDArray[np.integer]:
    """Holds a tenth of each label out of the training rows for each split that has no file, whole groups.

    The test's comes first, so that it is the same with `refit`, which holds out none to validate on. A group
    has the label of its first row. Of each label, one group at least stays to be trained on.
    """
    missing = [own for own in (1, 2) if not (part == own).any() and not (own == 1 and refit)]
    rows = np.flatnonzero(part == 0)
    kinds, first, sizes = np.unique(groups[rows], return_index=True, return_counts=True)
    of_label = numbers[rows[first]]
    order = np.random.default_rng(SPLIT_SEED).permutation(len(kinds))
    goes = np.zeros(len(kinds), part.dtype)
    for label in np.unique(of_label):
        own = order[of_label[order] == label]
        ends = np.cumsum(sizes[own])
        wanted = VALIDATION_FRACTION * ends[-1]
        for number, split_number in enumerate(reversed(missing)):  # the test first
            goes[own[:-1][(ends[:-1] > number * wanted) & (ends[:-1] <= (number + 1) * wanted)]] = (
                split_number
            )
    part = part.copy()
    part[rows] = goes[np.searchsorted(kinds, groups[rows])]
    for own in missing:
        if not (part == own).any():
            raise UserError(
                f"there are too few texts to hold a tenth out as the {PARTS[own]} split: ten of a label are "
                f"needed; give more, or a file for --{PARTS[own]}"
            )
    return part
