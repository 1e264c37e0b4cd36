"""Several hosts that train together: how they find each other, meet, and who of them writes.

JAX and the cluster do the work: `jax.distributed` knows Slurm, Open MPI, Kubernetes and TPU pods.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

import jax
from jax.experimental import multihost_utils

from rnn_jax.errors import RunError, UserError

HEARTBEAT_SECONDS = 30  # without a sign of life a host counts as lost, and the others end
TOGETHER = "the processes of a job end together: start them again, and they go on from the last checkpoint"


def join() -> None:
    """Finds the other processes of this job, as the cluster describes them; before JAX is used.

    Raises:
        UserError: if this process was not started by a cluster that JAX knows.
    """
    try:
        jax.distributed.initialize(heartbeat_timeout_seconds=HEARTBEAT_SECONDS)
    except (ValueError, RuntimeError) as error:  # none that JAX knows, or one that does not answer
        raise UserError(
            f"--distributed finds no cluster ({error}): start it under srun, mpirun or Kubernetes"
        ) from error


@contextlib.contextmanager
def end_together() -> Iterator[None]:
    """Where there are several processes, ends this one at once when it cannot go on, and says why.

    Left to itself it would wait for the others on the way out, as they do for it; gone, it takes them along.
    """
    try:
        yield
    except Exception as error:
        if jax.process_count() == 1:
            raise
        if isinstance(error, (UserError, RunError)):
            line = str(error)
        elif isinstance(error, (jax.errors.JaxRuntimeError, ValueError)):
            line = (
                f"another process has ended, or cannot be reached ({str(error).splitlines()[0]}); {TOGETHER}"
            )
        else:
            traceback.print_exc()
            line = TOGETHER
        print(f"error: {line}", file=sys.stderr, flush=True)
        os._exit(2 if isinstance(error, UserError) else 1)


def is_first() -> bool:
    """Whether this is the host that writes what is written once."""
    return jax.process_index() == 0


def asked_to_stop(step: int) -> bool:
    """Whether SIGTERM has come to any host; all hosts are told so at the same step.

    This is JAX's own service for jobs of several processes, which takes the signal over from Python.
    """
    return jax.process_count() > 1 and bool(multihost_utils.reached_preemption_sync_point(step))


def meet(where: str) -> None:
    """Waits until every host has come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(where)
