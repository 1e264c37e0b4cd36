"""The parts of a training step are all of its products."""

import pytest

from rnn_jax.measuring.case import Case
from rnn_jax.measuring.parts import measure_parts
from rnn_jax.measuring.peers import PEER_CELLS, is_installed
from tests.conftest import need_devices

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cell", PEER_CELLS)
def test_the_products_of_the_parts_are_those_of_the_whole(cell):
    need_devices(2)
    case = Case(cell, "training", 40, 4, 8, "float32")
    parts = {part.name: part for part in measure_parts(case, num_devices=2, seconds=0.01)}
    assert ("torch" in parts) == is_installed("torch")
    whole, together, rest = parts["whole"], parts["all products"], parts["all else"]
    products = list(parts.values())[1 : list(parts).index("all products")]
    work = sum(part.seconds * part.gflops for part in products)
    assert work == pytest.approx(whole.seconds * whole.gflops) == pytest.approx(case.operations / 1e9)
    assert together.seconds == pytest.approx(sum(part.seconds for part in products))
    assert together.seconds * together.gflops == pytest.approx(work)
    assert whole.seconds == pytest.approx(rest.seconds + together.seconds)
    assert rest.gflops is None
    assert "large product" in parts
    around = parts["classifier"]
    assert around.seconds * around.gflops == pytest.approx(case.operations / 1e9)
