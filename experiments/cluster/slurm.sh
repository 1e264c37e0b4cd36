#!/bin/bash
# Trains on several hosts under Slurm, in a clone's top folder:
#     sbatch experiments/cluster/slurm.sh --preset lstm --epochs 20
# One task a GPU (or one a host on CPUs: --ntasks-per-node=1, and no GPUs). Options after the script's name are
# those of imdb_sentiment; RNN_WORKDIR is a directory that all hosts share.
#SBATCH --job-name=rnn-jax
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -u

# All tasks must see all GPUs of their host: JAX picks one for each task by its number, so no --gpus-per-task.
# A task that fails ends the others; Slurm sends SIGTERM two minutes before the time is up, or at preemption.
srun --kill-on-bad-exit=1 .venv/bin/python -m experiments.imdb_sentiment \
    --distributed --workdir "${RNN_WORKDIR:-runs/slurm}" "$@"
code=$?

# 143: saved and stopped. The same command goes on from there, so the job takes its place in the queue again.
if [ "$code" -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
