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
    """What code this is.

    In a clone, its commit, with `+changes` where files differ from it. Elsewhere, as installed from a wheel,
    the version (`rnn-jax 0.1.0`), whatever repository the files lie in: a project's own environment is
    often inside that project's repository. None for files that are neither in a clone nor installed.
    """
    here = Path(__file__).resolve()

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", here.parent, *arguments], capture_output=True, text=True, check=True
        ).stdout

    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        if git("ls-files", "--full-name", "--", here.name).strip() == "rnn_jax/training/environment.py":
            changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/rnn_jax", ":/experiments")
            return git("rev-parse", "HEAD").strip() + ("+changes" if changed else "")
    with contextlib.suppress(PackageNotFoundError):
        return f"rnn-jax {version('rnn-jax')}"
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
    on_cpu = device.platform == "cpu"
    return {
        "platform": device.platform,
        "device": _processor_name() if on_cpu else device.device_kind,
        **({"processor": _processor_kind()} if on_cpu else {}),
        "num_devices": num_devices * jax.process_count(),
        "num_hosts": jax.process_count(),
    }


def processor_field(*names: str) -> str | None:
    """The first line of /proc/cpuinfo with one of these names, without the name; None where there is none."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in names:
                return value.strip()
    return None


def _processor_kind() -> str | None:
    """What the name leaves open, and sums depend on: `family 25, model 17, avx512f`; None where unknown.

    The last is the widest vectors that the processor knows.
    """
    family, model = processor_field("cpu family"), processor_field("model")
    known = (processor_field("flags", "Features") or "").split()
    widest = next((name for name in ("avx512f", "avx2", "avx", "sve", "asimd") if name in known), None)
    parts = [family and f"family {family}", model and f"model {model}", widest]
    return ", ".join(part for part in parts if part) or None


def _processor_name() -> str:
    return processor_field("model name") or platform.processor() or platform.machine()
