"""The scripts as people use them: train, restart, evaluate, predict."""

import io
import json
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from experiments import command_line, evaluate, imdb_sentiment, predict
from experiments.presets import PRESETS
from experiments.reproduce import ROWS
from rnn_jax.data.vocabulary import BYTES
from rnn_jax.errors import UserError
from rnn_jax.models import count_parameters, summarize
from rnn_jax.models.functional import split
from rnn_jax.settings import check, to_flat
from rnn_jax.tasks.predictor import Predictor
from rnn_jax.tasks.text_classification import RECIPE, Settings
from rnn_jax.tasks.text_classifier import make_model

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
        *("config.json", "vocabulary.txt", "metrics.jsonl", "checkpoints", "result.json", "lock"),
        *("labels.json", "test_correct.txt"),
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


@pytest.mark.slow
def test_a_trial_shows_no_test_figure(tmp_path, script):
    for _ in range(2):  # when it is trained, and when it is reported
        code, printed = script(imdb_sentiment, *SMALL, "--workdir", tmp_path / "trial", "--no-test")
        assert code == 0
        assert "test split not read" in printed
        assert "test accuracy" not in printed


@pytest.mark.slow
def test_the_test_split_of_a_trial_can_still_be_read(tmp_path, trained, script):
    """By the same command without --no-test, and without training again."""
    path = tmp_path / "trial"
    script(imdb_sentiment, *SMALL, "--workdir", path, "--no-test")
    log = (path / "metrics.jsonl").read_text()
    code, printed = script(imdb_sentiment, *SMALL, "--workdir", path)
    assert code == 0
    assert "test accuracy" in printed
    shown = re.search(r"review, decoded: <start> .* …\n +it is (\w+), and the network says (\w+),", printed)
    right = (path / "test_correct.txt").read_text()[0] == "1"
    assert (shown[1] == shown[2]) == right
    found, expected = (json.loads((p / "result.json").read_text()) for p in (path, trained))
    assert found["test_accuracy"] == expected["test_accuracy"]
    assert (path / "metrics.jsonl").read_text() == log


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
    settings = dict(line.split(None, 1) for line in printed.splitlines()[: len(to_flat(Settings()))])
    assert settings["cell"] == "elman"
    assert settings["hidden_size"] == "5"
    assert settings["vocabulary_size"] == "10000"


def test_the_introduction_is_that_of_introductory_texts_and_the_first_row():
    """Nothing that the project adds."""
    config = PRESETS["introduction"]
    summary = summarize(make_model(config), config.text.max_length)
    assert (
        count_parameters(split(lambda: make_model(config))[1]()) == 10_000 * 32 + 32 * (32 + 32 + 1) + 32 + 1
    )
    assert "elman" in summary
    training, text = config.training, config.text
    assert (training.epochs, training.batch_size, text.max_length, text.buckets) == (10, 128, 500, 1)
    assert (training.optimizer, training.learning_rate, training.schedule) == ("rmsprop", 1e-3, "constant")
    assert config.encoder.pooling == "last"
    for added in ("word_dropout", "embedding_dropout", "dropout", "clip_norm", "average_decay", "patience"):
        assert to_flat(config)[added] == 0
    check(config)
    assert next(iter(ROWS)) == "introduction"
    assert len(ROWS["introduction"].seeds) == 5


def test_synthetic_reviews_get_their_own_settings_but_for_what_is_asked(tmp_path, script):
    arguments = ("--workdir", tmp_path / "new", "--dry-run", "--dataset", "synthetic", "--dropout", "0.25")
    _, printed = script(imdb_sentiment, *arguments)
    settings = dict(line.split(None, 1) for line in printed.splitlines()[: len(to_flat(Settings()))])
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
        f"synthetic test: loss {result['test_loss']:.4f}, accuracy {result['test_accuracy']:.2%}" in printed
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
    from rnn_jax.training.weights import open_run

    texts = ["I did not like it. " * 30, "Splendid!<br />Never dull, UNSEENWORD", "a"]
    run = RunDirectory(trained)
    config, (vocabulary, *_), _, params, _ = open_run(run.path, RECIPE)
    apply, _ = split(lambda: make_model(config))
    _, printed = script(predict, "--workdir", trained, "--json", *texts)
    for text, line in zip(texts, printed.splitlines(), strict=True):
        tokens = finish(
            vocabulary.encode(text), vocabulary.size, config.text.max_length, config.text.truncate
        )
        positive = 1 / (1 + np.exp(-float(apply(params, tokens[None], np.array([len(tokens)]))[0])))
        answer = json.loads(line)
        assert answer["text"] == text
        assert answer["label"] == ("positive" if positive > 0.5 else "negative")
        assert answer["probability"] == pytest.approx(max(positive, 1 - positive), abs=2e-6)


