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
    case: Case, methods: list[str], num_devices: int, seconds: float, keep_memory: bool, limit: float
) -> Iterator[dict[str, Any]]:
    """Measures the methods of a case in a process of their own: a row each, with its `status`.

    One that takes more than `limit` seconds to prepare, or runs out of memory, gets a row that says so, and
    the others are started again without it.
    """
    methods = list(methods)
    while methods:
        rows, failed, why = _work(Job(case._asdict(), methods, num_devices, seconds, keep_memory), limit)
        yield from ({**row, "status": "ok"} for row in rows)
        methods = [method for method in methods if method not in {row["method"] for row in rows}]
        if failed is None:
            return
        # All of them, where it was none's own preparation.
        blamed = [failed] if failed in methods else methods
        yield from ({"method": method, "status": why} for method in blamed)
        methods = [method for method in methods if method not in blamed]


def _work(job: Job, limit: float) -> tuple[list[dict[str, Any]], str | None, str]:
    """The rows of a worker, the method it failed at, and why."""
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
        preparing: str | None = job.methods[0]
        try:
            # Once all are prepared, the rounds take some time of their own.
            allowed = limit
            while (line := lines.get(timeout=allowed)) is not None:
                told = json.loads(line)
                if "preparing" in told:
                    preparing = told["preparing"]
                    allowed = (
                        limit if preparing in job.methods else limit + 10 * job.seconds * len(job.methods)
                    )
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
