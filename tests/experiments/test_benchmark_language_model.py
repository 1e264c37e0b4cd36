"""The script from end to end on a few lines of text."""

import json
import shlex
import sys

import pytest

from experiments import benchmark_language_model, command_line, language_model

pytestmark = pytest.mark.slow

SMALL = "--length 8 --batch-size 4 --embedding-size 3 --hidden-size 4"
TEXT = "".join(f"the {a} {b} runs.\n" for a in ("old", "red", "big") for b in ("dog", "cat", "fox")) * 8


def call(module, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"experiments/{module.__name__.split('.')[-1]}.py", *map(str, arguments)])
        return module.main() or 0


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def benchmark(text, tmp_path):
    """Runs the script on the text; returns the rows recorded."""

    def measure(what, *arguments):
        options = ["--output", tmp_path / "out", "--what", what, "--dataset", text, "--num-devices", 1]
        assert call(benchmark_language_model, *options, "--quick", *shlex.split(SMALL), *arguments) == 0
        lines = (tmp_path / "out" / f"{what}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    return measure


def test_those_that_took_turns_are_replaced_together(benchmark, tmp_path, capsys):
    pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    ours, theirs = benchmark("speed", "--peers", "torch")
    assert (ours["library"], theirs["library"]) == ("rnn_jax", "torch")
    for row in (ours, theirs):
        assert len(row["tokens_per_second"]) == 2
        assert min(row["tokens_per_second"]) > 0
        assert row["config"]["hidden_size"] == 4
        assert row["dataset"] == "text.txt"
        assert row["hardware"]["num_devices"] == 1
        assert row["load_before"] >= 0
        assert "torch" in row["versions"]
        assert row["command"].startswith("python -m experiments.benchmark_language_model --output")
    assert (tmp_path / "out" / "speed.md").read_text() == capsys.readouterr().out
    assert [row["library"] for row in benchmark("speed")] == ["rnn_jax"]  # that of torch is of another turn
    rows = benchmark("speed", "--peers", "torch", "--no-ours", "--cell", "gru")
    assert [(row["library"], row["config"]["cell"]) for row in rows] == [
        ("rnn_jax", "lstm"),
        ("torch", "gru"),
    ]


def test_a_curve_of_one_library_is_replaced_alone(benchmark):
    pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    rows = benchmark("curve", "--peers", "torch")
    assert [row["library"] for row in rows] == ["rnn_jax", "torch"]
    for row in rows:
        first, second = row["epochs"]
        assert 0 < first["seconds"] < second["seconds"]
        assert second["validation_loss"] < first["validation_loss"]
    again = benchmark("curve", "--peers", "torch", "--no-ours")
    assert again[0] == rows[0]
    assert again[1] != rows[1]
    losses = [[epoch["validation_loss"] for epoch in row["epochs"]] for row in (again[1], rows[1])]
    assert losses[0] == losses[1]  # what is drawn follows from the seed


def test_writing_is_timed_by_length(text, tmp_path, capsys):
    workdir = tmp_path / "run"
    small = [*shlex.split(SMALL), "--epochs", 1, "--dataset", text]
    assert call(language_model, *small, "--workdir", workdir) == 0
    options = ["--output", tmp_path, "--what", "generation", "--workdir", workdir]
    assert call(benchmark_language_model, *options, "--turns", 3, "--lengths", 3, 6) == 0
    assert call(benchmark_language_model, *options, "--quick") == 0
    rows = [json.loads(line) for line in (tmp_path / "generation.jsonl").read_text().splitlines()]
    assert [(row["length"], len(row["seconds"])) for row in rows] == [(3, 3), (6, 3), (8, 2), (16, 2)]
    assert all(row["config"]["hidden_size"] == 4 for row in rows)  # of the run, not of the command
    assert capsys.readouterr().out.endswith((tmp_path / "generation.md").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--what generation", "--what generation needs --workdir, the directory of a trained language model"),
        ("--what generation --workdir nowhere", "nowhere"),
        ("--what generation --workdir x --lengths 5 0", "--lengths 0: must be above 0"),
        ("--what all", "invalid choice 'all' for argument '--what'"),
        ("--peers keras", "invalid choice 'keras' for argument '--peers'"),
        ("--no-ours", "--no-ours leaves nobody to train"),
        ("--turns 0", "--turns 0: must be above 0"),
        ("--seconds 0", "--seconds 0.0: must be above 0"),
        ("--peers torch --cell mgu", "--peers torch: --cell mgu: is one of lstm, gru there"),
        ("--peers torch --weight-dropout 0.5", "--weight-dropout 0.5: is not built there"),
        ("--dataset nothing", "nothing is neither"),
        ("--hidden-size 0", "--hidden-size 0: must be above 0"),
        ("--preset", "--preset"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark.py", "--output", "out", *shlex.split(arguments)])
    with pytest.raises(SystemExit) as end:
        command_line.run(benchmark_language_model.main)
    assert end.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: ")
    assert message in said
    assert not (tmp_path / "out").exists()


def test_a_missing_torch_is_told_before_the_work(text, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    options = ["--output", str(tmp_path / "out"), "--dataset", str(text), "--peers", "torch"]
    monkeypatch.setattr(sys, "argv", ["benchmark.py", *options])
    with pytest.raises(SystemExit) as end:
        command_line.run(benchmark_language_model.main)
    assert end.value.code == 2
    assert "--peers torch: PyTorch is not installed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
