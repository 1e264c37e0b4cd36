"""Several hosts that train together: how they find each other, meet, and who of them writes.

JAX and the cluster do the work: `jax.distributed` knows Slurm, Open MPI, Kubernetes and TPU pods.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

import jax
from jax.experimental import multihost_utils

from rnn_jax.errors import UserError

HEARTBEAT_SECONDS = 30  # without a sign of life a host counts as lost, and the others end


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
    """Ends this process, with code 1 and a line that says why, when another one of the job has gone.

    At once, because JAX would wait for the other one on the way out.
    """
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if jax.process_count() == 1:
            raise
        first = str(error).splitlines()[0]
        print(
            f"error: another process of this job has ended, or cannot be reached ({first}): "
            "start them all again, and they go on from the last checkpoint",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)


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
