import json
import subprocess
import sys

import pytest

from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.data.vocabulary import Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import NAME, Settings
from rnn_jax.training.run_directory import RunDirectory

CONFIG = with_flat(Settings(), dataset="imdb", hidden_size=7)
PREPROCESSOR = TextPreprocessor(Vocabulary(["a", "caf\u00e9"]))


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "a" / "run")
    with run.lock():
        run.create(NAME, CONFIG, PREPROCESSOR.files())
    return run


def test_what_is_written_is_read(run):
    assert run.read(NAME, CONFIG) == CONFIG
    assert TextPreprocessor.read(run.path, with_ratios=False).vocabulary.words == ("a", "caf\u00e9")
    assert run.read_result() is None
    run.write_result({"test_accuracy": 0.5})
    assert run.read_result() == {"test_accuracy": 0.5}


def test_the_same_settings_are_welcome_and_others_are_named(run):
    run.check_usable(NAME, CONFIG)
    other = with_flat(CONFIG, cell="gru", learning_rate=0.5)
    with pytest.raises(
        UserError,
        match=r"cell: lstm against gru; learning_rate: .* against 0.5.*another --workdir"
        ".* with another accumulate, epochs, patience, unroll only",
    ):
        run.check_usable(NAME, other)


def test_a_run_that_was_killed_before_its_settings_were_written_begins_again(run):
    (run.path / "config.json").rename(run.path / "config.json.unfinished")
    for name in ("vocabulary.txt", "labels.json"):
        (run.path / name).unlink()
    run.check_usable(NAME, CONFIG)
    (run.path / "vocabulary.txt").write_text("mine")
    with pytest.raises(UserError, match="holds other files"):
        run.check_usable(NAME, CONFIG)


def test_some_settings_may_change_on_the_way(run):
    other = with_flat(CONFIG, epochs=99, patience=3, unroll="dynamic")
    run.check_usable(NAME, other)
    run.write_result({"test_accuracy": 0.5})
    assert run.finished(NAME, with_flat(CONFIG, unroll="static")) == {"test_accuracy": 0.5}
    assert run.finished(NAME, other) is None
    run.create(NAME, other)
    assert run.read(NAME, CONFIG) == other
    assert run.read_result() is None


def test_a_file_or_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="file is a file"):
        RunDirectory(tmp_path / "file").check_usable(NAME, CONFIG)
    with pytest.raises(UserError, match="holds other files"):
        RunDirectory(tmp_path).check_usable(NAME, CONFIG)
    below = RunDirectory(tmp_path / "file" / "below")
    with pytest.raises(UserError, match="cannot be written"), below.lock():
        pass
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: "{", "is damaged"),
        (lambda s: "[]", "not a JSON object"),
        (lambda s: "[" * 100_000, "is damaged"),
        (lambda s: json.dumps(s | {"hidden_size": "7"}), 'hidden_size is "7"'),
        (lambda s: json.dumps(s | {"hidden_size": 0}), "--hidden-size 0: must be above 0"),
        (lambda s: json.dumps(s | {"cell": "lstn"}), "unknown cell 'lstn'"),
        (lambda s: json.dumps(s | {"colour": 1}), "settings 'colour' are unknown"),
    ],
)
def test_damaged_settings_are_refused(run, damage, message):
    file = run.path / "config.json"
    file.write_text(damage(json.loads(file.read_text())))
    with pytest.raises(UserError, match=message):
        run.read(NAME, CONFIG)


def test_settings_of_an_earlier_version_lack_what_is_new(run):
    file = run.path / "config.json"
    settings = json.loads(file.read_text())
    del settings["zoneout"]
    file.write_text(json.dumps(settings))
    assert run.read(NAME, CONFIG) == CONFIG


def test_a_directory_without_a_run(tmp_path):
    with pytest.raises(UserError, match="is not a run directory"):
        RunDirectory(tmp_path).read(NAME, CONFIG)
    with pytest.raises(UserError, match=r"vocabulary\.txt cannot be read"):
        TextPreprocessor.read(tmp_path, with_ratios=False)


def test_one_process_at_a_time(run):
    """Another one is refused while this one lives, and not after it has died without a word."""
    hold = "import sys; from rnn_jax.training.run_directory import RunDirectory\n"
    hold += "with RunDirectory(sys.argv[1]).lock(): print('locked', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(UserError, match=f"in use by process {other.pid} on"), run.lock():
            pass
        other.kill()
    with run.lock():
        pass


def test_the_log_is_cut_back_to_a_step(run):
    for step in (2, 4, 6):
        run.append_metrics({"step": step})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7, "lo')  # a crash while writing
    assert [r["step"] for r in run.read_metrics()] == [2, 4, 6]
    run.forget_metrics_after(4)
    assert [r["step"] for r in run.read_metrics()] == [2, 4]


def test_a_run_of_another_task_is_named(run):
    message = "holds a run of another task, text_classification: choose one of other"
    with pytest.raises(UserError, match=message):
        run.check_usable("other", CONFIG)


def test_a_directory_older_than_tasks_holds_a_text_classifier(run):
    file = run.path / "config.json"
    settings = json.loads(file.read_text())
    assert settings.pop("task") == NAME
    file.write_text(json.dumps(settings))
    assert run.read_task() == NAME
    assert run.read(NAME, CONFIG) == CONFIG
