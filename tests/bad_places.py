"""The places that the cases of bad input name: runs whole and damaged, tables, archives, layers."""

import shutil
import tarfile
from pathlib import Path

import jax
import numpy as np

from experiments import imdb_sentiment
from rnn_jax.cells import CELLS
from rnn_jax.interchange.layers import Layers
from rnn_jax.interchange.weight_files import save_layers, write
from rnn_jax.unroll import init_layers
from tests.experiments.calling import call

# What the trained run is made with.
SMALL = (
    "--dataset synthetic --train-examples 120 --epochs 2 --batch-size 40 --hidden-size 4 --embedding-size 4 "
    "--max-length 40 --buckets 1"
)


def prepare(folder: Path) -> None:
    """Makes the places that the cases name."""
    (folder / "file").write_text("mine")
    (folder / "folder").mkdir()
    (folder / "folder" / "notes.txt").write_text("mine")
    (folder / "records" / "cpu").mkdir(parents=True)
    (folder / "records" / "cpu" / "gru.jsonl").write_text("{}\n")
    assert call(imdb_sentiment, f"{SMALL} --workdir {folder / 'trained'}") == 0
    shutil.copytree(folder / "trained", folder / "refitted")
    settings = (folder / "refitted" / "config.json").read_text()
    (folder / "refitted" / "config.json").write_text(settings.replace('"refit": false', '"refit": true'))
    for name in ("begun", "damaged", "locked", "unsettled", "wordless"):
        shutil.copytree(folder / "trained", folder / name)
        (folder / name / "result.json").unlink()
    shutil.rmtree(folder / "begun" / "checkpoints")
    for checkpoint in (folder / "damaged" / "checkpoints").iterdir():
        (checkpoint / "progress" / "metadata").unlink()
    (folder / "unsettled" / "config.json").write_text("{")
    wide = {"weight_ih_l0": np.ones((16, 3), np.float32), "weight_hh_l0": np.ones((16, 5), np.float32)}
    write(folder / "wide.safetensors", wide, {})
    rows = [f"word{i} and more,{('one', 'two', 'three')[i % 3]}" for i in range(60)]
    for name, content in {
        "texts": ["text,label", *rows],
        "columns": ["a,b,c", "x,y,z"],
        "header": ["text,label"],
        "empty": [],
        "torn": ["text,label", "a,one", "b,two,three"],
        "one": ["text,label", *("a,one" for _ in range(9))],
        "few": ["text,label", *rows[:9]],
        "other": ["text,label", "a,one", "b,four"],
    }.items():
        (folder / f"{name}.csv").write_text("".join(line + "\n" for line in content))
    (folder / "latin.csv").write_bytes("text,label\ncaf\xe9,one\n".encode("latin-1"))
    layers = Layers("lstm", init_layers(CELLS["lstm"], jax.random.key(0), 3, 4))
    save_layers(folder / "layers.safetensors", layers)
    (folder / "wordless" / "vocabulary.txt").unlink()
    for name, member in (
        ("link", {"name": "aclImdb/train/pos/1_9.txt", "type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("outside", {"name": "../aclImdb/train/pos/1_9.txt"}),
        ("other", {"name": "holiday/1.txt"}),
    ):
        with tarfile.open(folder / f"{name}.tar.gz", "w:gz") as tar:
            tar.addfile(tarfile.TarInfo.frombuf(_header(member), "utf-8", "strict"))


def _header(member: dict) -> bytes:
    info = tarfile.TarInfo(member["name"])
    for name, value in member.items():
        setattr(info, name, value)
    return info.tobuf()
