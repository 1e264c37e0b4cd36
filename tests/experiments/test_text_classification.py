"""A classifier of one's own texts, from the command line to answers."""

import csv
import json
import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from experiments import evaluate, predict, text_classification
from rnn_jax import Predictor
from rnn_jax.errors import UserError
from tests.data.labelled import menu

SMALL = "--hidden-size 8 --embedding-size 8 --max-length 12 --buckets 1 --batch-size 32 --num-devices 1"


@pytest.fixture
def call(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(script, *line):
        words = [word for part in line for word in (part.split() if isinstance(part, str) else part)]
        monkeypatch.setattr("sys.argv", [f"{script.__name__}.py", *words])
        return script.main()

    return call


@pytest.fixture
def write(tmp_path):
    def write(name, rows, header=("text", "label")):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])

    return write


def train(call, *more):
    return call(
        text_classification, f"--train train.csv --workdir run --cache-dir cache --epochs 12 {SMALL}", *more
    )


def test_three_labels_from_a_file_to_answers(call, write, tmp_path, capsys):
    write("train.csv", menu(600))
    assert train(call) == 0
    said = capsys.readouterr().out
    assert "train.csv texts: 480 to train on, 60 to validate, 60 to test" in said
    assert re.search(r"macro F1 \d+\.\d\d% \(always .*\.\d\d%\) on 60 texts \(validation macro F1", said)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["task"] == "labelled_texts"
    assert result["dataset"] == "train.csv"
    assert result["test_macro_f1"] > 0.9
    assert result["validation_macro_f1"] > 0.9
    told = json.loads((tmp_path / "run" / "labels.json").read_text())
    assert told == {"labels": ["fish", "fruit", "meat"], "text_column": "text", "label_type": "string"}

    (tmp_path / "train.csv").unlink()  # what has been learnt needs no data
    predictor = Predictor(tmp_path / "run")
    assert predictor.labels == ("fish", "fruit", "meat")
    found = predictor(["meat3 word1 word2", "fish1 word5"])
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.argmax(axis=1).tolist() == [2, 0]
    np.testing.assert_allclose(predictor("fish1 word5"), found[1], atol=1e-6)
    capsys.readouterr()
    call(predict, "--workdir run --explain --page page.html", [["fruit2 word3"], ["fish4 word3"]][0])
    said = capsys.readouterr().out
    assert said.startswith("fruit ")
    assert "fruit2" in said
    assert ">fruit</span>" in (tmp_path / "page.html").read_text()


def test_the_same_command_goes_on_with_the_same_texts_alone(call, write, tmp_path, capsys):
    write("train.csv", menu(300))
    train(call)
    assert train(call) == 0
    assert "run has finished already" in capsys.readouterr().out
    write("train.csv", menu(303))
    with pytest.raises(UserError, match="run has learnt from other data than these"):
        train(call, "--epochs 13")
    with pytest.raises(UserError, match="other data than run has learnt from"):
        call(evaluate, "--workdir run --cache-dir cache --num-devices 1")


def test_a_file_that_was_labelled_anew_is_not_evaluated_on(call, write):
    rows = menu(300)
    write("train.csv", rows)
    train(call, "--epochs 1")
    for label in ("zfish", "meat"):  # the same words; other numbers, or fewer labels
        write("train.csv", [(text, label if own == "fish" else own) for text, own in rows])
        with pytest.raises(UserError, match="other data than run has learnt from"):
            call(evaluate, "--workdir run --cache-dir cache --num-devices 1")


def test_labels_with_other_names_have_a_head_of_their_own(call, write, capsys):
    write("train.csv", menu(300))
    train(call, "--epochs 1")
    write("train.csv", [(text, label.upper()) for text, label in menu(300)])
    train(call, "--epochs 1 --workdir new --init-from run")
    said = " ".join(capsys.readouterr().out.split())
    assert "and the recurrent layers; drawn: head" in said


def test_the_column_that_was_learnt_from_is_found_again(call, write, tmp_path):
    write("train.csv", menu(300), ("notes", "label"))
    train(call, "--epochs 1")
    write("in.csv", [(n, text) for n, (text, _) in enumerate(menu(9))], ("id", "notes"))
    call(predict, "--workdir run --input in.csv --output out.csv")
    assert (tmp_path / "out.csv").exists()


def test_two_labels_and_what_reads_their_ratios(call, write, tmp_path, capsys):
    rows = [(text, label) for text, label in menu(450) if label != "meat"]
    write("train.csv", rows)
    train(call, "--log-count-ratios 2 --no-test")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["validation_accuracy"] > 0.9
    assert result["test_examples"] == 0
    assert result["test_macro_f1"] is None
    assert Predictor(tmp_path / "run")(["fish1 word2", "fruit1 word2"]).round().tolist() == [0, 1]
    write("test.csv", [("fish1 word2", "fish"), ("fruit1 word2", "fruit")])
    capsys.readouterr()
    call(evaluate, "--workdir run --cache-dir cache --num-devices 1")
    assert "train.csv test: loss" in capsys.readouterr().out


