"""What a preprocessor keeps of its data beside a run: a few values, by name, in a file of JSON."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError


def writers(name: str, values: Mapping[str, Any]) -> dict[str, Callable[[Path], None]]:
    """The writer of the file of a name."""
    content = json.dumps(dict(values), indent=2) + "\n"
    return {name: lambda path: write_whole(path, content)}


def read_kept(file: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """The values of these names, and no others; lists come as tuples.

    Raises:
        UserError: if the file is missing or damaged.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        values = [told[name] for name in names]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} cannot be read ({error}): train the run again") from error
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in zip(names, values, strict=True)
    }
