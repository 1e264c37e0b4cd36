"""Places in the file system, as people name them: one rule for every file and folder."""

import os
import re
from pathlib import Path

from rnn_jax.errors import UserError

LONGEST_NAME = 255  # bytes, on nearly every file system
LONGEST_PATH = 4096 - LONGEST_NAME  # bytes; Linux takes 4,096, and what is made below needs room


def local(place: str | os.PathLike[str]) -> Path:
    """The path of a file or folder, which need not be there, with `~` expanded.

    Files here are locked, replaced in one move and seen to the disk, which an object store cannot do.

    Raises:
        UserError: if it is a URL, empty, or no file system could hold it.
    """
    name = os.fspath(place)
    if not name:
        raise UserError("'' names nothing: give the path of a file or folder")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", name):  # one slash: pathlib drops the second
        raise UserError(f"{name} is a URL: give a local or mounted place, and copy to or from there")
    try:
        path = Path(name).expanduser()
    except RuntimeError as error:
        raise UserError(f"{name} has no home directory ({error}): give the whole path") from error
    shown = f"{name[:40]}…" if len(name) > 40 else repr(name)
    try:
        whole = os.fsencode(path.absolute())
    except UnicodeEncodeError as error:
        raise UserError(f"{shown} cannot be the name of a file ({error.reason}): choose another") from error
    if b"\0" in whole:
        raise UserError(f"{shown} holds a NUL character: choose another name")
    if len(whole) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in whole.split(b"/")):
        raise UserError(
            f"{shown} is too long: a name has at most {LONGEST_NAME} bytes, a path {LONGEST_PATH:,}"
        )
    return path
