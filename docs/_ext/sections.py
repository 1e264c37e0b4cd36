"""Sections of the project's own pages, shown where a page of the site asks for them.

A line `{{ README.md · Your own texts }}` is replaced by what stands below that heading. Links between these
pages lead to the pages of the site; the name of a file of the project stays as a name.
"""

import functools
import os
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = Path(__file__).parents[2]
PAGES = {"README.md": "start.md", "BUILD.md": "recipes/accelerators.md", "results/README.md": "results.md"}
ASKED = re.compile(r"^\{\{ (\S+) · (.+) \}\}$", re.MULTILINE)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def section(page: str, title: str) -> str:
    """What stands below a heading, up to the next one as high; headings in it are raised as far as it was."""
    text = _without_code((ROOT / page).read_text(encoding="utf-8"))
    headings = list(HEADING.finditer(text))
    own = next((i for i, found in enumerate(headings) if found[2] == title), None)
    if own is None:
        raise ExtensionError(f"{page} has no heading {title!r}")
    level = len(headings[own][1])
    after = next((found.start() for found in headings[own + 1 :] if len(found[1]) <= level), len(text))
    whole = (ROOT / page).read_text(encoding="utf-8")[headings[own].end() : after]
    marked = text[headings[own].end() : after]
    for found in reversed(list(HEADING.finditer(marked))):
        whole = whole[: found.start()] + found[0][level - 1 :] + whole[found.end() :]
    return whole


def _without_code(text: str) -> str:
    """The text with what looks like a heading in its code made blank: of the same length."""
    return re.sub(r"```.*?```", lambda found: re.sub("[^\n]", " ", found[0]), text, flags=re.DOTALL)


def slug(heading: str) -> str:
    """A heading as links name it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@functools.cache
def shown_at() -> dict[tuple[str, str], str]:
    """Where the sections are, and those in them: `(page, slug) -> page of the site, with its anchor`."""
    places = {}
    for file in sorted((ROOT / "docs").rglob("*.md")):
        name = str(file.relative_to(ROOT / "docs"))
        for page, title in ASKED.findall(file.read_text(encoding="utf-8")):
            places[page, slug(title)] = name
            for _, inner in HEADING.findall(_without_code(section(page, title))):
                places.setdefault((page, slug(inner)), f"{name}#{slug(inner)}")
    return places


def rewritten(text: str, page: str, to: str) -> str:
    """The text of a page with its links and pictures as another page, `to`, has them."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not name:
            return found[0]
        place = os.path.normpath(ROOT / Path(page).parent / name)
        here = ROOT / "docs" / Path(to).parent
        if picture:
            return f"![{words}]({os.path.relpath(place, here)})"
        source = os.path.relpath(place, ROOT)
        other = shown_at().get((source, anchor)) if anchor else PAGES.get(source)
        if other is None:
            if words.strip("`") in source:
                return f"`{source}`"
            return words if "`" in words or source in PAGES else f"{words} (`{source}`)"
        return f"[{words}]({os.path.relpath(ROOT / 'docs' / other, here)})"

    return LINK.sub(link, text)


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    def shown(found: re.Match[str]) -> str:
        app.env.note_dependency(str(ROOT / found[1]))
        return rewritten(section(found[1], found[2]), found[1], docname)

    source[0] = ASKED.sub(shown, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Fills pages as they are read."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
