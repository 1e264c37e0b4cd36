"""One step, on one device and on several, against plain JAX without any of the project's machinery."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from rnn_jax.data.batches import Batch, Sequences
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.functional import split
from rnn_jax.settings import with_flat
from rnn_jax.tasks.labels import count
from rnn_jax.tasks.text_classification import Settings, make
from rnn_jax.tasks.text_classifier import make_model
from rnn_jax.training.optimizer import make_optimizer, make_schedule
from rnn_jax.training.parallel import DataParallel, all_gather, all_reduce
from rnn_jax.training.step import NORM, EvaluationState, evaluation_step, init_state, train_step
from rnn_jax.training.task import add, means, zeros
from tests.conftest import need_devices

CONFIG = with_flat(
    Settings(), vocabulary_size=30, embedding_size=4, hidden_size=5, max_length=10, batch_size=8
)
KEY = jax.random.key(5)
FIGURES = ("loss", "accuracy")


@pytest.fixture
def batch(rng):
    lengths = rng.integers(0, 11, 8).astype(np.int32)
    tokens = np.where(np.arange(10) < lengths[:, None], rng.integers(1, 30, (8, 10)), 0).astype(np.int32)
    weights = np.array([1, 1, 1, 1, 1, 0, 1, 0], np.float32)
    columns = {"tokens": Sequences(tokens, lengths), "labels": rng.integers(0, 2, 8).astype(np.int32)}
    return Batch(columns, weights, np.arange(8, dtype=np.int32))


@pytest.fixture(scope="module")
def parts():
    task, optimizer = make(CONFIG), make_optimizer(make_schedule(0.01, 100, "linear", 0), 1.0)
    return task, optimizer, jax.device_get(init_state(task, task.init(), optimizer, 8))


def on_devices(parallel, task, optimizer):
    step = partial(train_step, task=task, optimizer=optimizer, average_decay=0.9, all_reduce=all_reduce)
    return parallel.map(step, in_axes=(0, 0, None))


def on_one(task, optimizer, **more):
    options = {"task": task, "optimizer": optimizer, "average_decay": 0.9, **more}
    return jax.jit(partial(train_step, **options, all_reduce=lambda tree: tree))


@pytest.fixture(scope="module")
def step(parts):
    return on_one(*parts[:2])


def all_close(a, b, tolerance=1e-6):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=1e-5), a, b)


def test_figures_are_the_definitions(rng):
    logits, labels = rng.normal(size=8), rng.integers(0, 2, 8)
    weights = np.array([1, 1, 1, 0, 1, 1, 0, 1.0])
    probability = 1 / (1 + np.exp(-logits))
    losses = -np.log(np.where(labels == 1, probability, 1 - probability))
    sums = count(jnp.asarray(logits), jnp.asarray(labels), jnp.asarray(weights))
    assert sums["accuracy"].number == 6
    expected = {
        "loss": (losses * weights).sum() / 6,
        "accuracy": (((logits > 0) == labels) * weights).sum() / 6,
    }
    assert means(sums, FIGURES) == pytest.approx(expected, rel=1e-5)
    all_close(add(sums, zeros(FIGURES)), sums)
    assert means(add(sums, sums), FIGURES) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_is_that_of_the_mean_loss_of_the_rows_that_count(parts, batch):
    """Plain gradient descent on the six real rows alone gives the same weights."""
    _, _, state = parts
    quiet = with_flat(CONFIG, word_dropout=0.0, embedding_dropout=0.0, dropout=0.0)
    apply, _ = split(lambda: make_model(quiet))
    optimizer = optax.sgd(0.1)
    state = state._replace(optimizer=optimizer.init(state.params))
    stepped = on_one(make(quiet), optimizer)(state, batch, KEY)
    real = batch.weights > 0
    tokens, labels = batch.columns["tokens"], batch.columns["labels"]

    def mean_loss(params):
        logits = apply(params, tokens.values[real], tokens.lengths[real])
        signs = 2 * labels[real] - 1
        return jnp.log1p(jnp.exp(-signs * logits)).mean()

    gradient = jax.grad(mean_loss)(state.params)
    all_close(stepped.params, jax.tree.map(lambda p, g: p - 0.1 * g, state.params, gradient))
    assert stepped.step == 1
    np.testing.assert_allclose(stepped.sums["loss"].value, mean_loss(state.params), rtol=1e-5)


@pytest.mark.parametrize(
    "devices", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(4, marks=pytest.mark.slow)]
)
def test_many_devices_do_what_one_does(devices, parts, step, batch):
    """Dropout included: masks belong to rows, not to devices."""
    need_devices(devices)
    task, optimizer, state = parts
    parallel = DataParallel(devices, 8)
    mapped = on_devices(parallel, task, optimizer)
    replicas = parallel.put(state)
    for _ in range(3):
        replicas = mapped(replicas, parallel.shard(batch), KEY)
        state = step(state, batch, KEY)
    all_close(parallel.get(replicas), state, 1e-5)
    first, *others = replicas.params["head"]["kernel"]
    for other in others:
        np.testing.assert_array_equal(first, other)

    evaluate = parallel.map(partial(evaluation_step, task=task, all_reduce=all_reduce, all_gather=all_gather))
    nothing = EvaluationState(zeros(task.figures.counted), ())
    found = evaluate(parallel.replicate(nothing), replicas.params, parallel.shard(batch))
    alone = {"all_reduce": lambda tree: tree, "all_gather": lambda rows: rows}
    expected = evaluation_step(nothing, state.params, batch, task=task, **alone)
    all_close(parallel.unreplicate(found), expected, 1e-5)


@pytest.mark.slow
def test_adversarial_training_on_many_devices_is_that_on_one(parts, step, batch):
    """The perturbation of an example depends on that example alone."""
    need_devices(2)
    _, optimizer, state = parts
    task = make(with_flat(CONFIG, adversarial=2.0))
    parallel = DataParallel(2, 8)
    mapped = on_devices(parallel, task, optimizer)
    found = parallel.get(mapped(parallel.put(state), parallel.shard(batch), KEY))
    all_close(found, on_one(task, optimizer)(state, batch, KEY), 1e-5)
    plain = step(state, batch, KEY)
    assert found.sums["loss"].total == pytest.approx(plain.sums["loss"].total)
    assert not np.allclose(
        found.optimizer[1][0].mu["head"]["kernel"], plain.optimizer[1][0].mu["head"]["kernel"]
    )


def test_dropout_depends_on_the_step_and_the_key(parts, step, batch):
    _, _, state = parts

    def loss(state, key):
        return float(step(state, batch, key).sums["loss"].total)

    assert loss(state, KEY) == loss(state, KEY)
    assert loss(state, KEY) != loss(state._replace(step=np.int32(1)), KEY)
    assert loss(state, KEY) != loss(state, jax.random.key(6))


def test_an_empty_share_of_a_batch_changes_nothing(parts, step, batch):
    """A device whose rows only fill the batch up neither divides by zero nor moves the mean."""
    need_devices(2)
    task, optimizer, state = parts
    half = batch._replace(weights=np.array([1, 1, 1, 1, 0, 0, 0, 0], np.float32))
    parallel = DataParallel(2, 8)
    mapped = on_devices(parallel, task, optimizer)
    stepped = parallel.get(mapped(parallel.put(state), parallel.shard(half), KEY))
    alone = jax.tree.map(lambda x: x[:4], half)
    all_close(stepped, step(state, alone, KEY), 1e-5)


def test_the_optimizer_clips_and_decays(parts):
    optimizer = make_optimizer(make_schedule(0.5, 10, "linear", 0), clip_norm=1.0)
    params = {"w": jnp.zeros(2)}
    state = optimizer.init(params)
    sizes = []
    for _ in range(11):
        updates, state = optimizer.update({"w": jnp.array([3e6, 4e6])}, state, params)
        sizes.append(float(jnp.abs(updates["w"]).max()))
    np.testing.assert_allclose(sizes, [0.5 * (1 - t / 10) for t in range(11)], atol=1e-4)
    assert np.abs(np.linalg.norm(state[1][0].mu["w"]) - (1 - 0.9**11)) < 1e-4  # gradients of norm 1


def test_rmsprop_without_clipping_is_that_of_keras():
    """`g / √(v + ε)`, v the mean of g² that forgets a tenth a step; a rate that does not fall."""
    rate = make_schedule(0.5, 10, "constant", 0)
    optimizer = make_optimizer(rate, clip_norm=0.0, optimizer="rmsprop")
    state = optimizer.init(jnp.zeros(2))
    mean = np.zeros(2)
    for gradient in np.array([[3.0, 1e-4], [-4.0, 2e-4], [100.0, 0.0]], np.float32):
        updates, state = optimizer.update(jnp.array(gradient), state)
        mean = 0.9 * mean + 0.1 * gradient**2
        np.testing.assert_allclose(updates, -0.5 * gradient / np.sqrt(mean + 1e-7), rtol=1e-5)


@pytest.mark.parametrize(
    ("schedule", "fall"),
    [
        ("linear", lambda t: 1 - t),
        ("cosine", lambda t: (1 + np.cos(np.pi * t)) / 2),
        ("constant", lambda t: np.ones_like(t)),
    ],
)
def test_the_learning_rate_rises_to_its_peak_and_falls(schedule, fall):
    optimizer = make_optimizer(make_schedule(0.5, 20, schedule, 0.2), clip_norm=1.0)
    state = optimizer.init(jnp.zeros(1))
    sizes = []
    for _ in range(20):
        updates, state = optimizer.update(jnp.ones(1), state)
        sizes.append(-float(updates[0]))
    expected = [*np.linspace(0, 0.5, 4, endpoint=False), *(0.5 * fall(np.arange(16) / 16))]
    np.testing.assert_allclose(sizes, expected, atol=1e-5)


def test_the_norm_of_the_gradient_is_its_mean_over_steps_before_clipping(parts, step, batch):
    task, _, state = parts
    small = on_one(task, make_optimizer(make_schedule(0.01, 100, "linear", 0), 1e-3))
    norms = []
    for _ in range(3):

        def loss(params, state=state):
            keys = make_keys(jax.random.fold_in(KEY, state.step), batch.rows)
            mean = task.loss(params, batch, (), keys)[0]["loss"]
            return mean.total / mean.number

        norms.append(float(optax.tree.norm(jax.grad(loss)(state.params))))
        state = small(state, batch, KEY)
    assert state.sums[NORM].value == pytest.approx(np.mean(norms), rel=1e-5)


def test_a_step_in_parts_takes_less_memory(parts):
    task, optimizer, _ = parts
    rows = 64
    columns = {
        "tokens": Sequences(np.ones((rows, 200), np.int32), np.full(rows, 200, np.int32)),
        "labels": np.zeros(rows, np.int32),
    }
    large = Batch(columns, np.ones(rows, np.float32), np.arange(rows, dtype=np.int32))
    state = init_state(task, task.init(), optimizer, rows)

    def temporary(accumulate):
        step = on_one(task, optimizer, accumulate=accumulate)
        return step.lower(state, large, KEY).compile().memory_analysis().temp_size_in_bytes

    assert temporary(8) < 0.5 * temporary(1)


def test_the_average_is_the_definition(parts, step, batch):
    """Exponential weights, the warm-up of the decay included."""
    _, _, state = parts
    average = state.params["head"]["kernel"]
    for taken in range(120):
        state = step(state, batch, KEY)
        decay = min(0.9, (1 + taken) / (10 + taken))
        average = decay * average + (1 - decay) * np.asarray(state.params["head"]["kernel"])
    np.testing.assert_allclose(state.average["head"]["kernel"], average, rtol=1e-5)
    assert not np.allclose(state.params["head"]["kernel"], average, rtol=1e-3)
