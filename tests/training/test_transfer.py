"""Weights for a new run from a run of the same task, or of another."""

import io
from typing import NamedTuple

import jax
import numpy as np
import optax
import pytest
from rich.console import Console

from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.data.tokenizers import END, Tokenizer
from rnn_jax.data.vocabulary import START, UNKNOWN, Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.models.transfer import take_layers
from rnn_jax.settings import with_flat
from rnn_jax.tasks import language_model, text_classification
from rnn_jax.tasks.language_model import TokenPreprocessor
from rnn_jax.training.loop import Pace, Run
from rnn_jax.training.program import make_program
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.transfer import costs, of_run, transfer
from rnn_jax.training.weights import Opened
from tests.training.runs import CONFIG, make_data

SIZES = {"cell": "gru", "embedding_size": 3, "hidden_size": 4}
WORDS = ("one", "two", "three")
BOTH = {"dataset": "imdb", "reading": "apart", "bidirectional": True}


def lent(words=("three", END, "one"), **changes):
    """A language model with weights unlike any draw."""
    settings = with_flat(language_model.Settings(), tied=True, **{**SIZES, **changes})
    preprocessor = TokenPreprocessor(Tokenizer("bare", words))
    task = language_model.make(settings, preprocessor)
    params = jax.tree.map(lambda p: 10 + np.arange(p.size, dtype=np.float32).reshape(p.shape), task.init())
    return Opened(settings, preprocessor, task, params)


class New(NamedTuple):
    """A classifier that is to begin."""

    task: object
    settings: object
    preprocessor: object


def new(**changes):
    settings = with_flat(text_classification.Settings(), vocabulary_size=6, **{**SIZES, **changes})
    return New(text_classification.make(settings), settings, TextPreprocessor(Vocabulary(WORDS)))


def layer_of(params):
    return params["layers"]["recurrent"]["layers"][0]


def test_vectors_go_by_name_and_layers_by_direction():
    theirs, mine = lent(), new()
    drawn = jax.device_get(mine.task.init())
    params, words = transfer(of_run("there", theirs), *mine)
    assert words == "taken from there: 4 of 6 vectors of the embedding and the recurrent layers; drawn: head"
    vectors, their = params["embedding"]["embedding"], theirs.params["embedding"]["embedding"]
    np.testing.assert_array_equal(vectors[3], their[3])  # one
    np.testing.assert_array_equal(
        vectors[4], drawn["embedding"]["embedding"][4]
    )  # two, which it does not know
    np.testing.assert_array_equal(vectors[5], their[1])  # three
    np.testing.assert_array_equal(vectors[START], their[2])  # a text begins where another has ended
    np.testing.assert_array_equal(vectors[UNKNOWN], their[0])
    jax.tree.map(np.testing.assert_array_equal, layer_of(params), theirs.params["recurrent"]["layers"][0])
    jax.tree.map(np.testing.assert_array_equal, params["head"], drawn["head"])


def test_log_count_ratios_have_no_weight_at_first():
    theirs = lent()
    params, _ = transfer(of_run("there", theirs), *new(log_count_ratios=1))
    kernel = layer_of(params)["input_kernel"]
    np.testing.assert_array_equal(kernel[:3], theirs.params["recurrent"]["layers"][0]["input_kernel"])
    assert kernel.shape[0] > 3
    assert not kernel[3:].any()


def test_one_direction_for_both():
    theirs, mine = lent(), new(bidirectional=True)
    params, words = transfer(of_run("there", theirs), *mine)
    assert "the recurrent layers, forward alone" in words
    layer, drawn = layer_of(params), layer_of(jax.device_get(mine.task.init()))
    jax.tree.map(np.testing.assert_array_equal, layer["forward"], theirs.params["recurrent"]["layers"][0])
    jax.tree.map(np.testing.assert_array_equal, layer["backward"], drawn["backward"])


@pytest.mark.parametrize("both", [True, False])
def test_both_directions_for_both_or_one(both):
    theirs = lent(**BOTH)
    params, words = transfer(of_run("there", theirs), *new(bidirectional=both))
    layer, their = layer_of(params), theirs.params["recurrent"]["layers"][0]
    assert "alone" not in words
    jax.tree.map(np.testing.assert_array_equal, layer, their if both else their["forward"])


def test_a_second_layer_reads_one_direction_at_first():
    """Of the layer below it, whose other direction is drawn."""
    theirs, mine = lent(num_layers=2), new(num_layers=2, bidirectional=True)
    params, _ = transfer(of_run("there", theirs), *mine)
    second = params["layers"]["recurrent"]["layers"][1]["forward"]["input_kernel"]
    np.testing.assert_array_equal(second[:4], theirs.params["recurrent"]["layers"][1]["input_kernel"])
    assert not second[4:].any()


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"hidden_size": 5}, "--hidden-size 4: use that, and not 5"),
        ({"embedding_size": 2}, "--embedding-size 3: use that, and not 2"),
        ({"cell": "lstm"}, "--cell gru: use that, and not lstm"),
        ({"num_layers": 2}, "--num-layers 1: use that, and not 2"),
    ],
)
def test_unlike_sizes_are_named(change, answer):
    with pytest.raises(UserError, match=answer):
        transfer(of_run("there", lent()), *new(**change))


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        take_layers({"layers": {0: {"bias": np.ones(5)}}}, {"layers": {0: {"bias": np.ones(4)}}})


