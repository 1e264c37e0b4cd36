"""Settings as trees of frozen dataclasses, flat as JSON and on the command line.

A component has a dataclass of settings beside it, and a task puts those of its components together:

    @dataclass(frozen=True)
    class Settings:
        encoder: EncoderSettings = EncoderSettings()
        training: TrainingSettings = TrainingSettings()

Names are unique in a tree, so that `--hidden-size 64` and `{"hidden_size": 64}` say what is meant. What a
value must be stands beside its type, in `Annotated`; what several must be together is a method `check`.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from rnn_jax.errors import UserError

Settings = TypeVar("Settings")


class Rule(NamedTuple):
    """What a value must be."""

    holds: Callable[[Any], bool]
    words: str  # as in `--epochs 0: must be above 0`


def above(bound: float) -> Rule:
    """Greater than a bound."""
    return Rule(lambda value: value > bound, f"must be above {bound}")


def at_least(bound: float) -> Rule:
    """A bound, or greater."""
    return Rule(lambda value: value >= bound, f"must be {bound} or more")


Rate = Annotated[float, Rule(lambda value: 0 <= value < 1, "must be 0 or more, and below 1")]

EXTENDABLE = "extendable"  # marks a setting that a run may change and go on
REPEAT = "repeat"  # marks one that runs of a row differ in, as in their seeds: which part is tested on
NEUTRAL = "neutral"  # marks one that changes no result: an extendable one that a finished run ignores


class Field(NamedTuple):
    """A setting of a tree."""

    name: str
    value: Any
    kind: Any  # its type
    marks: tuple[Any, ...]  # what stands beside the type: rules, `EXTENDABLE`, `REPEAT`, `NEUTRAL`


def fields(settings: Any) -> Iterator[Field]:
    """All settings of a tree, from the first to the last."""
    for name, kind in get_type_hints(type(settings), include_extras=True).items():
        value = getattr(settings, name)
        if dataclasses.is_dataclass(value):
            yield from fields(value)
        else:
            marks = kind.__metadata__ if get_origin(kind) is Annotated else ()
            yield Field(name, value, get_args(kind)[0] if marks else kind, marks)


def marked(settings: Any, *marks: str) -> set[str]:
    """The names of the settings with any of these marks."""
    return {field.name for field in fields(settings) if set(marks).intersection(field.marks)}


def to_flat(settings: Any) -> dict[str, Any]:
    """All settings by name, as in `config.json`."""
    return {field.name: field.value for field in fields(settings)}


def with_flat(settings: Settings, **changes: Any) -> Settings:
    """The same settings, but for some, by name.

    Raises:
        TypeError: if there are no such settings.
    """
    changed = _replace(settings, changes)
    if changes:
        raise TypeError(f"{type(settings).__name__} has no settings {', '.join(sorted(changes))}")
    return changed


def _replace(settings: Any, changes: dict[str, Any]) -> Any:
    """Takes out of the changes what is in this tree."""
    own = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            own[field.name] = _replace(value, changes)
        elif field.name in changes:
            own[field.name] = changes.pop(field.name)
    return dataclasses.replace(settings, **own)


def from_flat(default: Settings, flat: dict[str, Any], source: str) -> Settings:
    """Settings from a JSON object.

    Those that are missing are as in `default`: an earlier version did not know them, and what is new is off
    by default.

    Raises:
        UserError: if settings are unknown, of the wrong type or make no sense, naming `source`.
    """
    known = {field.name: field for field in fields(default)}
    if odd := sorted(flat.keys() - known.keys()):
        names = ", ".join(map(repr, odd))
        raise UserError(f"{source} was written by a later version: settings {names} are unknown")
    for name, value in flat.items():
        kind = known[name].kind
        if type(value) not in _types(kind):
            raise UserError(f"{source} is damaged: {name} is {json.dumps(value)}")
        if get_origin(kind) is Literal and value not in get_args(kind):
            choices = ", ".join(map(str, get_args(kind)))
            raise UserError(f"{source} names an unknown {name} {value!r}: known are {choices}")
    settings = with_flat(default, **flat)
    check(settings)
    return settings


def _types(kind: Any) -> set[type]:
    """The types of JSON that a setting may have."""
    if get_origin(kind) is Literal:
        return {type(choice) for choice in get_args(kind)}
    if get_origin(kind) in (Union, UnionType):
        return set().union(*map(_types, get_args(kind)))
    return {float, int} if kind is float else {kind}


def check(settings: Any) -> None:
    """Raises UserError, naming the option, for a value that makes no sense."""
    for field in fields(settings):
        for rule in field.marks:
            if isinstance(rule, Rule):
                require(rule.holds(field.value), field.name, field.value, rule.words)
    _check_together(settings)


def _check_together(settings: Any) -> None:
    for field in dataclasses.fields(settings):
        if dataclasses.is_dataclass(value := getattr(settings, field.name)):
            _check_together(value)
    if hasattr(settings, "check"):
        settings.check()


def require(holds: bool, name: str, value: object, words: str) -> None:
    """Raises UserError unless a rule holds: `--epochs 0: must be above 0`."""
    if not holds:
        raise UserError(f"--{name.replace('_', '-')} {value}: {words}")


def _told(value: Any) -> Any:
    return "(none)" if value == "" else value


def differences(mine: Any, theirs: Any) -> dict[str, str]:
    """What differs between settings of one kind, as `name: mine against theirs`, by name."""
    others = to_flat(theirs)
    return {
        name: f"{name}: {_told(value)} against {_told(others[name])}"
        for name, value in to_flat(mine).items()
        if value != others[name]
    }
