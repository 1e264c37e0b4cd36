"""What unrolls accept, refuse and promise of their arguments: the same for all of them."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

from rnn_jax.cells import CELLS
from rnn_jax.cells.noise import MaskedParams, ZoneoutParams, recurrent_dropout, zoneout
from rnn_jax.models.pooling import POOLINGS
from rnn_jax.unroll import (
    UNROLLS,
    Directions,
    Unrolled,
    dynamic,
    fused,
    init_layers,
    parallel,
    run_layer,
    run_layers,
)
from rnn_jax.unroll.arguments import check_lengths
from tests.conftest import need_devices
from tests.unroll.pairs import each_pair

B, T, D, H = 4, 6, 3, 5
LENGTHS = np.array([0, 6, 2, 5])

each_unroll = pytest.mark.parametrize("unroll", UNROLLS.values(), ids=UNROLLS)


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D)).astype(np.float32)


def make_params(name, dtype=jnp.float32):
    return CELLS[name].init(jax.random.key(0), D, H, dtype)


def types(tree):
    return {leaf.dtype.name for leaf in jax.tree.leaves(tree)}


def all_close(a, b, tolerance=1e-5):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance), a, b)


TYPES = [  # of the parameters, x, the initial state, and the result
    ("bfloat16", "float32", "bfloat16", "float32"),
    ("bfloat16", "bfloat16", "bfloat16", "bfloat16"),
    ("float32", "bfloat16", "float32", "float32"),
    ("bfloat16", "bfloat16", "float32", "float32"),
    ("float32", "int32", "float32", "float32"),
]


def check_types(name, unroll, params_type, x_type, state_type, result):
    cell, params, x = CELLS[name], make_params(name, params_type), jnp.ones((B, T, D), x_type)
    state = jax.tree.map(lambda s: s.astype(state_type), cell.initial_state(params, (B,)))

    def loss(params, x, state, lengths):
        unrolled = unroll(cell, params, x, lengths, state)
        return sum(leaf.sum() for leaf in jax.tree.leaves(unrolled)).astype(jnp.float32), unrolled

    differentiate = jax.grad(loss, argnums=(0, 2), has_aux=True)
    (d_params, d_state), unrolled = jax.eval_shape(differentiate, params, x, state, LENGTHS)
    assert types(unrolled) == {result}
    assert types(d_params) == {params_type}
    assert types(d_state) == {state_type}


@each_unroll
def test_the_result_is_of_the_type_that_jax_promotes_to(unroll):
    for case in TYPES:
        check_types("qrnn" if unroll is UNROLLS["parallel"] else "lstm", unroll, *case)


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_computes_in_one_type(name):
    for case in TYPES[:2]:
        check_types(name, fused, *case)


@pytest.mark.parametrize(("name", "unroll"), [("lstm", fused), ("lru", dynamic), ("lru", parallel)])
def test_values_of_mixed_types_are_those_of_the_promoted(name, unroll, x):
    params, run = make_params(name, jnp.bfloat16), jax.jit(partial(unroll, CELLS[name]))
    promoted = jax.tree.map(lambda p: p.astype(jnp.float32), params)
    expected = run(promoted, x)
    all_close(run(params, x), expected, 1e-6)
    narrow = run(params, x.astype(jnp.bfloat16))
    all_close(jax.tree.map(lambda a: a.astype(jnp.float32), narrow), expected, 0.05)


@each_unroll
def test_lengths_may_be_a_list_or_of_any_integer_type(unroll, x):
    """In types in which `lengths - 1` and T do not fit, too, traced and not; beyond the end, T counts."""
    params = make_params("qrnn")

    @jax.jit
    def run(lengths):
        looked_at = [
            unroll(CELLS["qrnn"], params, x, known) for known in (LENGTHS.tolist(), np.uint8(LENGTHS))
        ]
        traced = [unroll(CELLS["qrnn"], params, x, each, reverse=True) for each in lengths]
        return looked_at, traced

    (one, other), (small, expected, beyond, end) = run(
        [np.uint8(LENGTHS), np.int32(LENGTHS), np.uint8(2 * LENGTHS), np.minimum(2 * LENGTHS, T)]
    )
    all_close(one, dynamic(CELLS["qrnn"], params, x, LENGTHS))
    all_close(expected, dynamic(CELLS["qrnn"], params, x, LENGTHS, reverse=True))
    for found, same in ((other, one), (small, expected), (beyond, end)):
        all_close(found, same)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint32])
def test_traced_lengths_are_clipped_to_the_steps_there_are(dtype):
    """T = 300 does not fit into a byte, and a large unsigned number not into int32."""
    largest = np.iinfo(dtype).max
    found = jax.jit(lambda lengths: check_lengths(lengths, 3, 300))(np.array([0, 7, largest], dtype))
    assert found.dtype == jnp.int32
    np.testing.assert_array_equal(found, [0, 7, min(largest, 300)])
    np.testing.assert_array_equal(
        jax.jit(lambda lengths: check_lengths(lengths, 2, 4))(np.array([-1, 5], np.int32)), [0, 4]
    )


@pytest.mark.parametrize("name", POOLINGS)
def test_poolings_take_lengths_as_unrolls_do(name, x):
    from flax import nnx

    pool, _ = POOLINGS[name](D, nnx.Rngs(0))
    unrolled = Unrolled(jnp.where(np.arange(T)[:, None] < LENGTHS[:, None, None], x, 0), (None,))
    expected = pool(unrolled, LENGTHS)
    assert not expected[0].any()  # a sequence of length 0
    for lengths in (LENGTHS.tolist(), LENGTHS.astype(np.uint8)):
        np.testing.assert_array_equal(pool(unrolled, lengths), expected)
    with pytest.raises(ValueError, match=r"lengths must be from 0 to T = 6, but lengths\[1\] is 7"):
        pool(unrolled, LENGTHS + 1)


@each_unroll
def test_arguments_that_do_not_fit_are_refused_alike(unroll, x):
    cell, params = CELLS["lstm"], make_params("lstm")
    refused = partial(pytest.raises, ValueError)
    with refused(match=r"an unroll takes real inputs \[B, T, D\], got float32 \(6, 3\)"):
        unroll(cell, params, x[0])
    with refused(match=r"an unroll takes real inputs \[B, T, D\], got complex64 \(4, 6, 3\)"):
        unroll(cell, params, x + 1j * x)
    with refused(match=r"lengths must be integers \[4\], got float\d\d \(4,\)"):
        unroll(cell, params, x, [1.0, 2.0, 3.0, 4.0])
    with refused(match=r"lengths must be integers \[4\], got int64 \(3,\)"):
        unroll(cell, params, x, LENGTHS[:3])
    for wrong, row, value in ((LENGTHS + 1, 1, 7), (jnp.asarray(LENGTHS - 1), 0, -1)):
        with refused(match=rf"lengths must be from 0 to T = 6, but lengths\[{row}\] is {value}"):
            unroll(cell, params, x, wrong)
    state = cell.initial_state(params, (B,))
    for other in (cell.initial_state(params, ()), cell.initial_state(params, (1,)), tuple(state)):
        with refused(match="the initial state must be of the shapes LSTMState.*, got "):
            unroll(cell, params, x, None, other)


@each_pair
def test_a_batch_may_be_empty(name, unroll):
    params = make_params(name)
    for lengths in (None, [], np.zeros(0, np.uint8)):
        result = jax.eval_shape(partial(unroll, CELLS[name]), params, jnp.zeros((0, T, D)), lengths)
        assert result.outputs.shape == (0, T, H)
        assert {leaf.shape[0] for leaf in result.state} == {0}

        def loss(params, lengths=lengths):
            return unroll(CELLS[name], params, jnp.zeros((0, T, D)), lengths).outputs.sum()

        gradients = jax.eval_shape(jax.grad(loss), params)
        assert jax.tree.map(jnp.shape, gradients) == jax.tree.map(jnp.shape, params)


@pytest.mark.parametrize("name", ["elman", "qrnn", pytest.param("lstm", marks=pytest.mark.slow)])
def test_all_unrolls_run_inside_shard_map(name, x):
    """With its check of what varies over the mesh: values, and gradients of replicated parameters."""
    need_devices(2)
    cell, params = CELLS[name], make_params(name)
    mesh = jax.make_mesh((2,), ("data",), axis_types=(AxisType.Auto,))
    shared, split = PartitionSpec(), PartitionSpec("data")
    x, lengths = x[:, :3], np.minimum(LENGTHS, 3)

    def loss(params, x, lengths):
        results = [unroll(cell, params, x, lengths, reverse=True) for unroll in (dynamic, fused)]
        results += [
            UNROLLS[method](cell, params, x, lengths)
            for method in ("checkpointed", "parallel", "static", "hoisted", "auto")
        ]
        results += [
            run_layer(UNROLLS[method], cell, Directions(params, params), x, lengths)
            for method in ("hoisted", "auto")
        ]
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(results))

    def reduced(*arguments):
        return jax.lax.psum(loss(*arguments), "data")

    sharded = jax.shard_map(
        jax.value_and_grad(reduced), mesh=mesh, in_specs=(shared, split, split), out_specs=(shared, shared)
    )
    found = jax.jit(sharded)(params, x, lengths)
    all_close(found, jax.jit(jax.value_and_grad(loss))(params, x, lengths), 1e-4)


@pytest.mark.parametrize("make", [recurrent_dropout, zoneout])
def test_a_noisy_cell_is_compiled_once(make):
    traced = []

    @partial(jax.jit, static_argnums=0)
    def run(cell, params, x):
        traced.append(cell)
        return dynamic(cell, params, x).outputs

    params = make_params("lstm")
    noisy = {
        recurrent_dropout: MaskedParams(params, jnp.ones((B, H))),
        zoneout: ZoneoutParams(params, 0.5, None),
    }[make]
    for _ in range(3):
        run(make(CELLS["lstm"]), noisy, jnp.zeros((B, T, D)))
    assert len(traced) == 1


def test_layers_are_of_the_type_asked_for(x):
    for bidirectional in (False, True):
        layers = init_layers(
            CELLS["gru"], jax.random.key(0), D, H, 2, bidirectional=bidirectional, dtype=jnp.bfloat16
        )
        assert types(layers) == {"bfloat16"}
        result = jax.eval_shape(
            partial(run_layers, dynamic, CELLS["gru"]), layers, x.astype(jnp.bfloat16), LENGTHS
        )
        assert types(result) == {"bfloat16"}
