"""The language model of PyTorch is ours: values, gradients and steps; what is timed is what a run does."""

import io
import sys
from itertools import pairwise

import jax
import numpy as np
import optax
import pytest
from rich.console import Console

from rnn_jax.data import texts
from rnn_jax.errors import UserError
from rnn_jax.measuring.language_models import our_epochs, our_steps, speeds_in_turns
from rnn_jax.measuring.torch_language_model import (
    TorchTraining,
    counterparts,
    draw_log_uniform,
    make_torch_model,
    rate_factor,
    sampled_softmax_losses,
    torch_epochs,
    torch_steps,
    with_weights,
)
from rnn_jax.models import softmax
from rnn_jax.seeds import make_key
from rnn_jax.settings import with_flat
from rnn_jax.tasks.language_model import RECIPE, Settings, make
from rnn_jax.tasks.language_model import data_of as data_of_corpus
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.loop import Pace, Run
from rnn_jax.training.optimizer import SCHEDULES, make_optimizer, make_schedule
from rnn_jax.training.program import make_program
from rnn_jax.training.run_directory import RunDirectory
from tests.conftest import need_devices

pytestmark = pytest.mark.slow

TEXT = "".join(f"{i} men and {j} more went out. " for i in range(9) for j in range(11))[:2200]
QUIET = with_flat(
    Settings(), length=10, batch_size=8, embedding_size=4, hidden_size=5, epochs=2, dropout=0.0, warm_up=0.1
)
NETWORKS = [
    {"cell": "lstm"},
    {"cell": "gru", "num_layers": 2, "clip_norm": 0.0},
    {"cell": "lstm", "tied": True, "num_layers": 2},
    {"cell": "gru", "tied": True, "embedding_size": 5},
]


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")


def data_of(settings):
    return data_of_corpus(settings, texts.encode(texts.cut(TEXT), settings.text))


def noisy(params, rng):
    """Parameters of which none is zero: what is not copied, or not added, shows."""
    return jax.tree.map(lambda p: np.asarray(p) + rng.normal(0, 0.3, p.shape).astype(np.float32), params)


def close(ours, theirs, atol=1e-5):
    np.testing.assert_allclose(np.asarray(ours), theirs.detach().numpy(), atol=atol, rtol=1e-4)


def batches_of(split, count=None):
    plans = split.once()[:count]
    return [split.batch(plan, range(split.batch_size)) for plan in plans]


@pytest.mark.parametrize("changes", NETWORKS, ids=lambda changes: " ".join(map(str, changes.values())))
def test_torch_has_our_loss_and_gradients_with_the_state_carried(torch, changes, rng):
    settings = with_flat(QUIET, **changes)
    data = data_of(settings)
    task = make(settings, data.preprocessor)
    params = noisy(task.init(), rng)
    training = TorchTraining(settings, data, 1)
    with_weights(training.model, params)
    first, second = batches_of(data.train, 2)
    assert first.columns["fresh"].all()
    assert not second.columns["fresh"].any()

    start = task.initial_carry(8)

    @jax.jit
    def both(params):
        _, carry = task.loss(params, first, start, None)
        sums, last = task.loss(params, second, jax.lax.stop_gradient(carry), None)
        return sums["loss"].total / sums["loss"].number, last

    (loss, carry), gradients = jax.value_and_grad(both, has_aux=True)(params)
    _, _, state = training._loss(training.model, first, None)
    total, number, state = training._loss(training.model, second, state)
    (total / number).backward()
    close(loss, total / number)
    states = [np.concatenate([layer[part] for layer in carry]) for part in range(len(carry[0]))]
    for ours, theirs in zip(states, state[0] if settings.recurrent.cell == "lstm" else state, strict=True):
        close(ours, theirs.flatten(0, 1))
    pairs = counterparts(training.model, gradients)
    assert {id(theirs) for _, theirs in pairs} == {id(p) for p in training.model.parameters()}
    for ours, theirs in pairs:
        if theirs.requires_grad:
            close(ours, theirs.grad)
    apart = TorchTraining(with_flat(settings, dropout=0.5), data, 1)  # a module a layer
    evaluate = make_evaluator(task, 8, 1)
    for split in (data.train, data.validation):  # the last batch is padded
        evaluated = evaluate(params, split).figures["loss"]
        for each in (training, apart):
            with_weights(each.average, params)
            assert each.evaluate(split, 8) == pytest.approx(evaluated, rel=1e-5)


