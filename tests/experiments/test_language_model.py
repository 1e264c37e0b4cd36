"""A language model as people use it: train on a file, look at the figures, let it write."""

import json
import math
import shlex
import sys

import numpy as np
import pytest

from experiments import command_line, evaluate, generate, language_model
from rnn_jax.tasks.generator import Generator
from rnn_jax.tasks.language_model import RECIPE
from rnn_jax.training.weights import open_run

SMALL = shlex.split(
    "--length 16 --batch-size 8 --embedding-size 8 --hidden-size 12 --epochs 3 --learning-rate 0.02"
)
TEXT = "".join(f"the {a} {b} runs.\n" for a in ("old", "red", "big") for b in ("dog", "cat", "fox")) * 30


def call(module, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"experiments/{module.__name__.split('.')[-1]}.py", *map(str, arguments)])
        return module.main() or 0


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def trained(text, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(language_model, *SMALL, "--dataset", text, "--workdir", path) == 0
    return path


def test_a_run_leaves_what_was_promised(trained, capsys):
    assert {p.name for p in trained.iterdir()} == {
        *("config.json", "tokens.txt", "metrics.jsonl", "checkpoints", "result.json", "lock"),
    }
    config, result = (json.loads((trained / f"{name}.json").read_text()) for name in ("config", "result"))
    assert config["task"] == result["task"] == "language_model"
    assert result["dataset"] == "text.txt"
    assert result["test_examples"] == round(0.05 * len(TEXT)) - 1
    assert result["test_unknown"] == 0
    assert result["test_perplexity"] == pytest.approx(math.exp(result["test_loss"]))
    tokens = result["test_examples"]
    bits = result["test_loss"] / math.log(2) * tokens / (tokens + 1)  # the first character is not predicted
    assert result["test_bits_per_character"] == pytest.approx(bits)
    epochs = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    losses = [line["validation_loss"] for line in epochs if line["kind"] == "epoch"]
    assert losses[-1] < losses[0]
    assert result["validation_loss"] == min(losses)
    assert call(evaluate, "--workdir", trained) == 0
    assert f"perplexity {result['test_perplexity']:.4f}" in capsys.readouterr().out


def test_the_loss_is_that_of_one_token_after_another(trained, text):
    """The log-odds of the whole test text in one pass, with its parts side by side, as NumPy adds them up."""
    settings, preprocessor, _, params, _ = open_run(trained, RECIPE)
    result = json.loads((trained / "result.json").read_text())
    generator = Generator(trained)
    tokens = preprocessor.tokenizer.encode(TEXT[-round(0.05 * len(TEXT)) :])
    part = -(-(len(tokens) - 1) // settings.training.batch_size)
    total = 0.0
    for start in range(0, len(tokens) - 1, part):
        state = generator._start(1)
        for t in range(start, min(start + part, len(tokens) - 1)):
            one = np.array([[tokens[t]]], np.int32)
            logits, state = generator._read(params, one, np.ones(1, np.int32), state)
            logits = np.asarray(logits[0], np.float64)
            total += np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[tokens[t + 1]]
    assert total / (len(tokens) - 1) == pytest.approx(result["test_loss"], rel=1e-5)


def test_text_is_drawn_from_what_the_network_says(trained):
    """A token at a time with the state carried: the distribution after the whole text so far."""
    generator = Generator(trained)
    drawn = list(generator.stream("the old", length=5, seed=3))
    assert list(generator.stream("the old", length=5, seed=3)) == drawn
    texts = generator("the old", length=40, samples=3)
    assert len(set(texts)) == 3
    assert generator("the old", length=40, samples=2, seed=0) == texts[:2]
    best = []
    for _ in range(12):
        best.append(generator.next("the old" + "".join(best))[0].token)
    assert generator("the old", length=12, top_k=1) == ["".join(best)]
    assert sum(each.probability for each in generator.next("the")) == pytest.approx(1)


def test_a_prompt_may_be_empty_or_long_or_unknown(trained, capsys):
    generator = Generator(trained)
    assert generator("", length=8, top_k=1) == generator("\n", length=8, top_k=1)
    long = TEXT[:1000]
    state = generator._start(1)
    for token in generator.tokenizer.encode(long):  # in one piece or in many
        logits, state = generator._read(
            generator._params, np.array([[token]], np.int32), np.ones(1, np.int32), state
        )
    np.testing.assert_allclose(generator._after(long)[0][1:], logits[0, 1:], atol=1e-5)
    assert call(generate, "--workdir", trained, "the ∞", "--length", 5) == 0
    printed = capsys.readouterr()
    assert printed.err == "warning: 1 tokens of the prompt are unknown to it\n"
    assert printed.out.startswith("the <unk>")
    assert not any(each.token == "<unk>" for each in generator.next("the"))


def test_what_is_printed_is_what_is_drawn(trained, capsys):
    expected = Generator(trained)("the red", length=30, seed=5, temperature=0.7, samples=2)
    options = ["--length", 30, "--seed", 5, "--temperature", 0.7, "--samples", 2]
    assert call(generate, "--workdir", trained, "the red", *options) == 0
    printed = capsys.readouterr().out
    assert printed == "".join(f"--- sample {i}\nthe red{text}\n" for i, text in enumerate(expected, 1))
    assert call(generate, "--workdir", trained, "the red", *options, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == expected
    assert call(generate, "--workdir", trained, "the ", "--next", "--json") == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first == Generator(trained).next("the ")[0]._asdict()


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (generate, "--temperature 0", "--temperature 0.0: must be above 0"),
        (generate, "--length 0", "--length 0: must be above 0"),
        (generate, "--samples 0", "--samples 0: must be above 0"),
        (
            language_model,
            "--dataset nothing",
            "nothing is neither tiny_shakespeare, wikitext2, imdb nor a file",
        ),
        (language_model, "--batch-size 1000", "too few for --batch-size 1000"),
        (language_model, "--bidirectional", "one text after the other is read forward: --reading apart"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    module, arguments, message, trained, text, tmp_path, monkeypatch, capsys
):
    workdir = trained if module is generate else tmp_path / "new"
    own = [] if module is generate else ["--dataset", str(text)]
    line = ["script.py", "--workdir", str(workdir), *own, *shlex.split(arguments)]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as end:
        command_line.run(module.main)
    assert end.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: ")
    assert message in said
    assert not (tmp_path / "new").exists()
