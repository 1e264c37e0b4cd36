"""What is around a recurrent layer, and what it costs: a layer without anything and with each, in turns."""

from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.errors import UserError
from rnn_jax.measuring.case import Case, make_problem
from rnn_jax.measuring.program import Program, compile_layer
from rnn_jax.measuring.turns import run_in_turns
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.functional import split
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings
from rnn_jax.settings import check, with_flat

RARE = 2.15  # what one of 64 numbers of a standard normal distribution is above


class Extension(NamedTuple):
    """Something that a layer may have."""

    settings: dict[str, Any]  # of `RecurrentSettings`
    lengths: bool = False
    resets: bool = False


EXTENSIONS: dict[str, Extension] = {
    "plain": Extension({}),
    "lengths": Extension({}, lengths=True),
    "resets": Extension({}, resets=True),
    "learned initial state": Extension({"learned_initial_state": True}),
    "clipped state gradient": Extension({"clip_state_gradient": 1.0}),
    "recurrent dropout": Extension({"recurrent_dropout": 0.2}),
    "weight dropout": Extension({"weight_dropout": 0.2}),
    "zoneout": Extension({"zoneout": 0.1}),
}


def measure_extensions(case: Case, unroll: str, num_devices: int, seconds: float) -> dict[str, float]:
    """Seconds for a layer without anything (`plain`), and with each extension that its cell knows.

    One step in 64 begins anew where there are resets; lengths are 85 to 100 % of T for most sequences.
    """
    programs = {}
    for name, extension in EXTENSIONS.items():
        settings = with_flat(
            RecurrentSettings(cell=case.cell, unroll=unroll, hidden_size=case.hidden), **extension.settings
        )
        try:
            check(settings)
        except UserError:  # not for this cell
            continue
        programs[name] = program(case, settings, extension, num_devices)
    taken = run_in_turns({name: each.run for name, each in programs.items()}, seconds)
    return {name: median(times) for name, times in taken.items()}


def program(case: Case, settings: RecurrentSettings, extension: Extension, num_devices: int) -> Program:
    """The case with an extension; its results are the gradients for the inputs, or the outputs.

    What is drawn comes from the inputs, so that no compiler can work it out ahead.
    """
    apply, init = split(lambda: Recurrent(settings, case.hidden, nnx.Rngs(0)))

    def layer(params: Any, x: Array) -> Array:
        lengths = jnp.round(case.time * jax.nn.sigmoid(3 + x[:, 0, 0])).astype(jnp.int32)
        seed = jax.lax.bitcast_convert_type(x[0, 0, 0], jnp.int32)
        outputs: Array = apply(
            params,
            x,
            lengths if extension.lengths else None,
            keys=make_keys(jax.random.key(seed), jnp.arange(len(x))),
            resets=x[..., 0] > RARE if extension.resets else None,
        ).outputs
        return outputs

    return compile_layer(layer, init(), case, make_problem(case), num_devices, lambda gradients: {})