def test_torch_samples_our_softmax(torch, rng):
    """Values and gradients for the same tokens drawn, the target among them; and how they are drawn."""
    head = torch.nn.Linear(4, 30)
    hidden = torch.tensor(rng.normal(size=(6, 4)), dtype=torch.float32, requires_grad=True)
    targets, drawn = rng.integers(0, 30, 6), np.array([0, 3, 3, 17, 29])
    targets[0] = 3
    output = softmax.Output(head.weight.detach().numpy(), head.bias.detach().numpy())
    ours, gradients = jax.value_and_grad(
        lambda o, h: softmax.sampled_softmax_losses(o, h, targets, drawn).sum(), argnums=(0, 1)
    )(output, hidden.detach().numpy())
    theirs = sampled_softmax_losses(head, hidden, torch.tensor(targets), torch.tensor(drawn)).sum()
    theirs.backward()
    close(ours, theirs)
    for mine, its in zip(jax.tree.leaves(gradients), (head.weight, head.bias, hidden), strict=True):
        close(mine, its.grad)
    torch.manual_seed(0)
    counts = np.bincount(draw_log_uniform(200_000, 30, "cpu"), minlength=30) / 200_000
    np.testing.assert_allclose(counts, np.exp(softmax.log_uniform(np.arange(30), 30)), atol=5e-3)


def test_torch_trains_on_samples_and_evaluates_all(torch):
    """With many samples, the loss is about the whole one, and padding does not count in either."""
    settings = with_flat(QUIET, softmax_samples=200_000)
    data = data_of(settings)
    training = TorchTraining(settings, data, 1)
    last = batches_of(data.train)[-1]
    assert (last.columns["targets"].lengths < last.columns["targets"].values.shape[1]).any()
    sampled, whole = (training._loss(each, last, None) for each in (training.model, training.average))
    assert sampled[1] == whole[1] == last.columns["targets"].lengths.sum()
    assert sampled[0].item() == pytest.approx(whole[0].item(), rel=0.01)
    assert sampled[0].item() != whole[0].item()


@pytest.mark.parametrize("changes", NETWORKS, ids=lambda changes: " ".join(map(str, changes.values())))
def test_torch_takes_our_steps(torch, changes, rng):
    """Gradients, clipped or not, Adam, the rising rate, the average: the same parameters for some steps."""
    recipe = {"clip_norm": 0.1, "schedule": "cosine", "average_decay": 0.5}
    settings = with_flat(QUIET, **recipe | changes)
    data = data_of(settings)
    task = make(settings, data.preprocessor)
    program = make_program(task, settings.training, data.train.steps * 2, 1)
    params = noisy(task.init(), rng)
    state = program.parallel.put(program.init_state(params))
    training = TorchTraining(settings, data, 1)
    with_weights(training.model, params)
    with_weights(training.average, params)
    moved = [params]
    for batch in batches_of(data.train, 6):
        state = program.step(state, program.parallel.shard(batch), make_key(0))
        training.step(batch)
        ours = program.parallel.unreplicate(state)
        # Adam divides by the gradient: where that is next to nothing, rounding is all there is.
        for mine, theirs in counterparts(training.model, ours.params):
            close(mine, theirs, atol=1e-4)
        for mine, theirs in counterparts(training.average, ours.average):
            close(mine, theirs, atol=1e-4)
        # Adam's steps do not depend on the scale of the gradients; its averages of them do.
        for mine, theirs in counterparts(training.model, optax.tree.get(ours.optimizer, "mu")):
            if theirs.requires_grad:
                close(mine, training.optimizer.state[theirs]["exp_avg"])
        moved.append(ours.params)
    # The steps are larger than what is tolerated, but for the first, at whose rate of 0 nothing moves.
    distances = [max(jax.tree.leaves(jax.tree.map(_distance, *pair))) for pair in pairwise(moved)]
    assert distances[0] == 0
    assert all(distance > 5e-4 for distance in distances[2:])
    assert max(jax.tree.leaves(jax.tree.map(_distance, ours.params, ours.average))) > 5e-4


def _distance(a, b):
    return float(np.abs(a - b).max())


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_learning_rate_is_ours(schedule):
    factor = rate_factor(schedule, 0.2, 20)
    optimizer = make_optimizer(make_schedule(1.0, 20, schedule, 0.2), 0.0)
    state = optimizer.init(0.0)
    for step in range(22):
        update, state = optimizer.update(1.0, state, 0.0)  # of a constant gradient, Adam's is the rate
        assert -float(update) == pytest.approx(factor(step), abs=1e-5)