def test_of_the_same_network_everything_is_taken():
    mine = new()
    params = jax.tree.map(lambda p: p + 1, jax.device_get(mine.task.init()))
    theirs = Opened(mine.settings, mine.preprocessor, mine.task, params)
    found, words = transfer(of_run("there", theirs), *mine)
    assert words == "all weights from there"
    jax.tree.map(np.testing.assert_array_equal, found, params)
    with pytest.raises(UserError, match="another network"):
        transfer(of_run("there", theirs), *new(pooling="attention"))


def test_other_words_of_the_same_task_are_taken_by_name():
    mine = new()
    theirs = Opened(
        mine.settings, TextPreprocessor(Vocabulary(WORDS[::-1])), mine.task, jax.device_get(mine.task.init())
    )
    found, words = transfer(of_run("there", theirs), *mine)
    assert "6 of 6 vectors" in words
    np.testing.assert_array_equal(
        found["embedding"]["embedding"][3:], theirs.params["embedding"]["embedding"][:2:-1]
    )


def test_what_has_read_the_held_out_is_refused():
    mine = new()
    theirs = Opened(with_flat(mine.settings, refit=True), mine.preprocessor, mine.task, mine.task.init())
    with pytest.raises(UserError, match="use --refit, too"):
        transfer(of_run("there", theirs), *mine)


def test_frozen_parts_stay_and_then_move_more_slowly():
    """For an epoch; the head moves from the first step on. With momentum-free updates, a rate is a factor."""
    settings = with_flat(CONFIG, freeze_epochs=1, pretrained_rate=0.5, epochs=2, average_decay=0.0)
    data = text_classification.data_of(settings, make_data())
    task, steps = text_classification.make(settings), data.train.steps
    program = make_program(task, settings.training, 2 * steps, 1)
    plain = make_program(task, CONFIG.training, 2 * steps, 1)
    states = [each.parallel.put(each.init_state(task.init())) for each in (program, plain)]
    before = jax.device_get(task.init())
    key = jax.random.key(0)
    for number, plan in enumerate([*data.train.epoch(0, 0), data.train.epoch(0, 1)[0]]):
        batch = data.train.batch(plan, program.parallel.rows)
        if number == steps:  # the first step of the second epoch, from the same state
            last = program.parallel.get(states[0])
            states[1] = plain.parallel.put(last._replace(optimizer=last.optimizer[0]))
        states = [
            each.step(state, each.parallel.shard(batch), key)
            for each, state in zip((program, plain), states, strict=True)
        ]
        if number == steps - 1:
            params = program.parallel.get(states[0]).params
            for part in ("embedding", "layers"):
                jax.tree.map(np.testing.assert_array_equal, params[part], before[part])
            assert not np.array_equal(params["head"]["kernel"], before["head"]["kernel"])
    held, free = (
        optax.tree.sub(each.parallel.get(state).params, last.params)
        for each, state in zip((program, plain), states, strict=True)
    )
    for part, rate in (("embedding", 0.5), ("layers", 0.5), ("head", 1.0)):
        jax.tree.map(
            lambda a, b, rate=rate: np.testing.assert_allclose(a, rate * b, atol=1e-6), held[part], free[part]
        )


def test_a_run_with_frozen_parts_resumes_and_goes_on(tmp_path, monkeypatch):
    """Stopped in its frozen epoch, and extended by another, it is the run that was never stopped."""
    settings = with_flat(CONFIG, freeze_epochs=1, pretrained_rate=0.5, schedule="constant", epochs=3)
    data = text_classification.data_of(settings, make_data())

    def run(path, settings=settings):
        task, directory, console = (
            text_classification.make(settings),
            RunDirectory(path),
            Console(file=io.StringIO()),
        )
        pace = Pace(log_every=1, save_every=1)
        return Run(task, data, settings, directory, num_devices=1, pace=pace, console=console)

    whole = run(tmp_path / "whole").train("command")
    stopped = run(tmp_path / "again", with_flat(settings, epochs=2))
    batch = type(data.train).batch

    def crash(split, plan, rows):
        if split is data.train and stopped._step == 2:
            raise RuntimeError("the machine is gone")
        return batch(split, plan, rows)

    with monkeypatch.context() as patch:
        patch.setattr(type(data.train), "batch", crash)
        with pytest.raises(RuntimeError, match="gone"):
            stopped.train("command")
    run(tmp_path / "again", with_flat(settings, epochs=2)).train("command")
    assert run(tmp_path / "again").train("command")["test_loss"] == whole["test_loss"]


def test_layers_that_read_more_are_refused_in_words():
    theirs = new(log_count_ratios=1)
    opened = Opened(theirs.settings, theirs.preprocessor, theirs.task, jax.device_get(theirs.task.init()))
    other = new()._replace(preprocessor=TextPreprocessor(Vocabulary(WORDS[::-1])))
    with pytest.raises(UserError, match="recurrent layers with other inputs"):
        transfer(of_run("there", opened), *other)


def test_what_a_run_took_is_what_it_and_those_before_it_took(tmp_path):
    directory = RunDirectory(tmp_path)
    assert costs(tmp_path) == {"pretraining_seconds": None, "pretraining_epochs": None}
    directory.write_result({"train_seconds": 2.5, "epochs_run": 3})
    assert costs(tmp_path) == {"pretraining_seconds": 2.5, "pretraining_epochs": 3}
    directory.write_result({"train_seconds": 2.5, "epochs_run": 3, "pretraining_seconds": 1.0})
    assert costs(tmp_path)["pretraining_seconds"] == 3.5
