"""Files that are whole or absent, whatever ends the process or the machine."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Replaces a file in one move: a crash leaves the old one or the new one.

    Raises:
        OSError: if it cannot be written; the old one is left.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    move(unfinished, path)


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
