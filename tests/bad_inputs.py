"""Bad input to every script, and the line that each is answered with.

`python -m tests.bad_inputs` writes the table `tests/bad_inputs.md`; the tests compare every line of it.
"""

import contextlib
import importlib
import io
import os
import shlex
import sys
import tempfile
from pathlib import Path
from unittest import mock

from experiments import command_line
from rnn_jax.training.run_directory import RunDirectory
from tests.bad_places import SMALL, prepare
from tests.conftest import DEVICES

TABLE = Path(__file__).with_suffix(".md")
# What stands in the table for what would not fit, or cannot be typed.
ODD = {"<a megabyte>": "good " * 250_000, "<not UTF-8>": "caf\udce9", "<300 letters>": "long" * 75}

# `begun` holds a run without checkpoints, `trained` a finished one; the rest of the places say what they are.
CASES = {
    "imdb_sentiment": (
        "",
        "--workdir new --cell lstn",
        "--workdir new --unroll magic",
        "--workdir new --preset other",
        "--workdir new --preset",
        "--workdir new --pooling median",
        "--workdir new --dataset reviews",
        "--workdir new --tokens bytes",
        "--workdir new --tokens bytes --vocabulary-size 259 --unlabelled --virtual-adversarial 1",
        "--workdir new --truncate middle",
        "--workdir new --precision float16",
        "--workdir new --hiden-size 3",
        "--workdir new --hidden-size many",
        "--workdir new --hidden-size 0",
        "--workdir new --embedding-size -1",
        "--workdir new --num-layers 0",
        "--workdir new --batch-size 0",
        "--workdir new --epochs 0",
        "--workdir new --buckets 0",
        "--workdir new --patience -1",
        "--workdir new --refit --patience 2",
        "--workdir new --unlabelled",
        "--workdir new --virtual-adversarial 1 --unlabelled {small}",
        "--workdir new --teacher-weight 0.5",
        "--workdir new --teacher trained",
        "--workdir new --teacher-weight 0.5 --unlabelled --dataset imdb",
        "--workdir new --freeze-epochs 1",
        "--workdir new --pretrained-rate 0.5",
        "--workdir new --pretrained-rate 0 --init-from trained",
        "--workdir new --learning-rate 0",
        "--workdir new --learning-rate nan",
        "--workdir new --clip-norm -1",
        "--workdir new --max-length 1",
        "--workdir new --vocabulary-size 3",
        "--workdir new --train-examples 1",
        "--workdir new --train-examples 101",
        "--workdir new --dropout 1",
        "--workdir new --word-dropout -0.1",
        "--workdir new --average-decay 1",
        "--workdir new --log-count-ratios 6",
        "--workdir new --pair-buckets -1",
        "--workdir new --network bag --cell gru",
        "--workdir new --adversarial -1",
        "--workdir new --packed --adversarial 1",
        "--workdir new --packed --network bag",
        "--workdir new --seed -1",
        "--workdir new --log-every 0",
        "--workdir new --save-every 0",
        "--workdir new --num-devices 99",
        "--workdir new --num-devices 0",
        "--workdir new --dataset synthetic --train-examples 99998",
        "--workdir gs://bucket/run",
        "--workdir ''",
        "--workdir '<300 letters>'",
        "--workdir ~nobody-of-this-name/run",
        "--workdir new --data-dir s3://bucket",
        "--workdir new --cache-dir hdfs://host/cache",
        "--workdir new --init-from file:///runs/lstm",
        "--workdir new --seed 18446744073709551616",
        "{small} --workdir file",
        "{small} --workdir folder",
        "{small} --workdir trained --cell gru --epochs 3",
        "{small} --workdir trained --epochs 1",
        "{small} --workdir unsettled",
        "{small} --workdir new --init-from folder",
        "{small} --workdir new --init-from trained --hidden-size 5",
        "{small} --workdir new --init-from trained --network bag",
        "{small} --workdir new --init-from refitted",
        "{small} --workdir new --init-from damaged",
        "{small} --workdir new --init-from file",
        "{small} --workdir new --init-from wide.safetensors",
        "{small} --workdir new --init-from layers.safetensors",
        "{small} --workdir new --init-from layers.safetensors --embedding-size 3 --hidden-size 5",
        "{small} --workdir new --init-from layers.safetensors --embedding-size 3 --network bag",
        "{small} --workdir damaged --epochs 3",
        "{small} --workdir locked",
    ),
    "evaluate": (
        "--workdir new",
        "--workdir folder",
        "--workdir begun",
        "--workdir damaged",
        "--workdir unsettled",
        "--workdir trained --split dev",
        "--workdir gs://bucket/run",
        "--workdir refitted --split validation",
        "--workdir trained --num-devices 99",
        "--workdir trained --page missing/page.html --split validation",
        "--workdir trained --input missing.csv",
        "--workdir trained --input columns.csv",
        "--workdir trained --input texts.csv",
        "--workdir trained --input header.csv",
        "--workdir trained --input texts.csv --split train",
        "--workdir trained --label-column label",
    ),
    "predict": (
        "--workdir folder good",
        "--workdir begun good",
        "--workdir damaged good",
        "--workdir wordless good",
        "--workdir trained ''",
        "--workdir trained ...",
        "--workdir trained --json --explain good",
        "--workdir gs://bucket/run good",
        "--workdir trained --page gs://bucket/page.html good",
        "--workdir trained --gates '<300 letters>' good",
        "--workdir trained --input texts.csv",
        "--workdir trained --input missing.csv --output new",
        "--workdir trained --input texts.csv --output new.jsonl",
        "--workdir trained --input columns.csv --output new.csv",
        "--workdir trained --input torn.csv --output new.csv",
        "--workdir trained --input header.csv --output new.csv",
        "--workdir trained --input texts.csv --output new.csv good",
        "--workdir trained '<a megabyte>'",
        "--workdir trained '<not UTF-8>'",
    ),
    "digits": (
        "",
        "--workdir new --preset other",
        "--workdir new --order spiral",
        "--workdir new --dataset emnist",
        "--workdir new --hidden-size 0",
        "--workdir new --block residual --dense",
        "--workdir new --block residual --bidirectional --pooling last",
        "--workdir new --network flat --block residual",
        "--workdir new --predict missing.png",
        "--workdir trained --predict missing.png",
    ),
    "spoken_digits": (
        "--workdir new --preset maria",
        "--workdir new --held-out maria",
        "--workdir new --predict missing.wav",
    ),
    "pen_digits": ("--workdir new --dataset mnist", "--workdir new --predict missing.csv"),
    "handwriting": (
        "--workdir new --mixtures 0",
        "--workdir new --bidirectional",
        "--workdir new --draw mine.png",
        "--workdir new --draw mine.svg",
        "--workdir new --draw mine.png --bias -1",
        "--workdir new --bias 1",
    ),
    "translation": (
        "--workdir new --attention self",
        "--workdir new --attention bahdanau --num-layers 2",
        "--workdir new --attention bahdanau --cell lru",
        "--workdir new --beams 0",
        "--workdir new --label-smoothing 1.5",
        "--workdir new --min-count 0",
        '--workdir new --predict "Ein Hund."',
        '--workdir trained --predict "Ein Hund."',
    ),
    "captioning": ("--workdir new --preset vgg", "--workdir new --predict missing.jpg"),
    "promoters": (
        "--workdir new --dataset mouse",
        "--workdir new --split -1",
        "--workdir new --predict missing.fa",
    ),
    "forecasting": (
        "--workdir new --history 100",
        "--workdir new --bidirectional",
        "--workdir new --target x",
        "--workdir new --train missing.csv",
        "--workdir new --train texts.csv",
        "--workdir new --dataset synthetic --horizon 480",
        "--workdir new --dataset synthetic --train texts.csv",
        "--workdir new --predict",
    ),
    "tour": ("--only opera", "--output gs://bucket/tour"),
    "prepare_data": (
        "--data-dir new --archive missing.tar.gz",
        "--data-dir new --archive https://host/aclImdb_v1.tar.gz",
        "--data-dir new --archive folder",
        "--data-dir new --archive file",
        "--data-dir new --archive link.tar.gz",
        "--data-dir new --archive outside.tar.gz",
        "--data-dir new --archive other.tar.gz",
    ),
    "benchmark_unroll": (
        "--output new --cells lstn",
        "--output new --methods slow",
        "--output new --peers numpy",
        "--output new --times 0",
        "--output new --precisions float8",
    ),
    "benchmark_parts": ("--output new --time 29", "--output new --cells gru_v3", "--output new --batches 0"),
    "benchmark_epoch": ("--output new --libraries numpy", "--output new --epochs 0", "--output gs://bucket"),
    "benchmark_data_parallel": ("--output new --max-length 0",),
    "stress": ("--output new --dataset reviews", "--output new --kills -1"),
    "reproduce": (
        "--row other",
        "--row gru --check --raw new",
        "--row gru --raw records",
        "--raw gs://bucket",
    ),
    "search": ("--draws 3", "other"),
    "nb_svm": (
        "--workdir new --ngrams 4",
        "--workdir new --dataset imbd",
        "--workdir trained --dataset synthetic",
    ),
    "text_classification": (
        "--workdir new",
        "--workdir new --train missing.csv",
        "--workdir new --train file",
        "--workdir new --train folder",
        "--workdir new --train gs://bucket/texts.csv",
        "--workdir new --dataset imdb",
        "--workdir new --dataset tfds:mine --train texts.csv",
        "--workdir new --dataset tfds:mine",
        "--workdir new --train texts.csv --text-column body {kept}",
        "--workdir new --train columns.csv {kept}",
        "--workdir new --train header.csv {kept}",
        "--workdir new --train empty.csv {kept}",
        "--workdir new --train torn.csv {kept}",
        "--workdir new --train latin.csv {kept}",
        "--workdir new --train one.csv {kept}",
        "--workdir new --train few.csv {kept}",
        "--workdir new --train texts.csv --test other.csv {kept}",
        "--workdir new --train texts.csv --preset best {kept}",
        "--workdir new --train texts.csv --accumulate 3 --batch-size 8 --num-devices 1 {kept}",
        "--workdir new --train texts.csv --accumulate 0",
        "--workdir new --train texts.csv --logger wandb",
        "--workdir trained --train texts.csv {kept}",
    ),
    "language_model": (
        "--workdir new --dataset nothing",
        "--workdir new --dataset gs://bucket/text",
        "--workdir new --dataset file",
        "--workdir new --dataset file --bidirectional",
        "--workdir new --dataset file --reading apart",
        "--workdir new --dataset file --copies",
        "--workdir new --dataset imdb --reading apart --bidirectional --num-layers 2",
        "--workdir new --dataset file --softmax-samples -1",
        "--workdir new --dataset file --freeze-epochs 1",
        "--workdir new --dataset file --tokens letters",
        "--workdir new --dataset file --vocabulary-size 1",
        "--workdir trained --dataset file",
    ),
    "generate": (
        "",
        "--workdir new",
        "--workdir folder",
        "--workdir trained",
        "--workdir trained --seed -1",
        "--workdir trained --samples 0",
        "--workdir trained '<not UTF-8>'",
    ),
    "convert": (
        "",
        "--workdir trained",
        "--workdir trained --pytorch file --output new",
        "--pytorch file --to-pytorch new",
        "--keras file --export new",
        "--workdir trained --prefix rnn. --output new",
        "--workdir trained --relu --output new",
        "--workdir begun --output new",
        "--workdir folder --output new",
        "--pytorch missing --output new",
        "--pytorch file --output new",
        "--pytorch wide.safetensors --output new",
        "--pytorch wide.safetensors --prefix rnn. --output new",
        "--pytorch gs://bucket/file --output new",
        "--workdir trained --output missing/new",
    ),
    "compile_for": (
        "--platform rocm",
        "--topology v4:2x2",
        "--platform cuda --topology v5e:2x4",
        "--preset other",
        "--batch-size 0",
    ),
    "benchmark_extensions": (
        "--output new --hidden 0",
        "--output new --cells lstm --unrolls parallel",
    ),
    "benchmark_input": ("--output new --seconds 0",),
    "ablation": ("--seeds one",),
    "compare_networks": (
        "--output new --blocks 0",
        "--output new --networks lstn",
        "--output new --raw folder",
    ),
    "memory": (
        "--output new --lengths 1",
        "--output new --steps 150",
        "--output new --cells lstn",
        "--output new --seeds -1",
    ),
    "make_tables": ("--root folder", "--root gs://bucket"),
}


