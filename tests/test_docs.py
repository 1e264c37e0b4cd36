"""What the documentation site makes of the code: equations, diagrams, sections. `make docs` builds it."""

import re
import sys
from pathlib import Path

import pytest

from rnn_jax.cells import CELLS

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "docs" / "_ext"))

diagram = pytest.importorskip("diagram", reason="draws with matplotlib: pip install matplotlib")
import equations  # noqa: E402

LSTM = """The long short-term memory.

    i_t = σ(x_t W_i + h_{t-1} U_i)        input gate
    c_t = √(1 - |i_t|²) ⊙ c_{t-1} + i_t
    h_t = o_t ⊙ tanh(c_t),    y_t = h_t

Paper: somebody, on two
lines.
"""


def test_equations_are_told_from_words():
    first, block, last = equations.parts_of(LSTM)
    assert first == "The long short-term memory."
    assert last == "Paper: somebody, on two lines."
    assert [(each.left, each.remark) for each in block] == [
        ("i_t", "input gate"),
        ("c_t", ""),
        ("h_t", ""),
        ("y_t", ""),
    ]
    assert block[2].right == "o_t ⊙ tanh(c_t)"


def test_expressions_become_latex():
    assert equations.latex("√(1 - |λ|²) ⊙ tanh(c_t)").split() == [
        *(r"\sqrt{1", "-", r"|\lambda", "|^2}", r"\odot", r"\tanh", "(c_t)")
    ]
    assert equations.latex("√(a (b + c)) d") == r"\sqrt{a (b + c)} d"
    assert equations.latex("γ at the start") == r"\gamma  \text{ at the start}"


def test_what_an_expression_reads_is_found():
    assert diagram.names_in("σ(x_t W_f + h_{t-1} U_f + p_f ⊙ c_t)") == {"x_t", "h_t-1", "c_t"}


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_s_file_has_equations_that_can_be_drawn(name, tmp_path):
    module = sys.modules[getattr(CELLS[name].init, "func", CELLS[name].init).__module__]
    blocks = [part for part in equations.parts_of(module.__doc__) if isinstance(part, list)]
    assert blocks, module
    diagram.draw(blocks[0], tmp_path / "step.svg")
    assert "<svg" in (tmp_path / "step.svg").read_text()
    for block in blocks:
        assert not re.search("[α-ωσ⊙√]", equations.aligned(block))


def test_sections_are_cut_out_and_their_links_lead_on(monkeypatch, tmp_path):
    pytest.importorskip("sphinx", reason="builds the site: pip install sphinx")
    import sections

    page = "# Title\n\n## First\n\ntext\n\n### Inner\n\n```sh\n# no heading\n```\n\n## Second\n\nmore\n"
    (tmp_path / "README.md").write_text(page)
    monkeypatch.setattr(sections, "ROOT", tmp_path)
    assert sections.section("README.md", "First").split() == [
        *("text", "##", "Inner", "```sh", "#", "no", "heading", "```")
    ]
    monkeypatch.undo()
    text = "[a](results/README.md#imdb) ![p](results/x.png) [`c.py`](rnn_jax/c.py) [w](https://x.org)"
    assert sections.rewritten(text, "README.md", "recipes/x.md") == (
        "[a](../results.md#imdb) ![p](../../results/x.png) `rnn_jax/c.py` [w](https://x.org)"
    )
