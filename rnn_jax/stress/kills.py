"""A training run that is killed again and again, at random moments and in the middle of saves."""

import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

PATIENCE = 600.0  # seconds that a run may take that nobody kills


class Kill(NamedTuple):
    """One SIGKILL."""

    seconds: float  # since the process was started
    checkpoints: list[str]  # what lay in their folder then
    saving: bool  # whether a save was cut short


def run(command: list[str]) -> float:
    """Runs a command to its end; returns its seconds.

    Raises:
        subprocess.CalledProcessError: if it fails.
        subprocess.TimeoutExpired: if it does not end.
    """
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return time.monotonic() - start


def run_and_kill(command: list[str], checkpoints: Path, after: float, while_saving: bool) -> Kill | None:
    """Runs a command and kills it; None if it ended before that.

    Args:
        command: what to run.
        checkpoints: the folder it saves to.
        after: seconds to wait.
        while_saving: whether to wait, then, for the next save to begin.

    Raises:
        subprocess.CalledProcessError: if the command fails on its own.
    """
    start = time.monotonic()
    left = _saves(checkpoints)  # by the kill before; the process clears them away
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while process.poll() is None:
            seconds = time.monotonic() - start
            left &= _saves(checkpoints)
            if seconds >= after and (not while_saving or _saves(checkpoints) - left):
                process.kill()
                return Kill(seconds, _names(checkpoints), bool(_saves(checkpoints) - left))
            time.sleep(0.001)
        output = process.stdout.read() if process.stdout else b""
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output)
    return None


def draw(rng: np.random.Generator, longest: float) -> tuple[float, bool]:
    """When to kill: seconds after the start, and whether in the middle of a save."""
    return float(rng.uniform(0.0, longest)), bool(rng.integers(2))


def _saves(folder: Path) -> set[str]:
    """Checkpoints that have been begun and not finished."""
    return {name for name in _names(folder) if ".unfinished" in name}


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
