"""One step, on one device and on several, against plain JAX without any of the project's machinery."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from rnn_jax.data.batches import Batch
from rnn_jax.models.functional import split
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.training.config import Config
from rnn_jax.training.metrics import Metrics
from rnn_jax.training.optimizer import make_optimizer
from rnn_jax.training.parallel import DataParallel, all_gather, all_reduce
from rnn_jax.training.step import evaluation_step, init_state, train_step
from tests.conftest import need_devices

CONFIG = with_flat(Config(), vocabulary_size=30, embedding_size=4, hidden_size=5, max_length=10, batch_size=8)
KEY = jax.random.key(5)


@pytest.fixture
def batch(rng):
    lengths = rng.integers(0, 11, 8).astype(np.int32)
    tokens = np.where(np.arange(10) < lengths[:, None], rng.integers(1, 30, (8, 10)), 0).astype(np.int32)
    weights = np.array([1, 1, 1, 1, 1, 0, 1, 0], np.float32)
    return Batch(
        tokens,
        lengths,
        rng.integers(0, 2, 8).astype(np.int32),
        weights,
        np.arange(8, dtype=np.int32),
        np.zeros((8, 10, 0), np.float32),
    )


@pytest.fixture(scope="module")
def parts():
    apply, init = split(CONFIG.make_model)
    optimizer = make_optimizer(0.01, 100, 1.0)
    return apply, optimizer, jax.device_get(init_state(init(), optimizer))


def on_devices(parallel, apply, optimizer):
    step = partial(train_step, apply=apply, optimizer=optimizer, average_decay=0.9, all_reduce=all_reduce)
    return parallel.map(step, in_axes=(0, 0, None))


@partial(jax.jit, static_argnames=("apply", "optimizer"))
def on_one(state, batch, key, apply, optimizer):
    options = {"apply": apply, "optimizer": optimizer, "average_decay": 0.9}
    return train_step(state, batch, key, **options, all_reduce=lambda tree: tree)


def all_close(a, b, tolerance=1e-6):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=1e-5), a, b)


def test_metrics_are_the_definitions(rng):
    logits, labels = rng.normal(size=8), rng.integers(0, 2, 8)
    weights = np.array([1, 1, 1, 0, 1, 1, 0, 1.0])
    probability = 1 / (1 + np.exp(-logits))
    losses = -np.log(np.where(labels == 1, probability, 1 - probability))
    metrics = Metrics.of(jnp.asarray(logits), jnp.asarray(labels), jnp.asarray(weights))
    assert metrics.examples == 6
    np.testing.assert_allclose(metrics.mean_loss, (losses * weights).sum() / 6, rtol=1e-5)
    np.testing.assert_allclose(metrics.accuracy, (((logits > 0) == labels) * weights).sum() / 6, rtol=1e-6)
    all_close(metrics + Metrics.zero(), metrics)
    all_close((metrics + metrics).mean_loss, metrics.mean_loss)


def test_the_gradient_is_that_of_the_mean_loss_of_the_rows_that_count(parts, batch):
    """Plain gradient descent on the six real rows alone gives the same weights."""
    apply, _, state = parts
    config = with_flat(
        Config(), **to_flat(CONFIG) | {"word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0}
    )
    apply, _ = split(config.make_model)
    optimizer = optax.sgd(0.1)
    state = state._replace(optimizer=optimizer.init(state.params))
    stepped = on_one(state, batch, KEY, apply, optimizer)
    real = batch.weights > 0

    def mean_loss(params):
        logits = apply(params, batch.tokens[real], batch.lengths[real])
        signs = 2 * batch.labels[real] - 1
        return jnp.log1p(jnp.exp(-signs * logits)).mean()

    gradient = jax.grad(mean_loss)(state.params)
    all_close(stepped.params, jax.tree.map(lambda p, g: p - 0.1 * g, state.params, gradient))
    assert stepped.step == 1
    np.testing.assert_allclose(stepped.metrics.mean_loss, mean_loss(state.params), rtol=1e-5)


@pytest.mark.parametrize(
    "devices", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(4, marks=pytest.mark.slow)]
)
def test_many_devices_do_what_one_does(devices, parts, batch):
    """Dropout included: masks belong to rows, not to devices."""
    need_devices(devices)
    apply, optimizer, state = parts
    parallel = DataParallel(devices, 8)
    step = on_devices(parallel, apply, optimizer)
    replicas = parallel.replicate(state)
    for _ in range(3):
        replicas = step(replicas, parallel.shard(batch), KEY)
        state = on_one(state, batch, KEY, apply, optimizer)
    all_close(parallel.unreplicate(replicas), state, 1e-5)
    first, *others = replicas.params["head"]["kernel"]
    for other in others:
        np.testing.assert_array_equal(first, other)

    evaluate = parallel.map(
        partial(evaluation_step, apply=apply, all_reduce=all_reduce, all_gather=all_gather)
    )
    found = evaluate(parallel.replicate(Metrics.zero()), replicas.params, parallel.shard(batch))
    alone = {"all_reduce": lambda tree: tree, "all_gather": lambda rows: rows}
    expected = evaluation_step(Metrics.zero(), state.params, batch, apply=apply, **alone)
    all_close(parallel.unreplicate(found), expected, 1e-5)


@pytest.mark.slow
def test_adversarial_training_on_many_devices_is_that_on_one(parts, batch):
    """The step of a review depends on that review alone."""
    need_devices(2)
    apply, optimizer, state = parts
    step = partial(
        train_step,
        apply=apply,
        optimizer=optimizer,
        average_decay=0.9,
        adversarial=2.0,
    )
    parallel = DataParallel(2, 8)
    mapped = parallel.map(partial(step, all_reduce=all_reduce), in_axes=(0, 0, None))
    found = parallel.unreplicate(mapped(parallel.replicate(state), parallel.shard(batch), KEY))
    expected = jax.jit(partial(step, all_reduce=lambda tree: tree))(state, batch, KEY)
    all_close(found, expected, 1e-5)
    plain = on_one(state, batch, KEY, apply, optimizer)
    assert found.metrics.loss == pytest.approx(plain.metrics.loss)
    assert not np.allclose(
        found.optimizer[1][0].mu["head"]["kernel"], plain.optimizer[1][0].mu["head"]["kernel"]
    )


def test_dropout_depends_on_the_step_and_the_key(parts, batch):
    apply, optimizer, state = parts

    def loss(state, key):
        stepped = on_one(state, batch, key, apply, optimizer)
        return float(stepped.metrics.loss)

    assert loss(state, KEY) == loss(state, KEY)
    assert loss(state, KEY) != loss(state._replace(step=np.int32(1)), KEY)
    assert loss(state, KEY) != loss(state, jax.random.key(6))


def test_an_empty_share_of_a_batch_changes_nothing(parts, batch):
    """A device whose rows only fill the batch up neither divides by zero nor moves the mean."""
    need_devices(2)
    apply, optimizer, state = parts
    half = batch._replace(weights=np.array([1, 1, 1, 1, 0, 0, 0, 0], np.float32))
    parallel = DataParallel(2, 8)
    step = on_devices(parallel, apply, optimizer)
    stepped = parallel.unreplicate(step(parallel.replicate(state), parallel.shard(half), KEY))
    alone = Batch(*(x[:4] for x in half))
    expected = on_one(state, alone, KEY, apply, optimizer)
    all_close(stepped, expected, 1e-5)


def test_the_optimizer_clips_and_decays(parts):
    optimizer = make_optimizer(0.5, 10, clip_norm=1.0)
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
    optimizer = make_optimizer(0.5, 10, clip_norm=0.0, schedule="constant", optimizer="rmsprop")
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
    optimizer = make_optimizer(0.5, 20, clip_norm=1.0, schedule=schedule, warm_up=0.2)
    state = optimizer.init(jnp.zeros(1))
    sizes = []
    for _ in range(20):
        updates, state = optimizer.update(jnp.ones(1), state)
        sizes.append(-float(updates[0]))
    expected = [*np.linspace(0, 0.5, 4, endpoint=False), *(0.5 * fall(np.arange(16) / 16))]
    np.testing.assert_allclose(sizes, expected, atol=1e-5)


def test_the_average_is_the_definition(parts, batch):
    """Exponential weights, the warm-up of the decay included."""
    apply, optimizer, state = parts
    average = state.params["head"]["kernel"]
    for step in range(120):
        state = on_one(state, batch, KEY, apply, optimizer)
        decay = min(0.9, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * np.asarray(state.params["head"]["kernel"])
    np.testing.assert_allclose(state.average["head"]["kernel"], average, rtol=1e-5)
    assert not np.allclose(state.params["head"]["kernel"], average, rtol=1e-3)