def answer(module: str, line: str, folder: Path) -> tuple[int, str]:
    """The exit code of a script, run in a folder, and what it says on standard error; without the folder."""
    arguments = [
        ODD.get(word, word) for word in shlex.split(line.format(small=SMALL, kept="--cache-dir kept"))
    ]
    said = io.StringIO()
    with (
        contextlib.chdir(folder),
        RunDirectory("locked").lock(),
        _arguments(module, arguments),
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            command_line.run(importlib.import_module(f"experiments.{module}").main)
        except SystemExit as end:
            code = int(end.code or 0)
    assert not {"new", "new.csv", "new.jsonl", "gs:"} & set(os.listdir(folder)), (
        line
    )  # bad input makes nothing
    # What is told before the error, of a file that is read, is not part of the answer.
    told, error, message = said.getvalue().partition("error: ")
    text = (
        (error + message or told)
        .replace(f"{folder}/", "")
        .replace(f"process {os.getpid()} on ", "process N on ")
    )
    text = text.replace(f"this host has {DEVICES}", "this host has N")
    return code, text.replace(f"process N on {os.uname().nodename}", "process N on HOST")


def row(module: str, line: str, message: str) -> str:
    """A line of the table."""
    shown = line.format(small="…", kept="…").replace("|", "\\|")
    return f"| `{module} {shown}`".rstrip() + f" | {message.strip().replace('|', chr(92) + '|')} |"


def table(folder: Path) -> str:
    """All cases and their answers."""
    rows = [row(m, line, answer(m, line, folder)[1]) for m, lines in CASES.items() for line in lines]
    return "\n".join(["| input | answer, with exit code 2 |", "| --- | --- |", *rows, ""])


@contextlib.contextmanager
def _arguments(module: str, arguments: list[str]):
    with mock.patch.object(sys, "argv", [f"experiments/{module}.py", *arguments]):
        yield


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place))
        TABLE.write_text(table(Path(place)), encoding="utf-8")
    print(f"wrote {TABLE}")