def test_every_row_of_a_file_is_answered(call, write, tmp_path, capsys):
    write("train.csv", menu(450))
    train(call)
    rows = [(f"0{n}", text, label, '\u00e9, "x"') for n, (text, label) in enumerate(menu(300, seed=3))]
    rows[5] = ("05", "", "fish", "")
    write("in.csv", rows, ("id", "text", "label", "note"))
    call(predict, "--workdir run --input in.csv --output out.csv --probabilities")
    assert "300 rows written to out.csv, 1 of them without an answer, in " in capsys.readouterr().out
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [tuple(row[name] for name in ("id", "text", "label", "note")) for row in found] == rows
    predictor = Predictor(tmp_path / "run")
    answers = predictor.answers([text for _, text, _, _ in rows])
    for row, answer in zip(found, answers, strict=True):
        assert row["predicted_label"] == (answer.label or "")
        if answer.label:
            assert float(row["predicted_probability"]) == pytest.approx(answer.probability, abs=1e-5)
            each = [float(row[f"probability_{label}"]) for label in predictor.labels]
            np.testing.assert_allclose(each, answer.probabilities, atol=1e-5)
    assert sum(row["predicted_label"] == row["label"] for row in found) > 270
    assert not (tmp_path / "out.csv.unfinished").exists()


def test_a_byte_order_mark_stays(call, write, tmp_path):
    """Without it, Excel takes UTF-8 for another encoding."""
    write("train.csv", menu(60))
    train(call, "--epochs 1")
    write("in.csv", menu(9))
    marked = b"\xef\xbb\xbf" + (tmp_path / "in.csv").read_bytes()
    (tmp_path / "marked.csv").write_bytes(marked)
    call(predict, "--workdir run --input in.csv --output out.csv")
    call(predict, "--workdir run --input marked.csv --output marked_out.csv")
    out = (tmp_path / "out.csv").read_bytes()
    assert (tmp_path / "marked_out.csv").read_bytes() == b"\xef\xbb\xbf" + out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--input in.csv", "--input and --output go together"),
        ("--input in.csv --output out.jsonl", "--output out.jsonl is of another kind than --input in.csv"),
        ("--input in.csv --output out.csv text", "--input takes no texts"),
        ("--input none.csv --output out.csv", "there is no file none.csv"),
        ("--input . --output out.csv", "--input . is a folder: it takes a table in a file"),
        ("--input in.csv --output in.csv", "--output in.csv is the input: name another file"),
        (
            "--input odd.csv --output out.csv",
            "name the column of the text with --text-column; there are 'a', 'b'",
        ),
        ("--input odd.csv --output out.csv --text-column c", "no column 'c': its columns are 'a', 'b'"),
        ("--input again.csv --output out.csv", "has a column 'predicted_label' already: rename it"),
        ("--input torn.csv --output out.csv", "Row #3: Expected 2 columns, got 3"),
        ("--input in.csv --output none/out.csv", "--output none/out.csv cannot be written: No such file"),
    ],
)
def test_where_a_file_cannot_be_answered_none_is_left(line, message, call, write, tmp_path):
    write("train.csv", menu(60))
    train(call, "--epochs 1")
    write("in.csv", menu(9))
    write("odd.csv", menu(9), ("a", "b"))
    write("again.csv", menu(9), ("text", "predicted_label"))
    write("torn.csv", [("a", "b"), ("c", "d", "e")])
    with pytest.raises(UserError, match=re.escape(message)):
        call(predict, f"--workdir run {line}")
    assert not list(tmp_path.glob("out*"))


def test_mistakes_are_shown_with_their_rows(call, write, tmp_path, capsys):
    rows = menu(300)
    rows[17] = (rows[17][0], "fish")  # a wrong label
    assert rows[17][0].startswith("fruit")
    write("train.csv", menu(300, seed=1))
    write("test.csv", rows)
    train(call, "--test test.csv")
    capsys.readouterr()
    call(evaluate, "--workdir run --cache-dir cache --num-devices 1 --page page.html")
    said = capsys.readouterr().out
    assert "train.csv test: loss" in said
    assert "expected calibration error" in said
    page = (tmp_path / "page.html").read_text()
    mistakes = page[page.index("The most confident mistakes") :]
    assert "<th>test.csv row 18</th>" in mistakes
    assert "<td>fish</td><td>fruit</td>" in mistakes
    assert rows[17][0] in mistakes


