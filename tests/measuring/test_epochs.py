"""What is timed is what a run does."""

import importlib.util

import pytest

from rnn_jax.errors import UserError
from rnn_jax.measuring.epochs import our_epochs
from rnn_jax.measuring.keras_epochs import check_keras
from tests.conftest import need_devices
from tests.training.runs import CONFIG, make_data, make_run

pytestmark = pytest.mark.slow


def test_the_epochs_are_those_of_a_run(tmp_path):
    need_devices(2)
    data = make_data()
    epochs = list(our_epochs(CONFIG, data, num_devices=2))
    result = make_run(tmp_path / "run", data=data, devices=2).train("")
    assert len(epochs) == CONFIG.training.epochs
    assert epochs[result["best_epoch"] - 1].test_accuracy == pytest.approx(result["test_accuracy"], abs=1e-9)
    assert all(0 < epoch.data_seconds < epoch.seconds for epoch in epochs)


def test_without_tensorflow_there_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorflow" else name)
    with pytest.raises(UserError, match="tensorflow is not installed: pip install tensorflow-cpu"):
        check_keras(CONFIG, ["tensorflow"])