def test_noise_is_one_mask_for_all_steps_and_acts_in_training_alone(torch):
    names = ("dropout", "embedding_dropout", "word_dropout", "vocabulary_dropout")
    torch.manual_seed(0)
    tokens = torch.ones(3, 6, dtype=torch.int64)
    for name in names:
        model = make_torch_model(with_flat(QUIET, num_layers=2, **{name: 0.5}), 7)
        quiet, loud = model.eval()(tokens)[0], model.train()(tokens)[0]
        torch.testing.assert_close(quiet, model.eval()(tokens)[0])
        assert not torch.allclose(quiet, loud)
    ones = torch.ones(3, 6, 400)
    masked = model.train()._locked(ones, 0.25)
    assert set(masked.unique().tolist()) == {0.0, torch.tensor(4 / 3).item()}
    torch.testing.assert_close(masked[:, 1:], masked[:, :-1])
    assert not torch.equal(masked[0], masked[1])
    assert masked.mean().item() == pytest.approx(1, abs=0.1)


def test_the_epochs_are_those_of_a_run(tmp_path):
    need_devices(2)
    settings = with_flat(QUIET, dropout=0.2)
    data = data_of(settings)
    epochs = list(our_epochs(settings, data, 2))
    run = Run(
        RECIPE.make(settings, data.preprocessor),
        data,
        settings,
        RunDirectory(tmp_path / "run"),
        num_devices=2,
        pace=Pace(50, 500),
        test=False,
        console=Console(file=io.StringIO()),
    )
    result = run.train("", None)
    assert len(epochs) == settings.training.epochs
    assert epochs[result["best_epoch"] - 1].validation_loss == pytest.approx(result["validation_loss"])
    assert 0 < epochs[0].seconds < epochs[1].seconds


def test_both_learn_the_same_from_the_same_weights(torch):
    """Without noise, epochs of both libraries are the same up to rounding; with it, they differ little."""
    ours, theirs = list(our_epochs(QUIET, data_of(QUIET), 1)), list(torch_epochs(QUIET, data_of(QUIET), 1))
    assert [e.validation_loss for e in theirs] == pytest.approx([e.validation_loss for e in ours], rel=1e-3)
    assert theirs[1].validation_loss < theirs[0].validation_loss - 0.01
    assert 0 < theirs[0].seconds < theirs[1].seconds


def test_turns_count_tokens_and_come_one_after_the_other():
    calls = []

    def run(name):
        def take(count):
            calls.append((name, count))
            return 7 * count

        return take

    speeds = speeds_in_turns({"a": run("a"), "b": run("b")}, turns=3, seconds=1e-7)
    assert {name: len(figures) for name, figures in speeds.items()} == {"a": 3, "b": 3}
    last = calls[-12:]
    assert [name for name, _ in last] == ["a", "a", "b", "b"] * 3
    assert [count for _, count in last][::2] == [1] * 6


def test_the_speed_is_that_of_real_steps(torch):
    data = data_of(QUIET)
    for steps in (our_steps(QUIET, data, 1), torch_steps(QUIET, data, 1)):
        assert steps(3) == 3 * 8 * 10
        (speed,) = speeds_in_turns({"it": steps}, turns=1, seconds=0.05)["it"]
        assert speed > 0


def test_without_torch_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"--peers torch: PyTorch is not installed: pip install"):
        next(torch_epochs(QUIET, data_of(QUIET), 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": "mgu"}, "--peers torch: --cell mgu: is one of lstm, gru there"),
        ({"weight_dropout": 0.5}, "--peers torch: --weight-dropout 0.5: is not built there, leave it 0.0"),
        ({"recurrent_dropout": 0.1}, "--recurrent-dropout 0.1: is not built"),
        ({"zoneout": 0.1}, "--zoneout 0.1: is not built"),
        ({"bidirectional": True}, "--bidirectional True: is not built"),
        ({"dense": True}, "--dense True: is not built"),
        ({"optimizer": "rmsprop"}, "--optimizer rmsprop: is not built"),
        ({"precision": "bfloat16"}, "--precision bfloat16: is not built"),
    ],
)
def test_what_is_not_built_is_refused(changes, message):
    with pytest.raises(UserError, match=message) as refused:
        make_torch_model(with_flat(QUIET, **changes), 7)
    assert "\n" not in str(refused.value)
