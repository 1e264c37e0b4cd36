"""Several hosts that train together: how they find each other, meet, and who of them writes.

JAX and the cluster do the work: `jax.distributed` knows Slurm, Open MPI, Kubernetes and TPU pods.
"""

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
    except ValueError as error:
        raise UserError(
            f"--distributed finds no cluster ({error}): start it under srun, mpirun or Kubernetes"
        ) from error


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
