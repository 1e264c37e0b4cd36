"""Measures several methods on one case, interleaved: a process of its own, which may run out of memory.

`python -m rnn_jax.measuring.worker` reads one JSON object, a `Job`, from standard input, and writes a JSON
object a line: `{"preparing": method}` before it starts on a method, and a measurement of each at the end.
"""

import json
import sys
from statistics import median, quantiles
from typing import Any, NamedTuple

import jax

from rnn_jax.measuring.case import Case, disagreement, make_problem
from rnn_jax.measuring.peers import PEERS
from rnn_jax.measuring.program import our_program, product_program
from rnn_jax.measuring.turns import run_in_turns
from rnn_jax.training.memory import keep_freed_memory

LARGEST_DISAGREEMENT = {"float32": 1e-3, "tensorfloat32": 2e-2, "bfloat16": 0.15}


class Job(NamedTuple):
    """What a worker is asked for."""

    case: dict[str, Any]
    methods: list[str]  # the first is what the results of the others are compared with
    num_devices: int
    seconds: float  # to spend on each method, at the most, once it is prepared
    keep_memory: bool  # whether the process keeps memory that it has freed, as training runs do


def measure(job: Job) -> None:
    """Prepares all methods, compares their results, and runs them in turns."""
    case = Case(**job.case)
    problem = make_problem(case)
    programs = {}
    expected = None
    differences = {}
    for method in job.methods:
        tell(preparing=method)
        prepare = PEERS[method] if method in PEERS else lambda *a, method=method: our_program(method, *a)
        programs[method] = prepare(case, problem, job.num_devices)
        found = programs[method].results()
        expected = found if expected is None else expected
        differences[method] = disagreement(found, expected)
        if not differences[method] <= LARGEST_DISAGREEMENT[case.precision]:
            raise ValueError(
                f"{method} and {job.methods[0]} differ by {differences[method]:.1e}: not the same work"
            )
    tell(preparing="matrix product")
    product, operations = product_program(case.precision, job.num_devices)
    runs = {**{method: program.run for method, program in programs.items()}, "matrix product": product.run}
    seconds = run_in_turns(runs, job.seconds)
    best = operations / median(seconds["matrix product"])
    for method, program in programs.items():
        lower, middle, upper = quantiles(seconds[method], n=4)
        rate = case.operations / middle
        tell(
            method=method,
            compile_seconds=program.compile_seconds,
            seconds=middle,
            lower_quartile=lower,
            upper_quartile=upper,
            runs=len(seconds[method]),
            temporary_bytes=program.temporary_bytes,
            gflops=rate / 1e9,
            share_of_product=rate / best,
            difference=differences[method],
        )


def tell(**fields: Any) -> None:
    """Writes a line for whoever started this process."""
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    job = Job(**json.loads(sys.stdin.read()))
    if job.keep_memory:
        keep_freed_memory()
    jax.config.update("jax_num_cpu_devices", job.num_devices)
    measure(job)
