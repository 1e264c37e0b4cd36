"""What people look at while a run goes on: its log for TensorBoard, and a trace of some steps."""

import gzip
import io
import json

import jax
import pytest
from rich.console import Console

from rnn_jax.data import tfrecord
from rnn_jax.errors import UserError
from rnn_jax.settings import with_flat
from rnn_jax.training.optimizer import make_schedule
from tests.training.runs import CONFIG, make_run


def events(folder):
    """The figures of all event files, in the order in which they were written: `(tag, step, value)`."""
    protocol = pytest.importorskip("tensorboardX.proto.event_pb2", reason="pip install tensorboardX")
    found = []
    for file in sorted(folder.iterdir()):
        for content in tfrecord.read(file):
            event = protocol.Event.FromString(content)
            if event.HasField("session_log"):
                found.append(("from", event.step, None))
            found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
    return found


def test_tensorboard_gets_every_figure_of_the_log(tmp_path):
    make_run(tmp_path, tensorboard=True).train("test")
    found = {(tag, step): value for tag, step, value in events(tmp_path / "tensorboard")}
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    expected = {
        (f"{record['kind']}/{name}", record["step"]): value
        for record in records
        for name, value in record.items()
        if name not in ("kind", "epoch", "step", "elapsed_seconds")
    }
    assert ("epoch/validation_accuracy", 12) in expected
    assert ("train/gradient_norm", 2) in expected
    assert {key: pytest.approx(value) for key, value in expected.items()} == {
        key: value for key, value in found.items() if key[0] != "from"
    }


def test_what_was_written_after_the_checkpoint_is_dropped(tmp_path):
    make_run(tmp_path, with_flat(CONFIG, epochs=1), tensorboard=True).train("test")
    make_run(tmp_path, with_flat(CONFIG, epochs=2), tensorboard=True).train("test")
    assert [step for tag, step, _ in events(tmp_path / "tensorboard") if tag == "from"] == [1, 7]


def test_the_learning_rate_is_that_of_the_step(tmp_path):
    settings = with_flat(CONFIG, schedule="cosine", warm_up=0.2)
    make_run(tmp_path, settings).train("test")
    rate = make_schedule(CONFIG.training.learning_rate, 12, "cosine", 0.2)
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    rates = {r["step"]: r["learning_rate"] for r in records if r["kind"] == "train"}
    assert rates == {step: pytest.approx(float(rate(step - 1))) for step in (2, 4, 6, 8, 10, 12)}


def test_a_trace_holds_the_steps(tmp_path):
    settings = with_flat(CONFIG, epochs=1)
    make_run(tmp_path / "run", settings, profile=str(tmp_path / "trace")).train("test")
    [trace] = (tmp_path / "trace").rglob("perfetto_trace.json.gz")
    found = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    names = [event.get("name", "") for event in found]
    assert names.count("train_step") == 3  # of six, the first three come before
    assert any("fusion" in name for name in names)  # what XLA makes of them


@pytest.mark.slow
def test_a_trace_goes_on_over_short_epochs(tmp_path):
    settings = with_flat(CONFIG, epochs=10, batch_size=44, buckets=1)
    make_run(tmp_path / "run", settings, profile=str(tmp_path / "trace"), devices=1).train("test")
    [trace] = (tmp_path / "trace").rglob("perfetto_trace.json.gz")
    found = json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    assert [event.get("name", "") for event in found].count("train_step") == 5


def test_a_full_disk_ends_neither_trace_nor_run(tmp_path, monkeypatch, capsys):
    writer = pytest.importorskip("tensorboardX.event_file_writer", reason="pip install tensorboardX")

    def full(*_):
        raise OSError(28, "No space left on device")

    def stop():
        profiler()
        full()

    profiler = jax.profiler.stop_trace
    monkeypatch.setattr(jax.profiler, "stop_trace", stop)
    console = Console(file=io.StringIO())
    run = make_run(tmp_path / "run", tensorboard=True, profile=str(tmp_path / "trace"), console=console)
    flush, failures = writer.EventsWriter.flush, iter([full])  # the disk is full once
    monkeypatch.setattr(writer.EventsWriter, "flush", lambda self: next(failures, flush)(self))
    assert run.train("test")["epochs_run"] == 2
    said = console.file.getvalue()
    assert "the file for TensorBoard cannot be written (No space left on device)" in said
    assert "the trace cannot be written" in said


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    run = make_run(tmp_path / "run", profile=str(tmp_path / "file" / "trace"))
    with pytest.raises(UserError, match=r"--profile .*trace cannot be written"):
        run.train("test")
