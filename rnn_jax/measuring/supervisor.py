"""Runs workers, and survives those that take too long or too much memory."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

from rnn_jax.measuring.case import Case
from rnn_jax.measuring.worker import Job

KILLED = -9  # how Linux ends a process when memory runs out
OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "out of memory", "OutOfMemoryError", "bad_alloc", "Unable to allocate")


def measure(
    case: Case, ways: list[str], num_devices: int, seconds: float, keep_memory: bool, limit: float
) -> Iterator[dict[str, Any]]:
    """Measures the ways of a case in a process of their own: a row each, with its `status`.

    A way that takes more than `limit` seconds to prepare, or runs out of memory, gets a row that says so, and
    the others are started again without it.
    """
    ways = list(ways)
    while ways:
        rows, failed, why = _work(Job(case._asdict(), ways, num_devices, seconds, keep_memory), limit)
        yield from ({**row, "status": "ok"} for row in rows)
        ways = [way for way in ways if way not in {row["way"] for row in rows}]
        if failed is None:
            return
        blamed = [failed] if failed in ways else ways  # all of them, where it was none's own preparation
        yield from ({"way": way, "status": why} for way in blamed)
        ways = [way for way in ways if way not in blamed]


def _work(job: Job, limit: float) -> tuple[list[dict[str, Any]], str | None, str]:
    """The rows of a worker, the way it failed at, and why."""
    with subprocess.Popen(
        [sys.executable, "-m", "rnn_jax.measuring.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "JAX_TRACEBACK_FILTERING": "off"},  # then the last line is the error
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        worker.stdin.write(json.dumps(job._asdict()))
        worker.stdin.close()
        lines: queue.Queue[str | None] = queue.Queue()
        errors: list[str] = []
        readers = [
            threading.Thread(target=_forward, args=(worker.stdout, lines.put), daemon=True),
            threading.Thread(target=_forward, args=(worker.stderr, errors.append), daemon=True),
        ]
        for reader in readers:
            reader.start()
        rows: list[dict[str, Any]] = []
        preparing: str | None = job.ways[0]
        try:
            # Once all are prepared, the rounds take some time of their own.
            allowed = limit
            while (line := lines.get(timeout=allowed)) is not None:
                told = json.loads(line)
                if "preparing" in told:
                    preparing = told["preparing"]
                    allowed = limit if preparing in job.ways else limit + 10 * job.seconds * len(job.ways)
                else:
                    rows.append(told)
        except queue.Empty:
            worker.kill()
            return rows, preparing, "over time"
        finally:
            if sys.exc_info()[0] is not None:  # stopped from outside
                worker.kill()
        code = worker.wait()
        readers[1].join()
    text = "".join(filter(None, errors))
    if code == 0:
        return rows, None, ""
    if code == KILLED or any(word in text for word in OUT_OF_MEMORY):
        return rows, preparing, "out of memory"
    reason = text.strip().splitlines()[-1] if text.strip() else f"exit code {code}"
    return rows, preparing, f"failed: {reason[:200]}"


def _forward(stream: IO[str], to: Any) -> None:
    for line in stream:
        to(line)
    to(None)
