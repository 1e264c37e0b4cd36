"""Whole runs: they learn, and whatever stops them, they end as if nothing had."""

import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest

from rnn_jax.data.batches import Bucketed
from rnn_jax.errors import UserError
from rnn_jax.models.functional import split
from rnn_jax.settings import with_flat
from rnn_jax.stress.damages import DAMAGES
from rnn_jax.tasks.text_classification import NAME, make
from rnn_jax.tasks.text_classifier import count_by_length, make_model
from rnn_jax.training import saver
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints, SaveError
from rnn_jax.training.evaluation import Evaluator
from rnn_jax.training.interruption import InterruptedRunError
from rnn_jax.training.loop import NotFiniteError
from rnn_jax.training.progress import TrainingProgress
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import best_weights
from tests.conftest import need_devices
from tests.training.runs import CONFIG, make_data, make_run, metrics_of, timeless


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run that nothing disturbed: its directory and its result. An epoch has 6 steps."""
    path = tmp_path_factory.mktemp("undisturbed")
    return path, make_run(path).train("command")


def last_checkpoint(path):
    """The newest state, and the best weights in it."""
    run = make_run(path)
    state = jax.device_get(run._program.init_state(run.task.init()))
    checkpoints = Checkpoints(path / "checkpoints")
    found = checkpoints.restore(checkpoints.newest(), Checkpoint(state, state.params, {}))
    return found.state, found.best


def weights(path):
    return best_weights(RunDirectory(path), make(CONFIG))


def assert_same_run(path, result, undisturbed):
    expected_path, expected = undisturbed
    assert timeless([result]) == timeless([expected])
    assert metrics_of(path) == metrics_of(expected_path)
    jax.tree.map(np.testing.assert_array_equal, last_checkpoint(path), last_checkpoint(expected_path))


def do_at_step(monkeypatch, step, action):
    """Does something when the batch after `step` steps is made, and only once."""
    made = 0
    advance = TrainingProgress.advance

    def counting(*arguments):
        nonlocal made
        made += 1
        if made == step + 1:
            action()
        return advance(*arguments)

    monkeypatch.setattr(TrainingProgress, "advance", counting)


def test_a_run_learns_and_says_how_well(tmp_path):
    config = with_flat(CONFIG, epochs=25, hidden_size=8, dropout=0.1, word_dropout=0.0)
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


@pytest.mark.parametrize(
    ("step", "number"), [*((n, signal.SIGTERM) for n in (1, 4, 5, 8)), (5, signal.SIGINT)]
)
def test_interrupted_is_uninterrupted(step, number, tmp_path, monkeypatch, undisturbed):
    """Within an epoch and at its end; to the last bit."""
    do_at_step(monkeypatch, step, lambda: os.kill(os.getpid(), number))
    with pytest.raises(InterruptedRunError) as interruption:
        make_run(tmp_path).train("command")
    assert interruption.value.exit_code == 128 + number
    assert f"after saving step {step + 1}" in str(interruption.value)
    assert not (tmp_path / "result.json").exists()
    assert_same_run(tmp_path, make_run(tmp_path).train("command"), undisturbed)


def test_a_run_in_another_thread_is_the_same_run(tmp_path, undisturbed, caplog):
    """Where Python lets nobody catch signals: it says so, and leaves them to the program."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with ThreadPoolExecutor() as threads:
        result = threads.submit(make_run(tmp_path).train, "command").result()
    assert_same_run(tmp_path, result, undisturbed)
    assert "training outside the main thread: SIGTERM and SIGINT are not caught" in caplog.text
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


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


@pytest.mark.parametrize("damaged", [["12"], ["8", "12"]])
def test_a_damaged_checkpoint_is_uninterrupted_too(damaged, tmp_path, undisturbed, rng, caplog):
    """One step back, and the run ends as if nothing had been; with none left it touches nothing."""
    path = tmp_path / "run"
    make_run(path, save_every=4).train("command")
    (path / "result.json").unlink()
    for step in damaged:
        DAMAGES["bit flipped"](path / "checkpoints" / step, rng)
    if len(damaged) == 1:
        run = make_run(path)
        assert_same_run(path, run.train("command"), undisturbed)
        assert "12 is damaged" in caplog.text
        assert "going on from step 8 of 12" in run.console.file.getvalue()
        assert (path / "checkpoints" / "12.damaged").is_dir()
    else:
        before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name != "lock"}
        with pytest.raises(UserError, match="none is left to go on from"):
            make_run(path).train("command")
        assert before == {p: p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name != "lock"}


