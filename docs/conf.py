"""How the documentation is built: `make docs`."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

project = "rnn-jax"
author = "the rnn-jax developers"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "mathml",
    "cell_pages",
    "sections",
]
html_theme = "furo"
html_title = "rnn-jax"
html_math_renderer = "mathml"
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
exclude_patterns = ["_build", "cells.txt"]
default_role = "code"

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
napoleon_use_rtype = False


def _plain(app, what, name, obj, options, lines):
    """Docstrings are plain text: of signs that mean something else in reStructuredText, none does."""
    if what == "module":
        lines[:] = []  # the page says it
    lines[:] = [line.replace("*", r"\*").replace("|", r"\|") for line in lines]


def setup(app):
    """Connects what changes docstrings."""
    app.connect("autodoc-process-docstring", _plain)
