"""What is measured is the layer with what is said to be around it."""

import numpy as np
import pytest

from rnn_jax.measuring.case import Case
from rnn_jax.measuring.extensions import EXTENSIONS, measure_extensions, program
from rnn_jax.models.recurrent import RecurrentSettings
from rnn_jax.settings import with_flat
from tests.conftest import need_devices

pytestmark = pytest.mark.slow

CASE = Case("lstm", "training", 40, 8, 4, "float32")


def test_each_extension_changes_the_gradients_where_it_acts():
    need_devices(2)
    found = {}
    for name, extension in EXTENSIONS.items():
        settings = with_flat(RecurrentSettings(unroll="dynamic", hidden_size=4), **extension.settings)
        found[name] = program(CASE, settings, extension, 2).results()["x"]
    plain = found.pop("plain")
    same = {name for name, x in found.items() if np.allclose(x, plain, atol=1e-6)}
    assert same == {"learned initial state"}  # which begins in zeros


def test_every_extension_that_a_cell_knows_is_measured():
    need_devices(2)
    assert list(measure_extensions(CASE, "fused", 2, 0.01)) == list(EXTENSIONS)
    linear = measure_extensions(CASE._replace(cell="lru"), "parallel", 2, 0.01)
    assert linear.keys() == {"plain", "lengths", "resets", "learned initial state", "clipped state gradient"}
    assert min(linear.values()) > 0
