"""Labels in a table: strings, integers, other numbers, or true and false; and their names, which are strings.

A network knows the names alone, and an answer in a table has the type again that the labels there have.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

STRING = "string"


def is_integer(name: str) -> bool:
    """Whether a label is what an integer of 64 bits is written as."""
    return re.fullmatch("0|-?[1-9][0-9]{0,17}", name) is not None


def _integer(name: str) -> int:
    if not is_integer(name):
        raise ValueError(f"{name} is no integer of 64 bits")
    return int(name)


BOOLEANS = {"True": True, "False": False}
TYPES: dict[str, tuple[Callable[[str], Any], pa.DataType]] = {  # what a name stands for; of a column
    STRING: (str, pa.string()),
    "integer": (_integer, pa.int64()),
    "number": (float, pa.float64()),
    "boolean": (BOOLEANS.__getitem__, pa.bool_()),
}


def name_of(label: Any) -> str | None:
    """The name of a label; None for none. A whole number has none of its own as a float.

    Example:
        >>> [name_of(label) for label in (" good ", 1, 1.0, 0.5, True, "", None, float("nan"))]
        ['good', '1', '1', '0.5', 'True', None, None, None]
    """
    if label is None or label != label:
        return None
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return str(label).strip() or None


def type_of(labels: Iterable[Any]) -> str:
    """The type that all of some labels have, a name in `TYPES`; string where they differ, or there are none.

    Whole numbers are integers, also as floats: a column of integers that lacks some becomes one of floats in
    many programs.

    Example:
        >>> type_of([0.0, 1.0, None]), type_of([True, False]), type_of([0.5, 1]), type_of([1, "a"])
        ('integer', 'boolean', 'number', 'string')
    """
    found = {_type(label) for label in labels if name_of(label) is not None}
    if found == {"integer", "number"}:
        return "number"
    return found.pop() if len(found) == 1 else STRING


def _type(label: Any) -> str:
    if isinstance(label, bool):
        return "boolean"
    if isinstance(label, int | float):
        return "integer" if is_integer(str(name_of(label))) else "number"
    return STRING


def column_of(names: Iterable[str | None], label_type: str) -> pa.Array:
    """Labels by name, as a column of their type.

    Example:
        >>> column_of(["1", None, "0"], "integer").to_pylist()
        [1, None, 0]
    """
    value, kind = TYPES[label_type]
    return pa.array([None if name is None else value(name) for name in names], kind)


def type_for(names: Iterable[str], label_type: str) -> str:
    """The type itself where all labels have it; else string, as where one comes late in a long table."""
    try:
        column_of(names, label_type)
    except (ValueError, KeyError):
        return STRING
    return label_type
