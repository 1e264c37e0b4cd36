"""The scripts as people use them: train, restart, evaluate, predict."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest

from experiments import evaluate, imdb_sentiment, predict
from rnn_jax.errors import UserError
from tests.conftest import DEVICES

SMALL = shlex.split(
    "--dataset synthetic --train-examples 120 --epochs 2 --batch-size 40 --hidden-size 4 --embedding-size 4 "
    "--max-length 40 --buckets 1"
)


@pytest.fixture
def script(monkeypatch, capsys):
    """Runs a script's main with arguments; returns its exit code and what it printed."""

    def call(module, *arguments):
        monkeypatch.setattr(
            sys, "argv", [f"experiments/{module.__name__.split('.')[-1]}.py", *map(str, arguments)]
        )
        capsys.readouterr()
        code = module.main()
        return code or 0, capsys.readouterr().out

    return call


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run."""
    path = tmp_path_factory.mktemp("runs") / "trained"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["imdb_sentiment", *SMALL, "--workdir", str(path)])
        assert imdb_sentiment.main() == 0
    return path


def test_a_run_leaves_what_was_promised(trained):
    assert {p.name for p in trained.iterdir()} == {
        *("config.json", "vocabulary.txt", "metrics.jsonl", "checkpoints", "result.json", "lock")
    }
    result = json.loads((trained / "result.json").read_text())
    assert result.keys() >= {
        *("dataset", "cell", "unroll", "seed", "parameters", "epochs_run", "validation_accuracy"),
        *("test_accuracy", "test_examples", "train_seconds", "examples_per_second", "command", "commit"),
        *("versions", "hardware"),
    }
    assert result["dataset"] == "synthetic"
    assert result["test_examples"] == 2000
    assert result["command"].startswith("python -m experiments.imdb_sentiment --dataset synthetic")
    config = json.loads((trained / "config.json").read_text())
    assert config["dataset"] == "synthetic"
    assert config["hidden_size"] == 4


def test_a_trial_shows_no_test_figure(tmp_path, script):
    for _ in range(2):  # when it is trained, and when it is reported
        code, printed = script(imdb_sentiment, *SMALL, "--workdir", tmp_path / "trial", "--no-test")
        assert code == 0
        assert "test split not read" in printed
        assert "test accuracy" not in printed


def test_a_finished_run_is_reported_and_not_trained_again(trained, script, monkeypatch):
    monkeypatch.setattr(imdb_sentiment.Run, "train", None)
    before = (trained / "metrics.jsonl").read_bytes()
    code, printed = script(imdb_sentiment, *SMALL, "--workdir", trained)
    assert code == 0
    assert "has finished already" in printed
    assert "test accuracy" in printed
    assert (trained / "metrics.jsonl").read_bytes() == before


def test_a_dry_run_shows_the_plan_and_writes_nothing(tmp_path, script):
    code, printed = script(
        imdb_sentiment, *SMALL, "--workdir", tmp_path / "new", "--dry-run", "--cell", "gru"
    )
    assert code == 0
    assert "2 epochs of 3 steps, 40 reviews a step" in printed
    for part in ("gru", "embedding", "max over time", "dense, sigmoid", "120 to train on", "<start>"):
        assert part in printed
    assert not (tmp_path / "new").exists()


def test_presets_are_starting_points_for_options(tmp_path, script):
    arguments = ("--dataset", "synthetic", "--workdir", tmp_path / "new", "--dry-run")
    _, printed = script(imdb_sentiment, *arguments, "--preset", "elman", "--hidden-size", "5")
    settings = dict(line.split(None, 1) for line in printed.splitlines()[:22])
    assert settings["cell"] == "elman"
    assert settings["hidden_size"] == "5"
    assert settings["vocabulary_size"] == "10000"


def test_synthetic_reviews_get_their_own_settings_but_for_what_is_asked(tmp_path, script):
    arguments = ("--workdir", tmp_path / "new", "--dry-run", "--dataset", "synthetic", "--dropout", "0.25")
    _, printed = script(imdb_sentiment, *arguments)
    settings = dict(line.split(None, 1) for line in printed.splitlines()[:22])
    assert settings["word_dropout"] == "0.0"
    assert settings["dropout"] == "0.25"
    assert settings["learning_rate"] == "0.01"


def test_a_new_run_starts_from_the_best_weights_of_another(tmp_path, trained, script):
    code, _ = script(
        imdb_sentiment,
        *SMALL,
        "--workdir",
        tmp_path / "new",
        "--init-from",
        trained,
        "--learning-rate",
        "1e-9",
    )
    assert code == 0
    old, new = (json.loads((p / "result.json").read_text()) for p in (trained, tmp_path / "new"))
    assert new["test_loss"] == pytest.approx(old["test_loss"], rel=1e-4)


def test_evaluation_gives_the_recorded_accuracy(trained, script):
    result = json.loads((trained / "result.json").read_text())
    _, printed = script(evaluate, "--workdir", trained)
    assert (
        f"synthetic test: accuracy {result['test_accuracy']:.2%}, loss {result['test_loss']:.4f}" in printed
    )
    assert "2,000 reviews" in printed
    _, printed = script(evaluate, "--workdir", trained, "--split", "validation", "--num-devices", "1")
    assert f"accuracy {result['validation_accuracy']:.2%}" in printed
    assert "1,000 reviews" in printed


def test_predictions_are_those_of_the_network_on_the_same_tokens(trained, script):
    """By hand: encode, cut, pad, apply, sigmoid."""
    import numpy as np

    from rnn_jax.data.examples import finish
    from rnn_jax.models.functional import split
    from rnn_jax.training.run_directory import RunDirectory
    from rnn_jax.training.weights import best_weights

    texts = ["I did not like it. " * 30, "Splendid!<br />Never dull, UNSEENWORD", "a"]
    run = RunDirectory(trained)
    config, vocabulary, params = run.read_config(), run.read_vocabulary(), best_weights(run)
    apply, _ = split(config.make_model)
    _, printed = script(predict, "--workdir", trained, "--json", *texts)
    for text, line in zip(texts, printed.splitlines(), strict=True):
        tokens = finish(vocabulary.encode(text), vocabulary.size, config.max_length, config.truncate)
        positive = 1 / (1 + np.exp(-float(apply(params, tokens[None], np.array([len(tokens)]))[0])))
        answer = json.loads(line)
        assert answer["text"] == text
        assert answer["label"] == ("positive" if positive > 0.5 else "negative")
        assert answer["probability"] == pytest.approx(max(positive, 1 - positive), abs=2e-6)


def test_texts_come_from_standard_input_a_line_each(trained):
    lines = [f"review number {i} was fine" for i in range(130)]  # more than one batch
    command = [sys.executable, "-m", "experiments.predict", "--workdir", str(trained)]
    run = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    printed = run.stdout.splitlines()
    assert [line.split("  ", 1)[1] for line in printed] == lines
    assert all(line.split()[0] in ("positive", "negative") for line in printed)
    assert run.stderr == ""


BAD = [
    (imdb_sentiment, "--cell lstn --workdir {new}", r"'lstn'.*--cell.*'lstm'"),
    (imdb_sentiment, "--unroll magic --workdir {new}", r"'magic'.*--unroll.*'dynamic'"),
    (imdb_sentiment, "--preset other --workdir {new}", r"'other'.*--preset.*'elman'"),
    (imdb_sentiment, "--hiden-size 3 --workdir {new}", r"--hiden-size.*--hidden-size"),
    (imdb_sentiment, "--hidden-size many --workdir {new}", r"--hidden-size.*'many'"),
    (imdb_sentiment, "--hidden-size 0 --workdir {new}", r"--hidden-size 0: must be above 0"),
    (imdb_sentiment, "--embedding-size -1 --workdir {new}", r"--embedding-size -1: must be above 0"),
    (imdb_sentiment, "--num-layers 0 --workdir {new}", r"--num-layers 0: must be above 0"),
    (imdb_sentiment, "--batch-size 0 --workdir {new}", r"--batch-size 0: must be above 0"),
    (imdb_sentiment, "--epochs 0 --workdir {new}", r"--epochs 0: must be above 0"),
    (imdb_sentiment, "--learning-rate 0 --workdir {new}", r"--learning-rate 0.*must be above 0"),
    (imdb_sentiment, "--learning-rate nan --workdir {new}", r"--learning-rate nan: must be"),
    (imdb_sentiment, "--max-length 1 --workdir {new}", r"--max-length 1: must leave room"),
    (imdb_sentiment, "--vocabulary-size 3 --workdir {new}", r"--vocabulary-size 3: must be 4 or more"),
    (imdb_sentiment, "--dropout 1 --workdir {new}", r"--dropout 1.*must be 0 or more, and below 1"),
    (imdb_sentiment, "--seed -1 --workdir {new}", r"--seed -1: must be 0 or more"),
    (imdb_sentiment, "--log-every 0 --workdir {new}", r"--log-every 0: must be above 0"),
    (imdb_sentiment, "--num-devices 3 --batch-size 40 --workdir {new}", r"evenly by 3|this host has 1"),
    (imdb_sentiment, "--num-devices 99 --workdir {new}", rf"--num-devices 99: this host has {DEVICES}"),
    (imdb_sentiment, "--num-devices 0 --workdir {new}", rf"--num-devices 0: this host has {DEVICES}"),
    (imdb_sentiment, "--dataset imdb --data-dir {new} --workdir {new}", r"prepare_data"),
    (imdb_sentiment, "{small} --train-examples 99999 --workdir {new}", r"99999 is more than the 9000"),
    (imdb_sentiment, "{small} --workdir {file}", r"--workdir .*file is a file"),
    (imdb_sentiment, "{small} --workdir {folder}", r"holds other files"),
    (imdb_sentiment, "{small} --workdir {trained} --cell gru --epochs 3", r"cell: lstm against gru; epochs"),
    (imdb_sentiment, "{small} --workdir {new} --init-from {folder}", r"is not a run directory"),
    (imdb_sentiment, "{small} --workdir {new} --init-from {trained} --hidden-size 5", r"hidden_size 4"),
    (imdb_sentiment, "", r"--workdir"),
    (evaluate, "--workdir {folder}", r"is not a run directory"),
    (evaluate, "--workdir {begun}", r"holds no checkpoint"),
    (evaluate, "--workdir {trained} --split dev", r"'dev'.*--split"),
    (predict, "--workdir {folder} text", r"is not a run directory"),
    (predict, "--workdir {begun} text", r"holds no checkpoint"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "arguments", "message"), BAD, ids=[b[1] for b in BAD])
def test_bad_input_gets_one_clear_line(module, arguments, message, tmp_path, trained, script):
    places = {name: tmp_path / name for name in ("new", "file", "folder", "begun")}
    places["file"].write_text("mine")
    places["folder"].mkdir()
    (places["folder"] / "notes.txt").write_text("mine")
    places["begun"].mkdir()
    (places["begun"] / "config.json").write_bytes((trained / "config.json").read_bytes())
    line = arguments.format(small=" ".join(SMALL), trained=trained, **places)
    with pytest.raises(UserError, match=message) as error:
        script(module, *line.split())
    assert "\n" not in str(error.value)
    assert not places["new"].exists()
    assert places["file"].read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text 2 holds no words"),
        (" ... !", "text 2 holds no words"),
        ("good " * 250_000, "text 2 has 1,250,000 characters"),
        ("caf\udce9", "text 2 is not UTF-8"),
    ],
)
def test_a_text_that_cannot_be_classified_is_named(text, message, trained, script):
    with pytest.raises(UserError, match=message):
        script(predict, "--workdir", trained, "a good film", text)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "no text"), (b"good\n\xff\n", "not UTF-8"), (b"good\n\nbad", "text 2")]
)
def test_bad_standard_input_ends_with_one_line_and_code_2(content, message, trained):
    command = [sys.executable, "-m", "experiments.predict", "--workdir", str(trained)]
    run = subprocess.run(command, input=content, capture_output=True, check=False)
    assert run.returncode == 2
    assert run.stdout == b""
    (line,) = run.stderr.decode().splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_distributed_without_a_cluster_ends_with_one_line_and_code_2(tmp_path):
    command = [
        sys.executable,
        "-m",
        "experiments.imdb_sentiment",
        "--distributed",
        "--workdir",
        str(tmp_path / "run"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: --distributed finds no cluster")


def test_sigterm_saves_and_the_same_command_goes_on(tmp_path):
    """As a cluster does it, from outside."""
    slow = [*SMALL, "--epochs", "2000", "--workdir", str(tmp_path / "run")]
    command = [sys.executable, "-m", "experiments.imdb_sentiment", *slow]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while (
        not (tmp_path / "run" / "metrics.jsonl").exists()
        or not (tmp_path / "run" / "metrics.jsonl").read_text()
    ):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "stopped by SIGTERM after saving step" in printed
    assert not (tmp_path / "run" / "result.json").exists()
    assert list((tmp_path / "run" / "checkpoints").iterdir())


def test_two_processes_train_what_one_does(tmp_path, trained):
    """Found through Open MPI's variables, as under mpirun; each has half of every batch."""
    port = free_port()
    processes = []
    for rank in range(2):
        found_by = {
            "OMPI_MCA_orte_hnp_uri": "1.0;tcp://127.0.0.1:1",
            "OMPI_COMM_WORLD_SIZE": "2",
            "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
            "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
            "JAX_PLATFORMS": "cpu",
        }
        command = [sys.executable, "-m", "experiments.imdb_sentiment", *SMALL, "--distributed"]
        command += ["--num-devices", "1", "--workdir", str(tmp_path / "run")]
        processes.append(
            subprocess.Popen(command, env=os.environ | found_by, stdout=subprocess.PIPE, text=True)
        )
    printed = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert "test accuracy" in printed[0]
    assert "test accuracy" not in printed[1]
    ours, theirs = (json.loads((p / "result.json").read_text()) for p in (tmp_path / "run", trained))
    assert ours["hardware"]["num_hosts"] == 2
    assert ours["test_loss"] == pytest.approx(theirs["test_loss"], rel=1e-3)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
