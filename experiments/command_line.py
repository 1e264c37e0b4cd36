"""What every script's command line has in common: how it is parsed, and how it fails."""

import contextlib
import errno
import io
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn, TextIO, TypeVar, cast, get_args, get_type_hints

import tyro

from rnn_jax.errors import RunError, UserError
from rnn_jax.places import local

Options = TypeVar("Options")
_PLACE = object()
Place = Annotated[str, _PLACE]  # an option that names a file or folder


def parse(options: type[Options], default: Options | None = None) -> Options:
    """Parses the command line into a dataclass; `--help` explains each field by its docstring.

    Options of the type `Place` come with `~` expanded.

    Raises:
        UserError: for an unknown option or a value that does not fit, in one line.
    """
    return _with_places(_parse(options, default))


def _with_places(parsed: Any) -> Any:
    """The same options, each place checked and spelt out."""
    places = {}
    for name, kind in get_type_hints(type(parsed), include_extras=True).items():
        value = getattr(parsed, name)
        if Place in (kind, *get_args(kind)) and value is not None:
            try:
                places[name] = str(local(value))
            except UserError as error:
                raise UserError(f"--{name.replace('_', '-')} {error}") from error
    return replace(parsed, **places)


def _parse(options: type[Options], default: Options | None) -> Options:
    complaint = io.StringIO()
    settings: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(complaint):
            # Settings are a tree, and flat on the command line: their names are unique.
            return tyro.cli(
                options,
                prog=f"python -m experiments.{Path(sys.argv[0]).stem}",
                config=(tyro.conf.OmitArgPrefixes,),
                **settings,
            )
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


def write_file(name: str, option: str, save: Callable[[Path], object]) -> None:
    """Writes a file that an option names, and says so on standard error.

    Raises:
        UserError: if it cannot be written.
    """
    try:
        save(Path(name))
    except OSError as error:
        raise UserError(f"{option} {name} cannot be written: {error.strerror}") from error
    print(f"wrote {name}", file=sys.stderr)


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


class _Output(io.FileIO):
    """A standard stream; what it does not take is dropped, as when its reader has gone after `| head`.

    Args:
        descriptor: of the stream, which stays open.
        end: whether the process ends with its reader; others go on with their work.
    """

    def __init__(self, descriptor: int, end: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.end = end

    def write(self, data: Any, /) -> int:
        """Writes all or some of the bytes, and says how many."""
        try:
            return super().write(data)
        except OSError as error:
            if self.end:
                if error.errno not in (errno.EPIPE, errno.EIO):  # a pipe without a reader, a terminal gone
                    raise
                self.end = False
                raise SystemExit(0) from None
            return memoryview(data).nbytes


def _lenient(stream: TextIO, end: bool) -> TextIO:
    """The same stream, which fails neither on its encoding nor because its reader has gone.

    A character that it cannot hold is written with a backslash, as Python does on standard error.
    """
    if not isinstance(stream, io.TextIOWrapper) or stream not in (sys.__stdout__, sys.__stderr__):
        return stream  # none, or not the process's own
    stream.flush()
    raw = _Output(stream.fileno(), end)
    return io.TextIOWrapper(
        cast("BinaryIO", raw) if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace" if stream.errors in ("strict", "surrogateescape") else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def run(main: Callable[[], int | None], *, end_with_reader: bool = False) -> NoReturn:
    """Runs a script's `main`; a `UserError` or `RunError` becomes one line on standard error and a code.

    What the package has to say meanwhile goes to standard error, as plain lines.

    Args:
        main: returns an exit code, or None for 0.
        end_with_reader: end when nobody reads standard output any more, as after `| head`: for scripts that
            do nothing but print. Others go on silently with what they make.
    """
    sys.stdout, sys.stderr = _lenient(sys.stdout, end_with_reader), _lenient(sys.stderr, end=False)
    log = logging.getLogger("rnn_jax")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    log.propagate = False  # libraries set up a root logger of their own
    try:
        code = main() or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        raise SystemExit(code)
    except (UserError, RunError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2 if isinstance(error, UserError) else 1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
