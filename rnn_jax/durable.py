"""Files that are whole or absent, whatever ends the process or the machine."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: Path, unfinished: Path | None = None) -> Iterator[BinaryIO]:
    """A file to write, which replaces that at `path` in one move: a crash leaves the old one or the new one.

    Args:
        path: its final name.
        unfinished: its name until then, in the same folder; by default one that only one process may use.

    Raises:
        OSError: if it cannot be written; the old one is left.
    """
    unfinished = unfinished or path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    move(unfinished, path)


def write_whole(path: Path, content: str | bytes) -> None:
    """Replaces a file by a text, or by bytes, as `whole_file` does."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def move(old: Path, new: Path) -> None:
    """Gives a file or a folder its final name, and sees the name to the disk."""
    old.replace(new)
    sync(new.parent)


def sync(path: Path) -> None:
    """Sees a file's content, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
