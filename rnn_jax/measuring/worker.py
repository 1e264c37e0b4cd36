"""Measures several ways to do one case, interleaved: a process of its own, which may run out of memory.

`python -m rnn_jax.measuring.worker` reads one JSON object, a `Job`, from standard input, and writes a JSON
object a line: `{"preparing": way}` before it starts on a way, and a measurement of each way at the end.
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
    ways: list[str]  # the first is what the results of the others are compared with
    num_devices: int
    seconds: float  # to spend on each way, at the most, once it is prepared
    keep_memory: bool  # whether the process keeps memory that it has freed, as training runs do


def measure(job: Job) -> None:
    """Prepares all ways, compares their results, and runs them in turns."""
    case = Case(**job.case)
    problem = make_problem(case)
    programs = {}
    expected = None
    differences = {}
    for way in job.ways:
        tell(preparing=way)
        prepare = PEERS[way] if way in PEERS else lambda *a, way=way: our_program(way, *a)
        programs[way] = prepare(case, problem, job.num_devices)
        found = programs[way].results()
        expected = found if expected is None else expected
        differences[way] = disagreement(found, expected)
        if not differences[way] <= LARGEST_DISAGREEMENT[case.precision]:
            raise ValueError(f"{way} and {job.ways[0]} differ by {differences[way]:.1e}: not the same work")
    tell(preparing="matrix product")
    product, operations = product_program(case.precision, job.num_devices)
    runs = {**{way: program.run for way, program in programs.items()}, "matrix product": product.run}
    seconds = run_in_turns(runs, job.seconds)
    best = operations / median(seconds["matrix product"])
    for way, program in programs.items():
        lower, middle, upper = quantiles(seconds[way], n=4)
        rate = case.operations / middle
        tell(
            way=way,
            compile_seconds=program.compile_seconds,
            seconds=middle,
            lower_quartile=lower,
            upper_quartile=upper,
            runs=len(seconds[way]),
            temporary_bytes=program.temporary_bytes,
            gflops=rate / 1e9,
            share_of_product=rate / best,
            difference=differences[way],
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