def test_a_decision_is_explained_in_the_terminal_on_a_page_and_by_its_gates(trained, script, tmp_path):
    text = "I did not like it, UNSEENWORD < b"
    page, gates = tmp_path / "page.html", tmp_path / "gates.png"
    code, printed = script(predict, "--workdir", trained, "--explain", "--page", page, "--gates", gates, text)
    assert code == 0
    assert "What moved the log-odds of positive most" in printed
    assert {"did", "not", "like", "it", "unseenword", "b"} <= set(printed.split())
    assert '<span class="unknown" title="+0.000">unseenword</span>' in page.read_text()
    assert gates.read_bytes().startswith(b"\x89PNG")


def test_several_reviews_share_a_row(tmp_path, script):
    code, printed = script(imdb_sentiment, *SMALL, "--packed", "--workdir", tmp_path / "packed")
    assert code == 0
    assert "40 rows a step on" in printed
    assert "packed with reviews up to 40 tokens" in printed


@pytest.mark.slow
def test_a_network_reads_bytes_and_explains_them(tmp_path, script):
    run, page = tmp_path / "bytes", tmp_path / "page.html"
    reads = f"--tokens bytes --vocabulary-size {BYTES.size} --truncate tail"
    code, printed = script(imdb_sentiment, *SMALL, *reads.split(), "--workdir", run)
    assert code == 0
    assert "test accuracy" in printed
    predictor = Predictor(run)
    assert predictor.vocabulary is BYTES
    assert predictor("not GOOD") != predictor("not good")  # as it is written
    assert predictor("!!!") != predictor(":-)")  # though they have no words
    assert predictor("half \ud83c") == predictor("half ?")
    assert predictor("x" * 39 + "good") == predictor("x" * 39 + "bad!")  # the start and 39 bytes are read
    code, printed = script(predict, "--workdir", run, "--explain", "--page", page, "Ré <b>")
    assert code == 0
    assert all(
        f">{name}<" in page.read_text() for name in ("R", "&lt;c3&gt;", "&lt;a9&gt;", "&lt;20&gt;", "b")
    )


def test_gates_belong_to_their_words(trained):
    """Another last word changes the gates at that word alone."""
    predictor = Predictor(trained)
    *before, one, other = predictor.vocabulary.words[-5:]
    (words, gates), (others, changed) = (predictor.gates(" ".join([*before, last])) for last in (one, other))
    assert (words, others) == ([*before, one], [*before, other])
    for name, values in gates.items():
        assert len(values) == len(words)
        np.testing.assert_array_equal(values[:-1], changed[name][:-1])
        assert not np.allclose(values[-1], changed[name][-1], atol=1e-5)


def test_explanations_that_cannot_be_written(trained, script, tmp_path):
    for option, name, message in (
        ("--page", "no/page.html", "--page .* cannot be written: No such file"),
        ("--gates", "gates.pdf", "name a file that ends in .png"),
    ):
        with pytest.raises(UserError, match=message):
            script(predict, "--workdir", trained, option, tmp_path / name, "good")


def test_texts_come_from_standard_input_a_line_each(trained):
    lines = [f"review number {i} was fine" for i in range(130)]  # more than one batch
    command = [sys.executable, "-m", "experiments.predict", "--workdir", str(trained)]
    run = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    printed = run.stdout.splitlines()
    assert [line.split("  ", 1)[1] for line in printed] == lines
    assert all(line.split()[0] in ("positive", "negative") for line in printed)
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no text"), (b"good\n\xff\n", "not UTF-8"), (b"\n...\n", "none of the 2 texts can be classified")],
)
def test_bad_standard_input_ends_with_one_line_and_code_2(content, message, trained, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["predict.py", "--workdir", str(trained)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(SystemExit) as end:
        command_line.run(predict.main)
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert not any(line.startswith("positive") for line in printed.out.splitlines())
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_every_line_has_its_answer(trained, script, monkeypatch):
    """LF and CRLF alone end a line; the mark of byte order is dropped; no words are an answer, too."""
    content = "\ufeffgood one\u2028two\x85three\x0cfour\r\n\n ... \nUNSEENWORD\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    code, printed = script(predict, "--workdir", trained, "--json")
    assert code == 0
    first, blank, wordless, unknown = map(json.loads, printed.splitlines())
    assert first["text"] == "good one\u2028two\x85three\x0cfour"
    assert first["label"] in ("positive", "negative")
    assert "note" not in first
    for answer in (blank, wordless):
        assert (answer["label"], answer["probability"]) == (None, None)
        assert "holds no words" in answer["reason"]
    assert unknown["label"] is not None
    assert "no word of it is known" in unknown["note"]


def test_a_predictor_takes_one_text_and_any_sequence_of_texts(trained):
    predictor = Predictor(trained)
    texts = ["good", "a bad film"]
    expected = predictor(texts)
    for same in (tuple(texts), np.array(texts), np.array(texts, object), (text for text in texts)):
        np.testing.assert_array_equal(predictor(same), expected)
    assert predictor("good") == expected[0]
    for wrong in (None, 3, [1, 2], [b"good"]):
        with pytest.raises(TypeError):
            predictor(wrong)


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