def test_a_run_is_evaluated_from_another_folder(call, write, tmp_path, monkeypatch, capsys):
    write("train.csv", menu(300))
    train(call, "--epochs 1")
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setattr("sys.argv", ["evaluate.py", "--workdir", str(tmp_path / "run"), "--num-devices", "1"])
    capsys.readouterr()
    evaluate.main()
    assert "train.csv test: loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    "values",
    [
        (-1, 0, 1),
        (True, False, True),
        pytest.param((0.0, 1.0, 2.0), marks=pytest.mark.slow),
        pytest.param((0.5, 1, 2), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_labels_come_back_as_what_they_were(values, call, tmp_path):
    names = ["fish", "meat", "fruit"]
    rows = [{"text": text, "label": values[names.index(label)]} for text, label in menu(300)]
    rows.append({"text": "", "label": None})
    for name in ("train.jsonl", "in.jsonl"):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    call(
        text_classification,
        f"--train train.jsonl --workdir run --cache-dir cache --epochs 12 --no-test {SMALL}",
    )
    call(predict, "--workdir run --input in.jsonl --output out.jsonl")
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert found[-1]["predicted_label"] is None
    assert sum(row["predicted_label"] == row["label"] for row in found[:-1]) > 240


def test_a_new_file_is_evaluated_on(call, write, tmp_path, capsys):
    """The rows with a label and words, in figures that scikit-learn gives, and without the training file."""
    write("train.csv", menu(300), ("notes", "label"))
    train(call)
    (tmp_path / "train.csv").unlink()
    rows = [*menu(90, seed=4), ("", "fish"), ("fish1", "")]
    rows[5] = (rows[5][0].upper(), "fish")
    write("new.csv", [(n, *row) for n, row in enumerate(rows)], ("id", "notes", "label"))
    capsys.readouterr()
    call(evaluate, "--workdir run --input new.csv --page page.html")
    said = capsys.readouterr().out
    predictor = Predictor(tmp_path / "run")
    answers = [answer.label for answer in predictor.answers([text for text, _ in rows[:90]])]
    labels = [label for _, label in rows[:90]]
    accuracy, macro = accuracy_score(labels, answers), f1_score(labels, answers, average="macro")
    assert (
        f"accuracy {accuracy:.2%}, macro F1 {macro:.2%}, 90 texts, 2 rows without a label or an answer"
        in said
    )
    assert answers[5] == "fruit"
    page = (tmp_path / "page.html").read_text()
    assert "<th>new.csv row 6</th>" in page
    assert rows[5][0] in page


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("a text", "bird")],
            "new.csv has the label 'bird' in row 1; the run knows 'fish', 'fruit', 'meat'",
        ),
        ([("", "fish"), ("a", "")], "new.csv has no row with a label and words"),
    ],
)
def test_what_a_new_file_lacks_is_named(rows, message, call, write):
    write("train.csv", menu(300))
    train(call, "--epochs 1")
    write("new.csv", rows)
    with pytest.raises(UserError, match=message):
        call(evaluate, "--workdir run --input new.csv")


def test_a_label_that_is_never_answered_is_said(call, write, capsys):
    rows = [(f"word{n % 40} word{n % 7}", "rare" if n % 20 == 0 else "usual") for n in range(400)]
    write("train.csv", rows)
    write("test.csv", [(f"new{n} word{n % 7}", label) for n, (_, label) in enumerate(rows[:100])])
    train(call, "--epochs 1 --test test.csv")
    said = capsys.readouterr().out
    assert "never answered: rare" in said
    assert "the last epoch was the best: more --epochs may do better" in said
    assert "test accuracy 95.00%, macro F1 48.72% (always answering usual: accuracy 95.00%)" in said


def test_of_equally_good_epochs_the_lower_loss_counts(call, write, tmp_path):
    rows = [(f"word{n % 40} word{n % 7}", "rare" if n % 20 == 0 else "usual") for n in range(400)]
    write("train.csv", rows)
    train(call, "--no-test --learning-rate 0.05")
    log = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    epochs = [record for record in log if record["kind"] == "epoch"]
    most = max(epoch["validation_accuracy"] for epoch in epochs)
    equal = [epoch for epoch in epochs if epoch["validation_accuracy"] == most]
    assert len(equal) > 1
    best = json.loads((tmp_path / "run" / "result.json").read_text())["best_epoch"]
    assert best == min(equal, key=lambda epoch: epoch["validation_loss"])["epoch"]


def test_a_run_begins_with_another_one_of_other_labels(call, write, tmp_path, capsys):
    write("train.csv", menu(300))
    train(call)
    write("more.csv", [(text, label.upper()) for text, label in menu(300, seed=2)])
    capsys.readouterr()
    call(
        text_classification,
        f"--train more.csv --workdir new --cache-dir cache --epochs 1 {SMALL} --init-from run",
    )
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(
        r"taken from run: \d+ of \d+ vectors of the embedding and the recurrent layers; drawn: head", said
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "name texts to learn from: --train FILE, or --dataset tfds:NAME"),
        ("--dataset imdb", "--dataset imdb: must be files, or tfds:NAME"),
        ("--dataset tfds:x --train a.csv", "--train a.csv: goes with --dataset files"),
        ("--train none.csv", "there is no file none.csv"),
        ("--train a.csv --validation b.csv --refit", "--refit True: needs no --validation"),
        ("--train a.csv --preset other", "invalid choice 'other'"),
    ],
)
def test_bad_input_makes_nothing(line, message, call, tmp_path):
    with pytest.raises(UserError, match=re.escape(message)):
        call(text_classification, f"--workdir run --cache-dir cache {line}")
    assert not (tmp_path / "run").exists()