@pytest.mark.parametrize("failures", [1, 2, 4])
def test_a_save_that_fails_is_reported_and_made_up_for(failures, tmp_path, monkeypatch, undisturbed):
    """In the middle, at the end of the first epoch, and at the end of the run."""
    save, left = Checkpoints.save, failures

    def failing(self, step, checkpoint):
        nonlocal left
        if left and step >= 4:
            left -= 1
            raise SaveError("No space left on device")
        save(self, step, checkpoint)

    monkeypatch.setattr(Checkpoints, "save", failing)
    monkeypatch.setattr(saver, "RETRIES", (0.0, 0.0, 0.0))
    run = make_run(tmp_path, save_every=4)
    result = run.train("command")
    printed = run.console.file.getvalue()
    assert printed.count("No space left on device") == failures
    assert "warning: step 4 cannot be saved (No space left on device); no checkpoint was saved yet" in printed
    assert_same_run(tmp_path, result, undisturbed)


def test_what_cannot_be_saved_in_the_end_is_no_result(tmp_path, monkeypatch, undisturbed):
    path = tmp_path / "run"
    save = Checkpoints.save

    def failing(self, step, checkpoint):
        if step > 6:
            raise SaveError("No space left on device")
        save(self, step, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", failing)
        patch.setattr(saver, "RETRIES", (0.0, 0.0, 0.0))
        with pytest.raises(SaveError, match="cannot be saved; the checkpoint of step 6 is intact"):
            make_run(path).train("command")
    assert not (path / "result.json").exists()
    assert_same_run(path, make_run(path).train("command"), undisturbed)


def test_a_log_that_cannot_be_written_is_made_up_for(tmp_path, monkeypatch, undisturbed):
    """The disk is full from step 2 to 4, and takes half a line."""
    path = tmp_path / "run"
    run = make_run(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        size = (path / "metrics.jsonl").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))

    advance = run._progress.advance

    def advancing(step, epoch):
        if step == 3:
            fill()
        if step == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        advance(step, epoch)

    monkeypatch.setattr(run._progress, "advance", advancing)
    try:
        result = run.train("command")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "warning: the log cannot be written (File too large)" in run.console.file.getvalue()
    assert_same_run(path, result, undisturbed)


def test_a_directory_in_use_is_refused_and_a_lock_left_behind_is_not(tmp_path, undisturbed):
    path = tmp_path / "run"
    path.mkdir()
    (path / "lock").write_text("process 1 on a machine that is gone")
    with make_run(path).directory.lock():
        with pytest.raises(UserError, match=rf"in use by process {os.getpid()} on .*: wait"):
            make_run(path).train("command")
        assert [p.name for p in path.iterdir()] == ["lock"]
    assert_same_run(path, make_run(path).train("command"), undisturbed)


def test_epochs_can_be_added(tmp_path):
    """A finished run goes on, another learning rate included, and says what is new; fewer are refused."""
    make_run(tmp_path).train("command")
    more = with_flat(CONFIG, epochs=3, unroll="dynamic")
    run = make_run(tmp_path, more)
    assert run.directory.finished(NAME, more) is None
    result = run.train("command")
    assert "going on from step 12 of 18, with unroll: auto against dynamic; epochs: 2 against 3" in (
        run.console.file.getvalue()
    )
    assert result["epochs_run"] == 3
    assert [r["epoch"] for r in metrics_of(tmp_path) if r["kind"] == "epoch"] == [1, 2, 3]
    assert RunDirectory(tmp_path).finished(NAME, with_flat(more, unroll="static")) == result
    with pytest.raises(UserError, match="has trained for 3 epochs already: --epochs 2 is too few"):
        make_run(tmp_path).train("command")
    assert RunDirectory(tmp_path).finished(NAME, more) == result


def test_the_best_epoch_is_what_is_evaluated(tmp_path):
    """With a learning rate that ruins the later epochs, the test figures are those of the best one."""
    run = make_run(tmp_path, with_flat(CONFIG, epochs=4, learning_rate=0.5))
    result = run.train("command")
    again = run._evaluate(weights(tmp_path), run.data.test)
    assert again.figures == {name: result[f"test_{name}"] for name in ("loss", "accuracy")}


def test_without_validation_the_last_epoch_counts(tmp_path, undisturbed):
    """A refit; and what is held out changes nothing of the training."""
    result = make_run(tmp_path, data=make_data(validation=0)).train("")
    assert result["validation_accuracy"] is None
    assert (result["best_epoch"], result["epochs_run"]) == (2, 2)
    records = metrics_of(tmp_path)
    assert [r["validation_accuracy"] for r in records if r["kind"] == "epoch"] == [None, None]
    assert [r for r in records if r["kind"] == "train"] == [
        r for r in metrics_of(undisturbed[0]) if r["kind"] == "train"
    ]


def test_a_trial_never_reads_the_test_split(tmp_path, undisturbed):
    """It has none to read, and is otherwise the same run."""
    run = make_run(tmp_path, test=False)
    run.data = run.data._replace(test=None)
    result = run.train("command")
    assert (result["test_accuracy"], result["test_loss"], result["test_examples"]) == (None, None, 0)
    assert result["validation_accuracy"] == undisturbed[1]["validation_accuracy"]
    assert metrics_of(tmp_path) == metrics_of(undisturbed[0])


