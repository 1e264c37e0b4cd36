"""What every script's command line has in common: how it is parsed, and how it fails."""

import contextlib
import io
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import tyro

from rnn_jax.errors import RunError, UserError

Options = TypeVar("Options")


def parse(options: type[Options], default: Options | None = None) -> Options:
    """Parses the command line into a dataclass; `--help` explains each field by its docstring.

    Raises:
        UserError: for an unknown option or a value that does not fit, in one line.
    """
    complaint = io.StringIO()
    settings: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(options, prog=f"python -m experiments.{Path(sys.argv[0]).stem}", **settings)
    except SystemExit as end:
        if end.code in (0, None):  # --help
            raise
        # tyro draws a box of several lines with a title; a script's contract is one.
        plain = re.sub(r"\x1b\[[0-9;]*m|[^\x00-\x7f]", " ", complaint.getvalue())
        lines = [[word for word in line.split() if set(word) - set("-+|")] for line in plain.splitlines()]
        title, *text = (" ".join(line) for line in lines if line)
        if text[0].startswith("Missing"):
            text[0] = f"{title.lower()} {text[0].lower()}"
        raise UserError(" ".join(text)) from None


def command_line(script: str) -> str:
    """How this process was called, to be recorded."""
    return shlex.join(["python", "-m", f"experiments.{script}", *sys.argv[1:]])


def run_all(lines: Iterable[str]) -> int:
    """Runs every command in a process of its own; stops at the first that fails.

    Each compiles what it needs itself, so that its seconds do not depend on what ran before, and gets its
    memory in large pages, as from the Makefile.
    """
    environment = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", **os.environ}
    environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    for line in lines:
        print(line, flush=True)
        done = subprocess.run([sys.executable, *shlex.split(line)[1:]], check=False, env=environment)
        if done.returncode:
            return done.returncode
    return 0


def run(main: Callable[[], int | None]) -> NoReturn:
    """Runs a script's `main`; a `UserError` or `RunError` becomes one line on standard error and a code.

    What the package has to say meanwhile goes to standard error, as plain lines.
    """
    log = logging.getLogger("rnn_jax")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    log.propagate = False  # libraries set up a root logger of their own
    try:
        raise SystemExit(main() or 0)
    except (UserError, RunError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2 if isinstance(error, UserError) else 1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:  # the reader of our output has gone, as after `| head`
        sys.stderr.close()
        raise SystemExit(0) from None
