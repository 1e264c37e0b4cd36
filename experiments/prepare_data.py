"""Prepares datasets with TFDS, without TensorFlow."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from experiments.command_line import Place, parse, run
from rnn_jax.data import imdb, preparing
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples, splits_of
from rnn_jax.data.texts import PREPARED
from rnn_jax.errors import UserError

REVIEWS = "imdb_reviews"
# What learns from the others, but for the place of the data.
USES = {
    **{name: f"language_model --preset {name} --workdir runs/{name}" for name in PREPARED},
    "mnist": "digits --workdir runs/digits",
    "pendigits": "pen_digits --workdir runs/pen_digits",
    "omniglot_strokes": "handwriting --workdir runs/handwriting",
    "spoken_digit": "spoken_digits --workdir runs/spoken_digits",
    "cnn_promoters/ecoli": "promoters --workdir runs/promoters",
    "cnn_promoters/arabidopsis_tata": "promoters --preset arabidopsis_lstm --workdir runs/arabidopsis",
    "multi30k/de_to_en": "translation --workdir runs/translation",
    "flickr8k_small": "captioning --workdir runs/captioning",
    "ett/h1": "forecasting --workdir runs/load",
    "exchange_rate": "forecasting --preset exchange --workdir runs/exchange",
    "finance_vix": "forecasting --preset vix --workdir runs/vix",
}

if TYPE_CHECKING:
    Dataset: TypeAlias = str
else:
    Dataset = Literal[REVIEWS, *USES]


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


def other(options: Options) -> Prepared:
    """Prepares another dataset, and reads it."""
    if options.archive is not None:
        raise UserError(f"--archive is for {REVIEWS}: name a folder with --manual-dir")
    name = options.dataset
    make = preparing.builders()[name]
    already = is_prepared(data_directory(options.data_dir) / name / str(make.VERSION))
    folder = preparing.prepare(name, options.data_dir, options.manual_dir)
    sizes = {split: size_of(read_examples(folder, split)) for split in splits_of(folder)}
    return Prepared(already, sizes, USES[name])


def size_of(examples: list[dict[str, Any]]) -> str:
    """How much there is of a split, in words."""
    if len(examples) == 1 and "text" in examples[0]:
        return f"{len(examples[0]['text']):12,} bytes"
    if len(examples) == 1 and "values" in examples[0]:
        return f"{len(examples[0]['values']):7,} steps"
    return f"{len(examples):7,} examples"


def main() -> None:
    """Prepares the data, reads them once to see that they are whole, and says how to go on."""
    options = parse(Options)
    found = (reviews if options.dataset == REVIEWS else other)(options)
    root = data_directory(options.data_dir)
    print(f"{options.dataset}: {'prepared already' if found.already else 'prepared'} in {root}")
    for split, size in found.sizes.items():
        print(f"    {split:12} {size}")
    place = f" --data-dir {shlex.quote(options.data_dir)}" if options.data_dir else ""
    print(f"Train on it with\n    python -m experiments.{found.use}{place}")


if __name__ == "__main__":
    run(main)
