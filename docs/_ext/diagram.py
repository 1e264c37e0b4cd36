"""A diagram of a step, drawn from its equations: what is computed from what."""

import re
from pathlib import Path

from equations import SYMBOL, Equation, latex
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
WIDE, HIGH = 1.5, 0.9  # of a column, and of a row


def names_in(text: str) -> set[str]:
    """What an expression reads, the step before included."""
    return {name.replace("{", "").replace("}", "") for name in SYMBOL.findall(text)}


def draw(equations: list[Equation], path: Path) -> None:
    """Draws a step into an SVG file."""
    computed = [each for each in equations if SYMBOL.fullmatch(each.left)]
    together = {  # letters that stand for parts of one product
        letter: each.left
        for each in computed
        if (order := re.search(r"in the order ([a-z, ]+)", each.remark))
        for letter in order[1].replace(" ", "").split(",")
    }
    reads = {}
    for each in computed:
        own = names_in(each.right) | {
            whole for letter, whole in together.items() if re.search(rf"\({letter}\)", each.right)
        }
        reads[each.left] = own - {each.left}
    inputs = sorted(set().union(*reads.values()) - set(reads), key=lambda name: (name[0] == "x", name))
    depth = dict.fromkeys(inputs, 0)
    while len(depth) < len(inputs) + len(reads):
        ready = {
            name: 1 + max((depth[other] for other in own), default=0)
            for name, own in reads.items()
            if own <= depth.keys()
        }
        if not ready.keys() - depth.keys():
            raise ValueError(f"{', '.join(reads.keys() - depth.keys())} depend on each other within a step")
        depth |= ready
    columns = [[name for name in depth if depth[name] == number] for number in range(max(depth.values()) + 1)]
    tallest = max(map(len, columns))
    places = {
        name: (number * WIDE, HIGH * ((tallest - 1) / 2 + (len(column) - 1) / 2 - row))
        for number, column in enumerate(columns)
        for row, name in enumerate(column)
    }
    right = {each.left: each.right for each in computed}
    figure = Figure(figsize=(WIDE * len(columns) + 0.2, HIGH * tallest + 0.2))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(
        xlim=(-0.7, WIDE * (len(columns) - 1) + 0.7), ylim=(-0.6, HIGH * (tallest - 1) + 0.6), aspect="equal"
    )
    axes.axis("off")
    boxes = {}
    for name, (x, y) in places.items():
        colour = _colour(name, right.get(name))
        box = FancyBboxPatch((x - 0.3, y - 0.17), 0.6, 0.34, boxstyle="round,pad=0.06", lw=0, zorder=2)
        box.set_facecolor([1 - 0.16 * (1 - part) for part in to_rgb(colour)])  # arrows pass behind it
        boxes[name] = axes.add_patch(box)
        axes.text(x, y, f"${_mathtext(name)}$", ha="center", va="center", color=colour, fontsize=13, zorder=3)
    for name, own in reads.items():
        for other in own:
            far = depth[name] - depth[other] > 1 and abs(places[name][1] - places[other][1]) < 0.1
            axes.add_patch(
                FancyArrowPatch(
                    places[other],
                    places[name],
                    connectionstyle=f"arc3,rad={0.25 if far else 0}",
                    arrowstyle="-|>",
                    mutation_scale=9,
                    color="#aaaaaa",
                    patchA=boxes[other],
                    patchB=boxes[name],
                    shrinkA=1,
                    shrinkB=1,
                    zorder=1,
                )
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def _mathtext(name: str) -> str:
    return latex(re.sub(r"_(t-1)$", r"_{\1}", name))


def _colour(name: str, right: str | None) -> str:
    """Gates blue, candidates orange, what is remembered green, what comes from outside grey."""
    if right is None:
        return GREY if name[0] == "x" else GREEN
    if name[0] in "hcy":
        return GREY if name[0] == "y" else GREEN
    return BLUE if right.startswith("σ") else ORANGE
