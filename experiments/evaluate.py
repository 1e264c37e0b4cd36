"""Evaluates the best checkpoint of a run, whatever its task: on a split of its dataset, or another file."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape

from experiments.command_line import Place, parse, run, write_file
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.examples import NO_LABEL
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.labelled_texts import originals
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.data.vocabulary import Vocabulary
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.reporting.assessment import Assessment, assess, by_label, confusion_table
from rnn_jax.settings import require
from rnn_jax.tasks import recipe_of
from rnn_jax.tasks.classified_files import assess_rows, with_text_column
from rnn_jax.tasks.labels import probabilities_of
from rnn_jax.tasks.predictor import CLASSIFIERS, Predictor
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.progress import figure
from rnn_jax.training.recipe import Places
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import open_run

MOST_MISTAKES = 50  # that a page shows


@dataclass(frozen=True)
class Options:
    """Evaluates the best checkpoint of a run."""

    workdir: Place
    """Directory of the run."""
    split: Literal["test", "validation", "train"] = "test"
    """Examples to evaluate on."""
    input: Place | None = None
    """Evaluate on the rows of this file instead, of texts and labels; for runs of classifiers of texts."""
    text_column: str = ""
    """Column of --input with the text; by default the one that is called text, or the like."""
    label_column: str = ""
    """Column of --input with the label; by default the one that is called label, or the like."""
    page: Place | None = None
    """Write a page of HTML into this file, of a classifier of texts: figures by label, calibration, the most
    confident mistakes."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where encoded data are kept; by default beside the TFDS data, own texts in ~/.cache/rnn_jax."""
    num_devices: int | None = None
    """Devices of this host to use; by default all that can share a batch evenly."""


def main() -> None:
    """Prints the figures of the task."""
    options = parse(Options)
    keep_compiled_programs()
    recipe = recipe_of(options.workdir)
    texts = "is for runs of classifiers of texts"
    require(not options.page or recipe in CLASSIFIERS, "page", options.page, texts)
    if options.page and find_spec("matplotlib") is None:
        raise UserError("--page needs matplotlib: pip install matplotlib")
    for name in ("text_column", "label_column"):
        value = getattr(options, name)
        require(not value or options.input is not None, name, value, "goes with --input")
    if options.input:
        require(recipe in CLASSIFIERS, "input", options.input, texts)
        if options.split != "test" or options.data_dir or options.cache_dir or options.num_devices:
            raise UserError(
                "--input takes no --split, --data-dir, --cache-dir or --num-devices: leave them out"
            )
        return evaluate_file(options)
    settings = RunDirectory(options.workdir).read(recipe.name, recipe.settings)
    batch_size = settings.training.batch_size
    num_devices = set_up_devices(options.num_devices, batch_size)  # before JAX starts
    opened = open_run(options.workdir, recipe)
    data = recipe.load(settings, Places(options.data_dir, options.cache_dir))
    if data.fingerprint != opened.fingerprint:
        raise UserError(f"these are other data than {options.workdir} has learnt from: restore them")
    split = getattr(data, options.split)
    if not len(split):
        raise UserError(
            f"--split {options.split}: {options.workdir} was trained with --refit, which holds none out"
        )
    found = make_evaluator(opened.task, batch_size, num_devices)(opened.params, split)
    shown = ", ".join(figure(name, value, 4) for name, value in found.figures.items())
    summary = f"{data.name} {options.split}: {shown}, {len(split):,} {data.unit}"
    assessment = None
    if names := tuple(opened.preprocessor.answer_names()):
        labels = split.columns["labels"]
        examples = np.flatnonzero(labels != NO_LABEL)
        probabilities = np.asarray(probabilities_of(found.outputs))
        assessment = assess(names, probabilities[examples], labels[examples])
        if options.page:  # first: who reads what is printed may leave
            chosen = examples[assessment.mistakes()[:MOST_MISTAKES]]
            vocabulary = cast("TextPreprocessor", opened.preprocessor).vocabulary
            mistakes = find(options, settings, split, chosen, vocabulary)
            write_page(options, f"{options.split} split", summary, assessment, mistakes)
    print(summary)
    if assessment is not None:
        show(assessment)


def evaluate_file(options: Options) -> None:
    """Prints the figures of a run on the rows of another file."""
    predictor = Predictor(options.workdir)
    asked = LabelledSettings(
        test=str(options.input), text_column=options.text_column, label_column=options.label_column
    )
    settings = with_text_column(asked, predictor)
    with Console(stderr=True).status(f"classifying {options.input}"):
        found = assess_rows(predictor, settings)
    assessment = assess(predictor.labels, found.probabilities, found.labels)
    loss = -np.log(np.maximum(found.probabilities[np.arange(len(found.labels)), found.labels], 1e-30)).mean()
    left_out = f", {found.left_out:,} rows without a label or an answer left out" * bool(found.left_out)
    accuracy = (assessment.answers == assessment.truth).mean()
    summary = (
        f"{options.input}: loss {loss:.4f}, accuracy {accuracy:.2%}, "
        f"macro F1 {np.nanmean(assessment.f1):.2%}, {len(found.rows):,} texts{left_out}"
    )
    if options.page:
        chosen = found.rows[assessment.mistakes()[:MOST_MISTAKES]]
        tables = np.full(len(chosen), PARTS.index("test"), np.int8)
        write_page(options, str(options.input), summary, assessment, originals(settings, tables, chosen))
    print(summary)
    show(assessment)


def show(assessment: Assessment) -> None:
    """Prints what the answers are worth: by label, by what was answered, and by how sure."""
    console = Console(highlight=False)
    console.print(by_label(assessment))
    if (table := confusion_table(assessment)) is not None:
        console.print(table)
    sizes = assessment.confusion.sum(axis=1)
    most = escape(assessment.labels[sizes.argmax()])
    console.print(f"always answering {most} would be right for {sizes.max() / max(sizes.sum(), 1):.2%}")
    console.print(f"expected calibration error {assessment.calibration_error:.2%}")


def find(
    options: Options, settings: Any, split: Bucketed, examples: NDArray[np.int64], vocabulary: Vocabulary
) -> list[tuple[str, str]]:
    """Where some examples are to be found, and their texts: as they are written, or as they are read.

    Args:
        options: of the script.
        settings: of the run.
        split: that the examples are of.
        examples: which of it they are.
        vocabulary: of the run.
    """
    if "rows" in split.beside:
        tables, rows = split.beside["tables"][examples], split.beside["rows"][examples]
        return originals(settings.text, tables, rows, options.data_dir)
    tokens = split.columns["tokens"]
    return [(f"{options.split} {each + 1}", vocabulary.decode(tokens[each][1:])) for each in examples]


def write_page(
    options: Options, what: str, summary: str, assessment: Assessment, mistakes: list[tuple[str, str]]
) -> None:
    """Writes the page, with the most confident mistakes, where they are to be found and their texts."""
    from rnn_jax.reporting.assessment_page import assessment_page

    content = assessment_page(f"{options.workdir}, {what}", summary, assessment, mistakes)
    write_file(str(options.page), "--page", lambda file: write_whole(file, content))


if __name__ == "__main__":
    run(main, end_with_reader=True)
