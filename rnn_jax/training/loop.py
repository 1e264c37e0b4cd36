"""A whole run: start or resume, train epoch by epoch, keep the best, evaluate once."""

import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import jax
from rich.console import Console

from rnn_jax.data.batches import make_batch, plan_epoch, steps_per_epoch
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.dataset import Dataset
from rnn_jax.models import count_parameters
from rnn_jax.models.functional import ModelParams
from rnn_jax.training import environment
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints
from rnn_jax.training.config import Config
from rnn_jax.training.evaluation import Evaluator
from rnn_jax.training.interruption import InterruptedRunError, StopRequests
from rnn_jax.training.metrics import Metrics
from rnn_jax.training.program import make_program
from rnn_jax.training.progress import TrainingProgress
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.step import TrainState


class NotFiniteError(Exception):
    """The loss is NaN or infinite; the message says since when, and what is left."""


@dataclass
class Standing:
    """How far a run has come, beside its `TrainState`; saved with every checkpoint."""

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
        test: whether the test split is read at the end; not, while settings are being searched for.
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
        test: bool,
        console: Console,
    ) -> None:
        self.config, self.data, self.directory, self.console = config, data, directory, console
        self.num_devices, self.log_every, self.save_every = num_devices, log_every, save_every
        self.test = test
        self.epoch_steps = steps_per_epoch(len(data.train), config.batch_size)
        self.total_steps = self.epoch_steps * config.epochs
        self.boundaries = choose_boundaries(data.train.lengths, config.max_length, config.buckets)

        self._program = make_program(config, self.total_steps, num_devices)
        self._parallel = self._program.parallel
        self._evaluate = Evaluator(self._parallel, self._program.apply, self.boundaries, config.batch_size)
        self._key = jax.random.key(config.seed)
        self._is_writer = jax.process_index() == 0

    def train(self, command: str, initial_params: ModelParams | None = None) -> dict[str, Any]:
        """Trains to the end, from the latest checkpoint where there is one, and returns the result.

        Args:
            command: what was typed, for the record.
            initial_params: weights to start a new run from, instead of drawing them.

        Raises:
            InterruptedRunError: if SIGTERM or SIGINT came; the run has been saved.
            NotFiniteError: if the loss became NaN or infinite; the last good checkpoint is intact.
            UserError: if the directory cannot be written, or the latest checkpoint cannot be read.
        """
        self._parallel.meet("the directory is checked")  # by all, before one fills it
        if self._is_writer:
            self.directory.create(self.config, self.data.vocabulary)
        with Checkpoints(self.directory.checkpoints) as checkpoints, StopRequests() as stop:
            self._checkpoints, self._stop = checkpoints, stop
            state = self._start(initial_params)
            self._state, self._step = self._parallel.replicate(state), int(state.step)
            self._clock_zero = time.perf_counter() - self._standing.train_seconds
            self._last_log = self._step, self._seconds()
            with TrainingProgress(self.console, self.total_steps, self._step) as self._progress:
                while self._step < self.total_steps and not self._standing.stopped_early:
                    self._train_epoch()
                    self._end_epoch()
            best = checkpoints.restore(checkpoints.best_step or 0, state).state.average
        return self._finish(best, command)

    def _start(self, initial_params: ModelParams | None) -> TrainState:
        """The state and the standing to begin with: new ones, or those of the latest checkpoint."""
        params = self._program.init_params() if initial_params is None else initial_params
        state, self._standing = jax.device_get(self._program.init_state(params)), Standing()
        latest = self._checkpoints.latest_step
        if latest is not None:
            restored = self._checkpoints.restore(latest, state)
            state, self._standing = restored.state, Standing(**restored.progress["standing"])
            self.console.print(f"going on from step {latest} of {self.total_steps}", highlight=False)
        if self._is_writer:
            self.directory.forget_metrics_after(latest or 0)
        return state

    def _train_epoch(self) -> None:
        """Takes the steps that are left of an epoch."""
        epoch, within = divmod(self._step, self.epoch_steps)
        config, train = self.config, self.data.train
        plans = plan_epoch(train.lengths, self.boundaries, config.batch_size, config.seed, epoch)
        for plan in plans[within:]:
            batch = make_batch(train, plan, config.batch_size, self._parallel.rows)
            self._state = self._program.step(self._state, self._parallel.cut(batch), self._key)
            self._step += 1
            self._progress.advance(self._step, epoch + 1)
            self._after_step(epoch + 1)

    def _after_step(self, epoch: int) -> None:
        """Logs and saves when it is time, and leaves when it was asked to."""
        at_end = self._step % self.epoch_steps == 0  # then validation comes first
        stopping = self._stop.received if not at_end else None
        saving = stopping is not None or (self._step % self.save_every == 0 and not at_end)
        if at_end or self._step % self.log_every == 0:
            self._log_training(epoch)
        if saving:
            self._save(score=None)
        if stopping is not None:
            raise InterruptedRunError(stopping, self._step)

    def _end_epoch(self) -> None:
        """Validates, saves, and starts new sums."""
        epoch = self._step // self.epoch_steps
        train = self._epoch_metrics()
        validation = self._evaluate(self._parallel.gather(self._state.average), self.data.validation)
        self._judge(epoch, validation.accuracy)
        seconds = self._seconds()
        self._log(
            kind="epoch",
            epoch=epoch,
            train_loss=train.mean_loss,
            train_accuracy=train.accuracy,
            validation_loss=validation.mean_loss,
            validation_accuracy=validation.accuracy,
        )
        self._progress.line(
            f"epoch {epoch:2d}/{self.config.epochs} · loss {train.mean_loss:.4f} · "
            f"accuracy {train.accuracy:.2%} · validation loss {validation.mean_loss:.4f} · "
            f"accuracy {validation.accuracy:.2%} · {seconds:.1f} s"
        )
        self._state = self._state._replace(metrics=self._parallel.replicate(Metrics.zero()))
        self._save(score=validation.accuracy)
        self._last_log = self._step, self._seconds()
        is_last = self._step == self.total_steps or self._standing.stopped_early
        if self._stop.received is not None and not is_last:
            raise InterruptedRunError(self._stop.received, self._step)

    def _judge(self, epoch: int, accuracy: float) -> None:
        """Notes the best epoch, of equals the later as checkpoints do, and whether patience has run out."""
        standing = self._standing
        if accuracy >= standing.best_accuracy:
            standing.best_accuracy, standing.best_epoch = accuracy, epoch
        standing.stopped_early = 0 < self.config.patience <= epoch - standing.best_epoch

    def _epoch_metrics(self) -> Metrics:
        """The sums of the epoch so far; raises if a loss was not finite, which its sum never forgets."""
        metrics = self._parallel.gather(self._state.metrics)
        if not math.isfinite(metrics.loss):
            since = f"a step from {self._last_log[0] + 1} to {self._step}"
            saved = self._checkpoints.latest_step
            left = f"the checkpoint of step {saved} is intact" if saved else "no checkpoint was saved yet"
            raise NotFiniteError(
                f"the loss is {float(metrics.loss)} since {since}; {left}: "
                "try a lower --learning-rate or --clip-norm in a new --workdir"
            )
        return metrics

    def _log_training(self, epoch: int) -> None:
        """Logs the means of the epoch so far, and the speed since the last record."""
        metrics = self._epoch_metrics()
        (step, seconds), self._last_log = self._last_log, (self._step, self._seconds())
        rate = (self._step - step) * self.config.batch_size / (self._last_log[1] - seconds)
        self._progress.figures(self._step, epoch, metrics.mean_loss, metrics.accuracy, rate)
        self._log(
            kind="train",
            epoch=epoch,
            loss=metrics.mean_loss,
            accuracy=metrics.accuracy,
            examples_per_second=round(rate, 1),
        )

    def _log(self, **record: Any) -> None:
        if self._is_writer:
            now = {"step": self._step, "elapsed_seconds": round(self._seconds(), 3)}
            self.directory.append_metrics(record | now)

    def _save(self, score: float | None) -> None:
        self._epoch_metrics()  # what is not finite is not saved
        self._standing.train_seconds = self._seconds()
        progress = {"config": self.config.to_json(), "standing": asdict(self._standing)}
        self._checkpoints.save(self._step, Checkpoint(self._parallel.gather(self._state), progress), score)

    def _seconds(self) -> float:
        """How long this run has trained, the time before an interruption included."""
        return time.perf_counter() - self._clock_zero

    def _finish(self, params: ModelParams, command: str) -> dict[str, Any]:
        """Evaluates the best weights on the test split, once, if it is to be read; records the result."""
        test = self._evaluate(params, self.data.test) if self.test else None
        epochs, seconds = self._step // self.epoch_steps, self._standing.train_seconds
        result = {
            "dataset": self.data.name,
            "cell": self.config.cell,
            "unroll": self.config.unroll,
            "seed": self.config.seed,
            "parameters": count_parameters(params),
            "epochs_run": epochs,
            "best_epoch": self._standing.best_epoch,
            "validation_accuracy": self._standing.best_accuracy,
            "test_accuracy": test and test.accuracy,
            "test_loss": test and test.mean_loss,
            "test_examples": int(test.examples) if test else 0,
            "train_seconds": round(seconds, 3),
            "examples_per_second": round(epochs * len(self.data.train) / seconds, 1),
            "command": command,
            "commit": environment.commit(),
            "versions": environment.versions(),
            "hardware": environment.hardware(self.num_devices),
        }
        if self._is_writer:
            self.directory.write_result(result)
        return result
