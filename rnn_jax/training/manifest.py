"""Checksums of every file of a folder, in a file beside them.

The format is that of `sha256sum`: where the folder is `7`, `sha256sum --check 7/manifest.sha256`, run from
the folder above, says the same as `damage_of`. Paths begin with the folder's name, so that a folder that was
given another one's name does not pass for it.
"""

import hashlib
from pathlib import Path

from rnn_jax.durable import sync, write_whole

NAME = "manifest.sha256"


def seal(folder: Path, name: str) -> None:
    """Sees every file of a folder to the disk, and writes the manifest; `name` is what it will be called.

    Raises:
        OSError: if a file cannot be read, or the manifest not be written.
    """
    lines = []
    for path in _files(folder):
        sync(path)
        lines.append(f"{_digest(path)}  {name}/{path.relative_to(folder).as_posix()}\n")
    write_whole(folder / NAME, "".join(lines))


def damage_of(folder: Path) -> str | None:
    """What is wrong with a sealed folder, in words; None for a sound one."""
    try:
        lines = (folder / NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return f"{NAME} is missing or unreadable"
    expected = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    # Names are taken from the folder, never from the manifest: it may come from a stranger.
    found = {f"{folder.name}/{path.relative_to(folder).as_posix()}": path for path in _files(folder)}
    if missing := sorted(expected.keys() - found.keys()):
        return f"{missing[0]} is missing"
    if unknown := sorted(found.keys() - expected.keys()):
        return f"{unknown[0]} is not in its manifest"
    for name, path in found.items():
        try:
            if path.is_symlink() or not path.is_file() or _digest(path) != expected[name]:
                return f"{name} is not what was saved"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
    return None if found else "it is empty"


def _files(folder: Path) -> list[Path]:
    """All files below a folder but its manifest, in a fixed order; links count as files."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path for path in paths if path != folder / NAME)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
