"""Trains a language model on a long text, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished. The presets
`tiny_shakespeare` (characters) and `wikitext2` (words) are for the texts of these names; `reviews` reads
those of IMDb, in both directions, for classifiers to start from (`imdb_sentiment --preset semi_supervised`),
and so does `reviews_large`, which is for a GPU.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from experiments.command_line import run
from experiments.training import Script, TrainingOptions, devices, python, read_options, train
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.streams import Stream
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks.language_model import RECIPE, Settings, TokenPreprocessor
from rnn_jax.training.loop import Run
from rnn_jax.training.recipe import Preprocessor

PRESETS: dict[str, Settings] = {
    "tiny_shakespeare": Settings(),
    "wikitext2": with_flat(
        Settings(),
        dataset="wikitext2",
        tokens="blanks",
        length=35,
        batch_size=64,
        embedding_size=400,
        hidden_size=400,
        num_layers=2,
        tied=True,
        softmax_samples=2048,
        dropout=0.5,
        embedding_dropout=0.3,
        learning_rate=3e-3,
        warm_up=0.05,
        clip_norm=0.25,
        epochs=16,
    ),
    "reviews": with_flat(
        Settings(),
        dataset="imdb",
        tokens="bare",
        reading="apart",
        vocabulary_size=30_000,
        length=400,
        cell="gru",
        bidirectional=True,
        embedding_size=128,
        hidden_size=128,
        tied=True,
        softmax_samples=512,
        dropout=0.1,
        batch_size=16,
        learning_rate=6e-3,
        warm_up=0.02,
        epochs=4,
    ),
}
PRESETS["reviews_large"] = with_flat(
    PRESETS["reviews"],
    cell="lstm",
    embedding_size=256,
    hidden_size=1024,
    softmax_samples=2048,
    precision="bfloat16",
    dropout=0.3,
    embedding_dropout=0.1,
    batch_size=128,
    learning_rate=2e-3,
    warm_up=0.05,
    epochs=8,
)

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(TrainingOptions):
    """Trains a language model on a long text, and evaluates it on the text's test split.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = "tiny_shakespeare"
    """Settings to start from; the options below change them."""


def tokens_of(preprocessor: Preprocessor) -> TokenPreprocessor:
    """A preprocessor of this task, which is one of tokens."""
    return cast("TokenPreprocessor", preprocessor)


def plan(run: Run) -> str:
    """What would be trained, on what, and in how many steps."""
    data, text = run.data, run.settings.text
    tokenizer = tokens_of(data.preprocessor).tokenizer
    unknown = float(cast("Stream | Bucketed", data.validation).beside["unknown"])
    train = data.train
    tokens = train.tokens if isinstance(train, Stream) else cast("Bucketed", train).columns["tokens"][0]
    beginning = tokenizer.decode(tokens[:60]).replace("\n", "⏎")
    apart = f"each read apart, {text.length} tokens at most"
    parts = f"{run.training.batch_size} parts of the text side by side, {text.length} {data.unit} a step"
    return (
        f"{RECIPE.summary(run.settings, data.preprocessor)}\n"
        f"{data.name}: {len(data.train):,} {data.unit} to train on, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test; {tokenizer.size:,} kinds, {unknown:.2%} of validation unknown; "
        "it begins:\n"
        f"    {beginning} …\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, "
        f"{apart if text.reading == 'apart' else parts}, on {devices(run)}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, and how to use it."""
    tested = "test split not read"
    if result["test_examples"]:
        tested = (
            f"test perplexity {result['test_perplexity']:.2f}, {result['test_loss']:.4f} nats a token, "
            f"{result['test_bits_per_character']:.4f} bits a character"
        )
    unit, use, what = "tokens", f"generate --workdir {shlex.quote(workdir)} --length 400", "Let it write"
    if result["reading"] == "apart":
        unit, what = "pieces", "Let a classifier begin with it, with the same cell and sizes"
        large = "_large" * (result["cell"] == to_flat(PRESETS["reviews_large"])["cell"])
        start = f"--preset semi_supervised{large} --init-from {shlex.quote(workdir)}"
        use = f"imdb_sentiment {start} --workdir runs/new"
    return (
        f"{result['dataset']}, {result['cell']}: {tested} (validation {result['validation_loss']:.4f} nats, "
        f"best of {result['epochs_run']} epochs: {result['best_epoch']}) · "
        f"{result['train_seconds']:.0f} s of training · {result['examples_per_second']:,.0f} {unit}/s\n"
        f"{what}:\n    {python()} -m experiments.{use}"
    )


def main() -> int:
    """Trains, or reports what was trained."""
    options = read_options(Options, PRESETS, "tiny_shakespeare")
    settings = options.settings
    return train(Script("language_model", RECIPE, lambda _: settings, plan, report), options)


if __name__ == "__main__":
    run(main)
