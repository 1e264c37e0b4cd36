"""A whole run: start or resume, train epoch by epoch, keep the best, evaluate once."""

import math
import time
from dataclasses import dataclass
from typing import Any

import jax
from rich.console import Console

from rnn_jax.data.batches import make_batch, plan_epoch, plan_evaluation, steps_per_epoch
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.dataset import Dataset
from rnn_jax.data.examples import Examples
from rnn_jax.errors import UserError
from rnn_jax.models import count_parameters
from rnn_jax.models.functional import ModelParams, split
from rnn_jax.training import environment
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints
from rnn_jax.training.config import Config
from rnn_jax.training.interruption import Interrupted, StopRequests
from rnn_jax.training.metrics import Metrics
from rnn_jax.training.optimizer import make_optimizer
from rnn_jax.training.parallel import DataParallel
from rnn_jax.training.progress import TrainingProgress
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.step import TrainState, init_state


class NotFiniteError(Exception):
    """The loss is NaN or infinite; the message says since when, and what is left."""


@dataclass
class Standing:
    """How far a run has come, beside its `TrainState`."""

    train_seconds: float = 0.0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    stopped_early: bool = False


class Run:
    """One run in its directory.

    Args:
        config: its settings.
        data: its reviews.
        directory: where it keeps everything.
        num_devices: how many devices of this host take part.
        log_every: steps between two records in `metrics.jsonl`.
        save_every: steps between two checkpoints within an epoch; every epoch ends with one besides.
        console: where progress is shown.
    """

    def __init__(
        self,
        config: Config,
        data: Dataset,
        directory: RunDirectory,
        *,
        num_devices: int,
        log_every: int,
        save_every: int,
        console: Console,
    ) -> None:
        self.config, self.data, self.directory = config, data, directory
        self.num_devices, self.log_every, self.save_every = num_devices, log_every, save_every
        self.console = console
        self.epoch_steps = steps_per_epoch(len(data.train), config.batch_size)
        self.total_steps = self.epoch_steps * config.epochs
        self.boundaries = choose_boundaries(data.train.lengths, config.max_length, config.buckets)
        self.apply, self.init_params = split(config.make_model)
        self.optimizer = make_optimizer(config.learning_rate, self.total_steps, config.clip_norm)
        self.parallel = DataParallel(num_devices, config.batch_size, self.apply, self.optimizer)
        self.key = jax.random.fold_in(jax.random.key(config.seed), 0)
        self.is_writer = jax.process_index() == 0

    def train(self, command: str, initial_params: ModelParams | None = None) -> dict[str, Any]:
        """Trains to the end, from the latest checkpoint where there is one, and returns the result.

        Args:
            command: what was typed, for the record.
            initial_params: weights to start a new run from, instead of drawing them.

        Raises:
            Interrupted: if SIGTERM or SIGINT came; the run has been saved.
            NotFiniteError: if the loss became NaN or infinite; the last good checkpoint is intact.
            UserError: if the latest checkpoint cannot be read.
        """
        if self.is_writer:
            self.directory.create(self.config, self.data.vocabulary)
        with Checkpoints(self.directory.checkpoints) as checkpoints, StopRequests() as stop:
            state, standing = self._start(checkpoints, initial_params)
            state = self.parallel.replicate(state)
            step = int(self.parallel.gather(state.step))
            with TrainingProgress(self.console, self.total_steps, step) as progress:
                while step < self.total_steps and not standing.stopped_early:
                    state = self._train_epoch(state, standing, checkpoints, progress, stop)
                    step = int(self.parallel.gather(state.step))
            best = checkpoints.restore(checkpoints.best_step or 0, self.parallel.gather(state))
        return self._finish(best.state.params, standing, step, command)

    def evaluate(self, params: ModelParams, examples: Examples) -> Metrics:
        """Loss and accuracy of weights (one copy) over examples, without dropout."""
        replicas = self.parallel.replicate(params)
        metrics = self.parallel.replicate(Metrics.zero())
        for plan in plan_evaluation(examples.lengths, self.boundaries, self.config.batch_size):
            batch = make_batch(examples, plan, self.config.batch_size, self.parallel.rows)
            metrics = self.parallel.evaluate(metrics, replicas, batch)
        return self.parallel.gather(metrics)

    def _start(
        self, checkpoints: Checkpoints, initial_params: ModelParams | None
    ) -> tuple[TrainState, Standing]:
        params = self.init_params() if initial_params is None else initial_params
        state = jax.device_get(init_state(params, self.optimizer))
        standing = Standing()
        latest = checkpoints.latest_step
        if latest is not None:
            restored = checkpoints.restore(latest, state)
            state, standing = restored.state, Standing(**restored.progress["standing"])
            epoch, within = divmod(latest, self.epoch_steps)
            self.console.print(
                f"going on from step {latest} (epoch {epoch + 1}, {within} of {self.epoch_steps} steps)",
                highlight=False,
            )
        if self.is_writer:
            self.directory.forget_metrics_after(latest or 0)
        return state, standing

    def _train_epoch(
        self,
        state: TrainState,
        standing: Standing,
        checkpoints: Checkpoints,
        progress: TrainingProgress,
        stop: StopRequests,
    ) -> TrainState:
        """Takes the steps that are left of an epoch, validates, and saves."""
        step = int(self.parallel.gather(state.step))
        epoch, within = divmod(step, self.epoch_steps)
        plans = plan_epoch(
            self.data.train.lengths, self.boundaries, self.config.batch_size, self.config.seed, epoch
        )
        began, seconds_before, first_step = time.perf_counter(), standing.train_seconds, step
        for plan in plans[within:]:
            batch = make_batch(self.data.train, plan, self.config.batch_size, self.parallel.rows)
            state = self.parallel.train(state, batch, self.key)
            step += 1
            progress.advance(step, epoch + 1)
            at_end = step % self.epoch_steps == 0
            stopping = stop.received is not None and not at_end
            saving = (step % self.save_every == 0 and not at_end) or stopping
            if step % self.log_every == 0 or at_end or saving:
                metrics = self._read_metrics(state, step, checkpoints)
                standing.train_seconds = seconds_before + time.perf_counter() - began
                rate = (step - first_step) * self.config.batch_size / (time.perf_counter() - began)
                progress.figures(step, epoch + 1, metrics.mean_loss, metrics.accuracy, rate)
                self._log(
                    {
                        "kind": "train",
                        "step": step,
                        "epoch": epoch + 1,
                        "loss": metrics.mean_loss,
                        "accuracy": metrics.accuracy,
                        "examples_per_second": round(rate, 1),
                        "elapsed_seconds": round(standing.train_seconds, 3),
                    }
                )
            if saving:
                self._save(checkpoints, step, state, standing, score=None)
            if stopping:
                raise Interrupted(stop.received or 0, step)

        validation = self.evaluate(self.parallel.gather(state.params), self.data.validation)
        standing.train_seconds = seconds_before + time.perf_counter() - began
        self._judge(standing, epoch + 1, validation.accuracy)
        self._log(
            {
                "kind": "epoch",
                "step": step,
                "epoch": epoch + 1,
                "train_loss": metrics.mean_loss,
                "train_accuracy": metrics.accuracy,
                "validation_loss": validation.mean_loss,
                "validation_accuracy": validation.accuracy,
                "elapsed_seconds": round(standing.train_seconds, 3),
            }
        )
        progress.line(
            f"epoch {epoch + 1:2d}/{self.config.epochs} · loss {metrics.mean_loss:.4f} · "
            f"accuracy {metrics.accuracy:.2%} · validation loss {validation.mean_loss:.4f} · "
            f"accuracy {validation.accuracy:.2%} · {standing.train_seconds:.1f} s"
        )
        state = state._replace(metrics=self.parallel.replicate(Metrics.zero()))
        self._save(checkpoints, step, state, standing, score=validation.accuracy)
        if stop.received is not None and step < self.total_steps and not standing.stopped_early:
            raise Interrupted(stop.received, step)
        return state

    def _judge(self, standing: Standing, epoch: int, accuracy: float) -> None:
        """Notes the best epoch, the later of equals as Orbax does, and whether patience has run out."""
        if accuracy >= standing.best_accuracy:
            standing.best_accuracy, standing.best_epoch = accuracy, epoch
        standing.stopped_early = 0 < self.config.patience <= epoch - standing.best_epoch

    def _read_metrics(self, state: TrainState, step: int, checkpoints: Checkpoints) -> Metrics:
        """The sums of the epoch so far. A loss that was not finite once has stayed so in its sum."""
        metrics = self.parallel.gather(state.metrics)
        if not math.isfinite(metrics.loss):
            saved = checkpoints.latest_step
            left = f"the checkpoint of step {saved} is intact" if saved else "there was no checkpoint yet"
            raise NotFiniteError(
                f"the loss is {float(metrics.loss)} at step {step} or shortly before; nothing was saved since, "
                f"{left}: try a lower --learning-rate or --clip-norm in a new --workdir"
            )
        return metrics

    def _save(
        self,
        checkpoints: Checkpoints,
        step: int,
        state: TrainState,
        standing: Standing,
        score: float | None,
    ) -> None:
        progress = {"config": self.config.to_json(), "standing": vars(standing)}
        checkpoints.save(step, Checkpoint(self.parallel.gather(state), progress), score)

    def _log(self, record: dict[str, Any]) -> None:
        if self.is_writer:
            self.directory.append_metrics(record)

    def _finish(
        self, params: ModelParams, standing: Standing, steps: int, command: str
    ) -> dict[str, Any]:
        """Evaluates the best weights on the test split, once, and records the result."""
        test = self.evaluate(params, self.data.test)
        seen = steps // self.epoch_steps * len(self.data.train)
        result = {
            "dataset": self.data.name,
            "cell": self.config.cell,
            "unroll": self.config.unroll,
            "seed": self.config.seed,
            "parameters": count_parameters(params),
            "epochs_run": steps // self.epoch_steps,
            "best_epoch": standing.best_epoch,
            "validation_accuracy": standing.best_accuracy,
            "test_accuracy": test.accuracy,
            "test_loss": test.mean_loss,
            "test_examples": int(test.count),
            "train_seconds": round(standing.train_seconds, 3),
            "examples_per_second": round(seen / standing.train_seconds, 1),
            "command": command,
            "commit": environment.commit(),
            "versions": environment.versions(),
            "hardware": environment.hardware(self.num_devices),
        }
        if self.is_writer:
            self.directory.write_result(result)
        return result


def best_params(directory: RunDirectory, config: Config) -> ModelParams:
    """The weights of the best checkpoint of a run, as NumPy arrays.

    Raises:
        UserError: if there is no checkpoint, or it cannot be read.
    """
    if not directory.checkpoints.is_dir():
        raise UserError(f"{directory.path} holds no checkpoint yet: train it first")
    _, init_params = split(config.make_model)
    optimizer = make_optimizer(config.learning_rate, 1, config.clip_norm)
    like = jax.device_get(init_state(init_params(), optimizer))
    with Checkpoints(directory.checkpoints) as checkpoints:
        return checkpoints.restore(directory.require_checkpoint(checkpoints.best_step), like).state.params
