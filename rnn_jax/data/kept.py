"""What a preprocessor keeps of its data beside a run: a few values, by name, in a file of JSON."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import ClassVar, Self

from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError


@dataclass(frozen=True)
class Kept:
    """A preprocessor that is its fields: numbers, texts, and tuples of these.

    Example:
        >>> @dataclass(frozen=True)
        ... class Scale(Kept):
        ...     FILE = "scale.json"
        ...     factor: float
        >>> list(Scale(2.0).files())
        ['scale.json']
    """

    FILE: ClassVar[str]  # its name in the directory of a run

    def files(self) -> dict[str, Callable[[Path], None]]:
        """The writer of the file."""
        content = json.dumps(asdict(self), indent=2) + "\n"
        return {self.FILE: lambda path: write_whole(path, content)}

    def row_names(self) -> tuple[str, ...]:
        """None: it has no vectors that runs of other tasks may begin with."""
        return ()

    def answer_names(self) -> tuple[str, ...]:
        """None: answers have no names."""
        return ()

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Reads it from the directory of a run.

        Raises:
            UserError: if the file is missing or damaged.
        """
        file = directory / cls.FILE
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            values = {field.name: told[field.name] for field in fields(cls)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file} cannot be read ({error}): train the run again") from error
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**values | lists)
