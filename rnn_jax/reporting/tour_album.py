"""The page that a tour ends with: figures and pictures of its runs, in one file of HTML."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>What recurrent networks are for</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em;
        color: #222; }}
h1 {{ font-size: 1.5em; }} h2 {{ font-size: 1.15em; margin-top: 2.5em; }}
img {{ max-width: 100%; height: auto; display: block; margin: 0.5em 0; }}
pre {{ background: #f5f5f5; padding: 0.6em; overflow-x: auto; white-space: pre-wrap; }}
</style>
<h1>What recurrent networks are for</h1>
{sections}
</html>
"""


class Stop(NamedTuple):
    """What is shown of a run.

    Attributes:
        title: of the application.
        words: what came out, in a line or several.
        command: that trained it.
        pictures: PNG files, by what they show.
    """

    title: str
    words: str
    command: str
    pictures: dict[str, Path]


def album(stops: Sequence[Stop]) -> str:
    """The page."""
    return PAGE.format(sections="\n".join(map(_section, stops)))


def _section(stop: Stop) -> str:
    pictures = "\n".join(_picture(words, file) for words, file in stop.pictures.items())
    return (
        f"<h2>{escape(stop.title)}</h2>\n<p>{escape(stop.words)}</p>\n{pictures}\n"
        f"<pre>{escape(stop.command)}</pre>"
    )


def _picture(words: str, file: Path) -> str:
    content = base64.b64encode(file.read_bytes()).decode("ascii")
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{content}">'
