"""What happens to files: each kind of damage is done to a random file below a folder, and put into words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Damage = Callable[[Path, np.random.Generator], str]


def flip_a_bit(folder: Path, rng: np.random.Generator) -> str:
    """As a bad disk or cable does."""
    path = _pick(folder, rng, at_least=1)
    content = bytearray(path.read_bytes())
    place = int(rng.integers(len(content)))
    content[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)
    return f"a bit of byte {place} of {path.name} flipped"


def truncate(folder: Path, rng: np.random.Generator) -> str:
    """As an interrupted copy does."""
    path = _pick(folder, rng, at_least=1)
    size = int(rng.integers(path.stat().st_size))
    path.write_bytes(path.read_bytes()[:size])
    return f"{path.name} cut to {size} bytes"


def empty(folder: Path, rng: np.random.Generator) -> str:
    """As a full disk does."""
    path = _pick(folder, rng, at_least=1)
    path.write_bytes(b"")
    return f"{path.name} emptied"


def remove(folder: Path, rng: np.random.Generator) -> str:
    """As a tidy person does."""
    path = _pick(folder, rng)
    path.unlink()
    return f"{path.name} removed"


def swap(folder: Path, rng: np.random.Generator) -> str:
    """Two files of different content change their names."""
    files = _files(folder)
    one = files[int(rng.integers(len(files)))]
    others = [path for path in files if path.read_bytes() != one.read_bytes()]
    other = others[int(rng.integers(len(others)))]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    return f"{one.name} and {other.name} swapped"


def append(folder: Path, rng: np.random.Generator) -> str:
    """As a second writer does."""
    path = _pick(folder, rng)
    path.write_bytes(path.read_bytes() + rng.bytes(1 + int(rng.integers(100))))
    return f"{path.name} made longer"


DAMAGES: dict[str, Damage] = {
    "bit flipped": flip_a_bit,
    "truncated": truncate,
    "emptied": empty,
    "removed": remove,
    "swapped": swap,
    "appended to": append,
}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _pick(folder: Path, rng: np.random.Generator, at_least: int = 0) -> Path:
    files = [path for path in _files(folder) if path.stat().st_size >= at_least]
    return files[int(rng.integers(len(files)))]