def test_it_is_recorded_which_test_reviews_were_answered_right(undisturbed):
    """In the order of the reviews, whatever the order of the batches."""
    path, result = undisturbed
    apply, _ = split(lambda: make_model(CONFIG))
    test, params = make_data().test, weights(path)
    logits = [apply(params, tokens[None], np.array([len(tokens)]))[0] for tokens in test.sequences]
    right = [int((logit > 0) == label) for logit, label in zip(logits, test.labels, strict=True)]
    assert (path / "test_correct.txt").read_text() == "".join(map(str, right)) + "\n"
    assert result["test_accuracy"] == pytest.approx(np.mean(right))
    (short, *longer) = result["test_by_length"]  # the reviews have 2 to 11 words
    assert short == {"up_to": 100, "reviews": len(right), "correct": sum(right)}
    assert all(counts["reviews"] == counts["correct"] == 0 for counts in longer)


def test_reviews_are_counted_by_length():
    words = np.array([0, 100, 101, 600, 601, 1000, 1001, 9000])
    correct = np.array([True, False, True, True, False, False, True, True])
    counts = [tuple(c.values()) for c in count_by_length(correct, words) if c["reviews"]]
    assert counts == [(100, 2, 1), (150, 1, 1), (600, 1, 1), (1000, 2, 0), (None, 2, 2)]


def test_a_run_stops_when_patience_runs_out(tmp_path, monkeypatch):
    """Before the sixth epoch is over it is interrupted, and remembers."""
    scores = iter([0.5, 0.8, 0.7, 0.8, 0.6, 0.7, 0.99])
    evaluate = Evaluator.__call__

    def scored(self, params, examples):
        found = evaluate(self, params, examples)
        return found._replace(figures=found.figures | {"accuracy": next(scores)})

    monkeypatch.setattr(Evaluator, "__call__", scored)
    config = with_flat(CONFIG, epochs=7, patience=2)
    do_at_step(monkeypatch, 32, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(InterruptedRunError):
        make_run(tmp_path, config, test=False).train("command")
    result = make_run(tmp_path, config, test=False).train("command")
    assert (result["epochs_run"], result["best_epoch"]) == (6, 4)
    assert result["validation_accuracy"] == pytest.approx(0.8)


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_the_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run"
    make_batch = Bucketed.batch
    made = 0

    def poisoned(*arguments):
        nonlocal made
        made += arguments[0] is run.data.train
        batch = make_batch(*arguments)
        return batch if made != 10 else batch._replace(weights=np.full(8, np.nan, np.float32))

    monkeypatch.setattr(Bucketed, "batch", poisoned)
    run = make_run(path)
    with pytest.raises(NotFiniteError) as error:
        run.train("command")
    plan = run.data.train.epoch(0, 1)[3]
    assert (
        "not finite since step 10, batch 4 of epoch 2 "
        f"(training examples {plan.indices[0]}, {plan.indices[1]}" in str(error.value)
    )
    assert f"padded to {plan.length} steps); the checkpoint of step 6 is intact" in str(error.value)
    assert not (path / "result.json").exists()
    assert Checkpoints(path / "checkpoints").newest() == 6
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(weights(path)))


@pytest.mark.parametrize(
    "devices",
    [
        pytest.param((1,), marks=pytest.mark.slow),
        pytest.param((4,), marks=pytest.mark.slow),
        (1, 2),
        pytest.param((4, 1), marks=pytest.mark.slow),
    ],
)
def test_the_number_of_devices_does_not_matter(devices, tmp_path, undisturbed, monkeypatch):
    """But for the order in which floats are added up; also where a run is moved in the middle of an epoch."""
    need_devices(max(devices))
    if len(devices) == 2:
        do_at_step(monkeypatch, 8, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(InterruptedRunError):
            make_run(tmp_path, devices=devices[0]).train("command")
    result = make_run(tmp_path, devices=devices[-1]).train("command")
    assert result["test_loss"] == pytest.approx(undisturbed[1]["test_loss"], rel=1e-4)
    ours, theirs = metrics_of(tmp_path), metrics_of(undisturbed[0])
    for a, b in zip(ours, theirs, strict=True):
        assert a.pop("kind") == b.pop("kind")
        assert a == pytest.approx(b, rel=1e-3, abs=1e-3)


def test_the_same_seed_gives_the_same_digits_and_another_others(tmp_path, undisturbed):
    same = make_run(tmp_path / "same").train("command")
    assert_same_run(tmp_path / "same", same, undisturbed)
    other = make_run(tmp_path / "other", with_flat(CONFIG, seed=1)).train("command")
    assert other["test_loss"] != same["test_loss"]


def test_a_new_run_can_start_from_other_weights(tmp_path, undisturbed):
    start = weights(undisturbed[0])
    config = with_flat(CONFIG, epochs=1, learning_rate=1e-9)
    make_run(tmp_path, config).train("command", start)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), weights(tmp_path), start)
