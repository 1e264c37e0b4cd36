"""The README keeps its promises: its Python runs, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_python_of_the_readme_runs():
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names = {}
    exec(block, names)
    assert names["outputs"].shape == (4, 100, 16)
    assert names["same"].shape == (4, 10, 16)
    assert (names["layers"][0].input_kernel == names["params"].input_kernel).all()


@pytest.mark.parametrize("page", ["README.md", "BUILD.md", "CONTRIBUTING.md", "results/README.md"])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"
