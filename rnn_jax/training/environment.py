"""What a result depends on besides its settings: the code, the libraries and the machine."""

import contextlib
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def origin(command: str, num_devices: int, others: Iterable[str] = ()) -> dict[str, Any]:
    """Where a figure comes from: the fields of its record that say what made it.

    Args:
        command: how the process was called.
        num_devices: how many devices of this host take part.
        others: libraries that took part besides.
    """
    return {
        "command": command,
        "commit": commit(),
        "versions": versions(others),
        "hardware": hardware(num_devices),
    }


def commit() -> str | None:
    """The commit of the code, with `+changes` where files differ from it; None outside a repository."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", here, *arguments], capture_output=True, text=True, check=True
        ).stdout

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/rnn_jax", ":/experiments")
        return git("rev-parse", "HEAD").strip() + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def versions(others: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python, of the libraries that compute, and of others that are installed."""
    found = {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
    for name in others:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def hardware(num_devices: int) -> dict[str, Any]:
    """The accelerator, or the processor where there is none, and how many take part."""
    device = jax.local_devices()[0]
    return {
        "platform": device.platform,
        "device": _processor() if device.platform == "cpu" else device.device_kind,
        "num_devices": num_devices * jax.process_count(),
        "num_hosts": jax.process_count(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
