"""Scripts called as from the command line, within the process of the tests."""

import shlex
import sys

import pytest


def call(module, line):
    """The exit code of a script with these options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"experiments/{module.__name__.split('.')[-1]}.py", *shlex.split(line)])
        return module.main() or 0
