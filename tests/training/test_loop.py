"""Whole runs: they learn, and whatever stops them, they end as if nothing had."""

import dataclasses
import os
import signal

import jax
import numpy as np
import pytest

from rnn_jax.training import loop
from rnn_jax.training.checkpoints import Checkpoints
from rnn_jax.training.interruption import InterruptedRunError
from rnn_jax.training.loop import NotFiniteError
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import best_weights
from tests.conftest import need_devices
from tests.training.runs import CONFIG, make_data, make_run, metrics_of, timeless


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run that nothing disturbed: its directory and its result. An epoch has 6 steps."""
    path = tmp_path_factory.mktemp("undisturbed")
    return path, make_run(path).train("command")


def weights(path):
    return best_weights(RunDirectory(path))


def assert_same_run(path, result, undisturbed):
    expected_path, expected = undisturbed
    assert timeless([result]) == timeless([expected])
    assert metrics_of(path) == metrics_of(expected_path)
    jax.tree.map(np.testing.assert_array_equal, weights(path), weights(expected_path))
    with Checkpoints(path / "checkpoints") as ours, Checkpoints(expected_path / "checkpoints") as theirs:
        assert (ours.latest_step, ours.best_step) == (theirs.latest_step, theirs.best_step)


def do_at_step(monkeypatch, step, action):
    """Does something when the batch after `step` steps is made, and only once."""
    made = 0
    make_batch = loop.make_batch

    def counting(*arguments):
        nonlocal made
        made += 1
        if made == step + 1:
            action()
        return make_batch(*arguments)

    monkeypatch.setattr(loop, "make_batch", counting)


def test_a_run_learns_and_says_how_well(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=25, hidden_size=8, dropout=0.1, word_dropout=0.0)
    run = make_run(tmp_path, config, data=make_data(train=160, validation=40, test=80), log_every=20)
    result = run.train("the command")
    records = metrics_of(tmp_path)
    epochs = [r for r in records if r["kind"] == "epoch"]
    assert [r["epoch"] for r in epochs] == list(range(1, 26))
    assert [r["step"] for r in records if r["kind"] == "train"] == list(range(20, 501, 20))
    assert epochs[-1]["train_loss"] < 0.5 * epochs[0]["train_loss"]
    assert result["validation_accuracy"] == max(r["validation_accuracy"] for r in epochs)
    assert epochs[result["best_epoch"] - 1]["validation_accuracy"] == result["validation_accuracy"]
    assert result["test_accuracy"] > 0.8  # where the order of two words is everything
    assert result["test_examples"] == 80
    assert result["epochs_run"] == 25
    assert result["command"] == "the command"
    assert result["parameters"] == 20 * 4 + 4 * 8 * (4 + 8 + 1) + 8 + 1
    assert result["hardware"]["num_devices"] == run.num_devices
    assert RunDirectory(tmp_path).read_result() == result


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [1, 4, 5, 8])
def test_interrupted_is_uninterrupted(step, number, tmp_path, monkeypatch, undisturbed):
    """Within an epoch and at its end; to the last bit."""
    do_at_step(monkeypatch, step, lambda: os.kill(os.getpid(), number))
    with pytest.raises(InterruptedRunError) as interruption:
        make_run(tmp_path).train("command")
    assert interruption.value.exit_code == 128 + number
    assert f"after saving step {step + 1}" in str(interruption.value)
    assert not (tmp_path / "result.json").exists()
    assert_same_run(tmp_path, make_run(tmp_path).train("command"), undisturbed)


@pytest.mark.parametrize(("step", "saved"), [(2, 0), (5, 4), (7, 6), (11, 8)])
def test_crashed_is_uninterrupted(step, saved, tmp_path, monkeypatch, undisturbed):
    """Back at the last checkpoint, what was logged since is logged once."""

    def crash():
        raise RuntimeError("the machine is gone")

    do_at_step(monkeypatch, step, crash)
    with pytest.raises(RuntimeError, match="gone"):
        make_run(tmp_path, save_every=4).train("command")
    run = make_run(tmp_path)
    result = run.train("command")
    printed = run.console.file.getvalue()
    assert (f"going on from step {saved} of 12" in printed) == (saved > 0)
    assert_same_run(tmp_path, result, undisturbed)


def test_the_latest_and_the_best_are_kept(tmp_path):
    """However the score moves."""
    state = {"w": np.arange(3.0)}
    with Checkpoints(tmp_path) as checkpoints:
        for step, score in ((1, None), (2, 0.5), (3, 0.9), (4, None), (5, 0.9), (6, 0.1), (7, None)):
            state = {"w": np.full(3, float(step))}
            checkpoints.save(step, loop.Checkpoint(state, {"step": step}), score)
        assert (checkpoints.latest_step, checkpoints.best_step) == (7, 5)
    with Checkpoints(tmp_path) as checkpoints:
        for step in (7, 5):
            restored = checkpoints.restore(step, state)
            assert restored.progress == {"step": step}
            np.testing.assert_array_equal(restored.state["w"], np.full(3, float(step)))
    kept = sorted(int(p.name) for p in tmp_path.iterdir())
    assert kept == [5, 7]


def test_the_best_epoch_is_what_is_evaluated(tmp_path):
    """With a step size that ruins the later epochs, the test figures are those of the best one."""
    run = make_run(tmp_path, dataclasses.replace(CONFIG, epochs=4, learning_rate=0.5))
    result = run.train("command")
    again = run._evaluate(weights(tmp_path), run.data.test)
    assert again.accuracy == result["test_accuracy"]
    assert again.mean_loss == result["test_loss"]


def test_a_trial_never_reads_the_test_split(tmp_path, undisturbed):
    """It has none to read, and is otherwise the same run."""
    data = make_data()._replace(test=None)
    result = make_run(tmp_path, data=data, test=False).train("command")
    assert (result["test_accuracy"], result["test_loss"], result["test_examples"]) == (None, None, 0)
    assert result["validation_accuracy"] == undisturbed[1]["validation_accuracy"]
    assert metrics_of(tmp_path) == metrics_of(undisturbed[0])


def test_a_run_stops_when_patience_runs_out(tmp_path, monkeypatch):
    scores = iter([0.5, 0.8, 0.7, 0.8, 0.6, 0.7, 0.99])
    monkeypatch.setattr(loop.Metrics, "accuracy", property(lambda self: next(scores, 0.25)))
    monkeypatch.setattr(loop.Run, "_log_training", lambda self, epoch: None)
    monkeypatch.setattr(loop.Run, "_log", lambda self, **record: None)
    monkeypatch.setattr(loop.TrainingProgress, "line", lambda self, text: None)

    def end_epoch(self):  # the validation accuracy alone is asked for
        self._judge(self._step // self.epoch_steps, next(scores))
        self._save(score=self._standing.best_accuracy)

    monkeypatch.setattr(loop.Run, "_end_epoch", end_epoch)
    result = make_run(tmp_path, dataclasses.replace(CONFIG, epochs=7, patience=2)).train("command")
    assert (result["epochs_run"], result["best_epoch"]) == (6, 4)


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_the_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run"
    make_batch = loop.make_batch
    made = 0

    def poisoned(*arguments):
        nonlocal made
        made += 1
        batch = make_batch(*arguments)
        return batch if made != 10 else batch._replace(weights=np.full(8, np.nan, np.float32))

    monkeypatch.setattr(loop, "make_batch", poisoned)
    with pytest.raises(
        NotFiniteError, match="the loss is nan since a step from 9 to 10; the checkpoint of step 6"
    ):
        make_run(path).train("command")
    assert not (path / "result.json").exists()
    with Checkpoints(path / "checkpoints") as checkpoints:
        assert checkpoints.latest_step == 6
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(weights(path)))


@pytest.mark.parametrize("devices", [1, 4])
def test_the_number_of_devices_does_not_matter(devices, tmp_path, undisturbed):
    """But for the order in which floats are added up."""
    need_devices(devices)
    result = make_run(tmp_path, devices=devices).train("command")
    assert result["test_loss"] == pytest.approx(undisturbed[1]["test_loss"], rel=1e-4)
    ours, theirs = metrics_of(tmp_path), metrics_of(undisturbed[0])
    for a, b in zip(ours, theirs, strict=True):
        assert a.pop("kind") == b.pop("kind")
        assert a == pytest.approx(b, rel=1e-3, abs=1e-3)


def test_the_same_seed_gives_the_same_digits_and_another_others(tmp_path, undisturbed):
    same = make_run(tmp_path / "same").train("command")
    assert_same_run(tmp_path / "same", same, undisturbed)
    other = make_run(tmp_path / "other", dataclasses.replace(CONFIG, seed=1)).train("command")
    assert other["test_loss"] != same["test_loss"]


def test_a_new_run_can_start_from_other_weights(tmp_path, undisturbed):
    start = weights(undisturbed[0])
    config = dataclasses.replace(CONFIG, epochs=1, learning_rate=1e-9)
    make_run(tmp_path, config).train("command", start)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), weights(tmp_path), start)
