"""Prepares the IMDb reviews with TFDS, without TensorFlow."""

import shlex
from dataclasses import dataclass

from experiments.command_line import Place, parse, run
from rnn_jax.data import imdb


@dataclass(frozen=True)
class Options:
    """Downloads the IMDb reviews, or takes the archive from a file, and prepares them with TFDS.

    Where they are prepared already, it only says so.
    """

    archive: Place | None = None
    """The published aclImdb_v1.tar.gz; by default it is downloaded."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""


def main() -> None:
    """Prepares the data, reads them once to see that they are whole, and says how to go on."""
    options = parse(Options)
    found = imdb.is_prepared(options.data_dir)
    folder = imdb.prepare(options.data_dir, options.archive)
    sizes = {split: len(imdb.load(split, options.data_dir).texts) for split in imdb.SPLITS}
    print(f"IMDb reviews {'were prepared already' if found else 'are prepared'} in {folder}:")
    for split, size in sizes.items():
        print(f"    {split:12} {size:7,} reviews")
    place = f" --data-dir {shlex.quote(options.data_dir)}" if options.data_dir else ""
    print("Train on them with\n    python -m experiments.imdb_sentiment --workdir runs/lstm" + place)


if __name__ == "__main__":
    run(main)
