"""The pictures that scripts leave in the directory of a run, where matplotlib is there to draw them."""

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_jax.durable import write_whole

if TYPE_CHECKING:  # which may be missing
    from matplotlib.figure import Figure


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def save(figure: "Figure", path: Path) -> None:
    """Writes a picture, whole or not at all."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    write_whole(path, content.getvalue())


def where(workdir: str, names: Sequence[str], words: str) -> list[str]:
    """A line that says where the pictures of a run are, or why there are none; none if neither is known."""
    there = [str(path) for name in names if (path := Path(workdir) / name).exists()]
    if there:
        return [f"{words}: {', '.join(there)}"]
    return [] if can_draw() else ["Pictures need matplotlib: pip install matplotlib, before a run ends"]
