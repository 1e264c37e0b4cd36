"""Compiled programs kept on disk, so that the next process with the same network starts at once."""

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

import jax

from rnn_jax.training.environment import processor_field


def keep_compiled_programs() -> None:
    """Lets JAX keep compiled programs in the user's cache folder, unless a place is set already.

    `JAX_COMPILATION_CACHE_DIR` sets another place, `JAX_ENABLE_COMPILATION_CACHE=false` turns it off. JAX
    names a program by what it computes, with which versions and on which accelerator, but not by the
    instructions of the processor, and home directories are shared by unlike machines: each kind of processor
    has a folder of its own.
    """
    config: Any = jax.config  # whose names are typed in later versions only
    if config.jax_compilation_cache_dir is None:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnn_jax/compiled"
        config.update("jax_compilation_cache_dir", str(folder / _instructions()))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def _instructions() -> str:
    """A name for the instructions that this machine's processor knows."""
    known = processor_field("flags", "Features") or platform.processor()
    return f"{platform.machine()}-{hashlib.sha256(known.encode()).hexdigest()[:12]}"
