"""What is read from the text of a compiled program."""

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import PartitionSpec

from rnn_jax.ahead.hlo import Collective, Loop, Text, bytes_of, parse
from tests.conftest import need_devices

# As compilers write it, cut short.
TEXT = """\
HloModule jit_step, is_scheduled=true

%inner (param.1: (s32[], f32[4,8])) -> (s32[], f32[4,8]) {
  %param.1 = (s32[]{:T(128)}, f32[4,8]{1,0:T(8,128)S(1)}) parameter(0)
  %fusion.1 = f32[4,8]{1,0:T(8,128)} fusion(%param.1), kind=kLoop, backend_config={"estimated_cycles":"7"}
  %dot.1 = f32[4,8]{1,0} dot(%fusion.1, %fusion.1), lhs_contracting_dims={1}
  ROOT %tuple.1 = (s32[], f32[4,8]{1,0}) tuple(%param.1, %dot.1)
}

%until_five (param.2: (s32[], f32[4,8])) -> pred[] {
  %param.2 = (s32[]{:T(128)}, f32[4,8]{1,0}) parameter(0)
  %constant.1 = s32[]{:T(128)} constant(5), metadata={op_name="while"}
  ROOT %lt = pred[]{:T(512)} compare(%param.2, %constant.1), direction=LT
}

%outer (param.3: (s32[], f32[4,8])) -> (s32[], f32[4,8]) {
  %param.3 = (s32[], f32[4,8]{1,0}) parameter(0)
  %gather.1 = f32[4,8]{1,0} all-gather(%param.3), backend_config={"estimated_cycles":"3"}
  ROOT %while.1 = (s32[], f32[4,8]{1,0}) while(%param.3), condition=%until_five, body=%inner
}

ENTRY %main (param.4: f32[4,8]) -> f32[4,8] {
  %param.4 = f32[4,8]{1,0} parameter(0)
  %while.2 = f32[4,8]{1,0} while(%param.4), condition=%x, body=%outer, a={"known_trip_count":{"n":"2"}}
  %sum = (f32[], bf16[16]{0}) all-reduce-start(%param.4), channel_id=1
  %done = (f32[], bf16[16]{0}) all-reduce-done(%sum), backend_config={"estimated_cycles":"100"}
  %more = (f32[4,8]{1,0}, f32[8,8]{1,0}) all-gather-start(%param.4), channel_id=2, dimensions={0}
  %all = f32[8,8]{1,0} all-gather-done(%more)
}
"""


def test_loops_collectives_and_cycles():
    text = parse(TEXT)
    assert text.entry == "main"
    assert text.loops() == [Loop(5, 2)]
    assert text.collectives() == [
        Collective("all-gather", 256, 1),
        Collective("all-gather", 128, 2),
        Collective("all-reduce", 36, 1),
    ]
    assert text.launches() == 2 * 5 * 2
    assert text.cycles() == 2 * 5 * 7 + 2 * 3 + 100


def test_a_compiler_that_estimates_nothing():
    assert Text({"main": []}, "main").cycles() is None


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ("f32[]", 4),
        ("pred[3]{0}", 3),
        ("bf16[2,3]{1,0:T(8,128)}", 12),
        ("(s32[2], (u8[4], f64[1,0]))", 12),
    ],
)
def test_sizes(shape, size):
    assert bytes_of(shape) == size


def test_a_program_of_this_compiler():
    """Nested scans over two devices: trips, and what is added up."""
    need_devices(2)
    mesh = jax.make_mesh((2,), ("devices",), devices=jax.devices()[:2])

    def step(x):
        def inner(y, _):
            return jnp.tanh(y @ y), None

        def outer(y, _):
            y, _ = jax.lax.scan(inner, y, None, length=11)
            return jax.lax.psum(y, "devices"), None

        return jax.lax.scan(outer, x, None, length=3)[0]

    mapped = jax.shard_map(
        step, mesh=mesh, in_specs=PartitionSpec(), out_specs=PartitionSpec(), check_vma=False
    )
    text = parse(jax.jit(mapped).lower(jnp.ones((8, 8))).compile().as_text())
    [loop] = text.loops()
    assert loop.trips == 11
    assert loop.launches >= 1
    assert text.collectives() == [Collective("all-reduce", 256, 3)]
