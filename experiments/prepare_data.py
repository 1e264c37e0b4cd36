"""Prepares datasets with TFDS, without TensorFlow."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from experiments.command_line import Place, parse, run
from rnn_jax.data import imdb, preparing
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.texts import PREPARED, Texts
from rnn_jax.errors import UserError

REVIEWS = "imdb_reviews"

if TYPE_CHECKING:
    Dataset: TypeAlias = str
else:
    Dataset = Literal[REVIEWS, *PREPARED]


@dataclass(frozen=True)
class Options:
    """Downloads a dataset, or takes its files, and prepares it with TFDS.

    Where it is prepared already, it only says so.
    """

    dataset: Dataset = REVIEWS
    """Its name."""
    archive: Place | None = None
    """The published aclImdb_v1.tar.gz of the reviews; by default it is downloaded."""
    manual_dir: Place | None = None
    """Folder with the published files of another dataset; by default they are downloaded."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""


class Prepared(NamedTuple):
    """A dataset that lies in the TFDS directory."""

    already: bool
    sizes: dict[str, str]  # of the splits
    use: str  # the command that reads it, without the place


def reviews(options: Options) -> Prepared:
    """Prepares the IMDb reviews, and reads them."""
    if options.manual_dir is not None:
        raise UserError("--manual-dir is for other datasets: the reviews come as --archive aclImdb_v1.tar.gz")
    already = imdb.is_prepared(options.data_dir)
    imdb.prepare(options.data_dir, options.archive)
    sizes = {split: len(imdb.load(split, options.data_dir).texts) for split in imdb.SPLITS}
    return Prepared(
        already,
        {split: f"{size:7,} reviews" for split, size in sizes.items()},
        "imdb_sentiment --workdir runs/lstm",
    )


def text(options: Options) -> Prepared:
    """Prepares a text, and reads it."""
    if options.archive is not None:
        raise UserError(f"--archive is for {REVIEWS}: name a folder with --manual-dir")
    name = options.dataset
    already = is_prepared(data_directory(options.data_dir) / PREPARED[name])
    folder = preparing.prepare(name, options.data_dir, options.manual_dir)
    sizes = {split: len(read_examples(folder, split)[0]["text"]) for split in Texts._fields}
    return Prepared(
        already,
        {split: f"{size:12,} bytes" for split, size in sizes.items()},
        f"language_model --preset {name} --workdir runs/{name}",
    )


def main() -> None:
    """Prepares the data, reads them once to see that they are whole, and says how to go on."""
    options = parse(Options)
    found = (reviews if options.dataset == REVIEWS else text)(options)
    root = data_directory(options.data_dir)
    print(f"{options.dataset}: {'prepared already' if found.already else 'prepared'} in {root}")
    for split, size in found.sizes.items():
        print(f"    {split:12} {size}")
    place = f" --data-dir {shlex.quote(options.data_dir)}" if options.data_dir else ""
    print(f"Train on it with\n    python -m experiments.{found.use}{place}")


if __name__ == "__main__":
    run(main)
