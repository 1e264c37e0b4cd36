"""Trains a language model on a long text, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished. The presets
`tiny_shakespeare` (characters) and `wikitext2` (words) are for the texts of these names.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import jax

from experiments.command_line import run
from experiments.training import Script, TrainingOptions, devices, python, read_options, train
from rnn_jax.data.streams import Stream
from rnn_jax.errors import UserError
from rnn_jax.models.functional import ModelParams
from rnn_jax.settings import with_flat
from rnn_jax.tasks.language_model import RECIPE, Settings, TokenPreprocessor
from rnn_jax.training.loop import Run
from rnn_jax.training.recipe import Data, Preprocessor
from rnn_jax.training.weights import open_run

PRESETS: dict[str, Settings] = {
    "tiny_shakespeare": Settings(),
    "wikitext2": with_flat(
        Settings(),
        dataset="wikitext2",
        tokens="blanks",
        length=35,
        batch_size=20,
        embedding_size=400,
        hidden_size=400,
        num_layers=2,
        tied=True,
        dropout=0.5,
        embedding_dropout=0.5,
        learning_rate=2e-3,
        clip_norm=0.25,
        epochs=12,
    ),
}

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


def weights_of(path: str, settings: Settings, data: Data) -> ModelParams:
    """The best weights of another language model, of the same network, which knows the same tokens."""
    opened = open_run(path, RECIPE)
    if tokens_of(opened.preprocessor).tokenizer.tokens != tokens_of(data.preprocessor).tokenizer.tokens:
        raise UserError(f"--init-from {path} knows other tokens: it was trained on another text")
    wanted = jax.eval_shape(RECIPE.make(settings, data.preprocessor).init)
    shapes, cells = (
        [jax.tree.map(lambda leaf: leaf.shape, params) for params in (opened.params, wanted)],
        [each.recurrent.cell for each in (opened.settings, settings)],
    )
    if shapes[0] != shapes[1] or cells[0] != cells[1]:
        raise UserError(f"--init-from {path} is another network: use its settings")
    return opened.params


def plan(run: Run) -> str:
    """What would be trained, on what, and in how many steps."""
    data, train = run.data, cast("Stream", run.data.train)
    tokenizer = tokens_of(data.preprocessor).tokenizer
    unknown = cast("Stream", data.validation).beside["unknown"]
    beginning = tokenizer.decode(train.tokens[:60]).replace("\n", "⏎")
    return (
        f"{RECIPE.summary(run.settings, data.preprocessor)}\n"
        f"{data.name}: {len(data.train):,} {data.unit} to train on, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test; {tokenizer.size:,} kinds, {unknown:.2%} of validation unknown; "
        "it begins:\n"
        f"    {beginning} …\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {train.batch_size} parts of the text side "
        f"by side, {train.length} {data.unit} a step, on {devices(run)}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, and how to use it."""
    tested = "test split not read"
    if result["test_examples"]:
        tested = (
            f"test perplexity {result['test_perplexity']:.2f}, {result['test_loss']:.4f} nats a token, "
            f"{result['test_bits_per_character']:.4f} bits a character"
        )
    return (
        f"{result['dataset']}, {result['cell']}: {tested} (validation {result['validation_loss']:.4f} nats, "
        f"best of {result['epochs_run']} epochs: {result['best_epoch']}) · "
        f"{result['train_seconds']:.0f} s of training · {result['examples_per_second']:,.0f} tokens/s\n"
        "Let it write:\n"
        f"    {python()} -m experiments.generate --workdir {shlex.quote(workdir)} --length 400"
    )


def main() -> int:
    """Trains, or reports what was trained."""
    options = read_options(Options, PRESETS, "tiny_shakespeare")
    settings = options.settings
    return train(Script("language_model", RECIPE, lambda _: settings, plan, report, weights_of), options)


if __name__ == "__main__":
    run(main)
