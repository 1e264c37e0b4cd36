"""A whole run: start or resume, train epoch by epoch, keep the best, evaluate once."""

import contextlib
import math
import time
from dataclasses import asdict, dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from rnn_jax.data.batches import Plan, make_batch, plan_epoch, steps_per_epoch
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.dataset import Dataset
from rnn_jax.errors import RunError, UserError
from rnn_jax.models import count_parameters
from rnn_jax.models.functional import ModelParams
from rnn_jax.seeds import make_key
from rnn_jax.settings import differences, from_flat, to_flat
from rnn_jax.training.checkpoints import Checkpoint, SaveError
from rnn_jax.training.config import Config
from rnn_jax.training.environment import origin
from rnn_jax.training.evaluation import Evaluator, count_by_length
from rnn_jax.training.hosts import is_first, meet
from rnn_jax.training.interruption import InterruptedRunError, StopRequests
from rnn_jax.training.metrics import Metrics
from rnn_jax.training.program import make_program
from rnn_jax.training.progress import TrainingProgress
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.saver import Saver


class NotFiniteError(RunError):
    """The loss or a gradient is NaN or infinite; the message says since which step, and what is left."""


@dataclass
class BestSoFar:
    """The best epoch so far, and the time it all took; saved with every checkpoint.

    Without examples to validate on, the last epoch counts as the best.
    """

    train_seconds: float = 0.0
    best_accuracy: float | None = None
    best_epoch: int = 0


class Run:
    """One run in its directory.

    Args:
        config: its settings.
        data: its dataset.
        directory: where it keeps everything.
        num_devices: how many devices of this host take part.
        log_every: steps between two records in `metrics.jsonl`.
        save_every: steps between two checkpoints within an epoch; every epoch ends with one besides.
        test: whether the test split is read at the end; not, while settings are being searched for.
        data_seconds: how long it took to load the dataset, log-count ratios counted; for the record.
        console: where progress is shown.

    Attributes:
        test_logits: what the best weights answered to the test examples, `[N]`; None until they are read.
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
        data_seconds: float = 0.0,
        console: Console,
    ) -> None:
        self.config, self.data, self.directory, self.console = config, data, directory, console
        self.num_devices, self.log_every, self.save_every = num_devices, log_every, save_every
        self.test, self.data_seconds = test, data_seconds
        self.epoch_steps = steps_per_epoch(len(data.train), config.training.batch_size)
        self.total_steps = self.epoch_steps * config.training.epochs
        self.boundaries = choose_boundaries(data.train.lengths, config.text.max_length, config.text.buckets)

        self._program = make_program(config, self.total_steps, num_devices)
        self._parallel = self._program.parallel
        self._evaluate = Evaluator(
            self._parallel, self._program.apply, self.boundaries, config.training.batch_size
        )
        self._key = make_key(config.training.seed)
        self._progress = TrainingProgress(console, self.total_steps)
        self._saver = Saver(directory, report=self._progress.line)
        self._best: ModelParams | None = None  # the best weights so far
        self.test_logits: NDArray[np.float32] | None = None

    def train(self, command: str, initial_params: ModelParams | None = None) -> dict[str, Any]:
        """Trains to the end, from the latest checkpoint where there is one, and returns the result.

        Args:
            command: what was typed, for the record.
            initial_params: weights to start a new run from, instead of drawing them.

        Raises:
            InterruptedRunError: if SIGTERM or SIGINT came; the run has been saved.
            NotFiniteError: if the loss became NaN or infinite; the last good checkpoint is intact.
            UserError: if another process trains in the directory, it cannot be written, or no checkpoint in
                it can be read.
            SaveError: if what has to be saved before leaving cannot be.
        """
        with self.directory.lock() if is_first() else contextlib.nullcontext():
            self.directory.check_usable(self.config)  # once more: nobody else writes now
            meet("the directory is checked")  # by all, before one fills it
            with StopRequests() as self._stop:
                self._start(initial_params)
                with self._progress:
                    while self._step < self.total_steps and not self._patience_is_out():
                        self._train_epoch()
                        self._end_epoch()
                    self._saver.insist(self._save)
            return self._finish(command)

    def _start(self, initial_params: ModelParams | None) -> None:
        """Begins, or goes on from the newest sound checkpoint."""
        params = self._program.init_params() if initial_params is None else initial_params
        state = jax.device_get(self._program.init_state(params))
        self._best, self._so_far = None, BestSoFar()
        saved = self._saver.resume(Checkpoint(state, state.params, {}))
        if saved is not None:
            state, self._best, self._so_far = (
                saved.state,
                saved.best,
                BestSoFar(**saved.progress["standing"]),
            )
            self._say_where_it_goes_on(int(state.step), saved.progress["config"])
        if is_first():
            self.directory.create(self.config, self.data.vocabulary, self.data.ratios)
        self._saver.start()
        self._state, self._step = self._parallel.replicate(state), int(state.step)
        self._clock_zero = time.perf_counter() - self._so_far.train_seconds
        self._last_log = self._step, self._seconds()
        self._progress.begin(self._step)

    def _say_where_it_goes_on(self, step: int, settings: dict[str, Any]) -> None:
        if step > self.total_steps:
            raise UserError(
                f"{self.directory.path} has trained for {step / self.epoch_steps:.4g} epochs already: "
                f"--epochs {self.config.training.epochs} is too few to go on"
            )
        before = from_flat(Config(), settings, f"the checkpoint of step {step}")
        changed = "; ".join(differences(before, self.config).values())
        self._progress.line(
            f"going on from step {step} of {self.total_steps}" + (f", with {changed}" if changed else "")
        )

    def _train_epoch(self) -> None:
        """Takes the steps that are left of an epoch."""
        epoch, within = divmod(self._step, self.epoch_steps)
        for plan in self._plans(epoch)[within:]:
            batch = make_batch(self.data.train, plan, self.config.training.batch_size, self._parallel.rows)
            self._state = self._program.step(self._state, self._parallel.shard(batch), self._key)
            self._step += 1
            self._progress.advance(self._step, epoch + 1)
            self._after_step(epoch + 1)

    def _after_step(self, epoch: int) -> None:
        """Logs and saves when it is time, and leaves when it was asked to."""
        at_end = self._step % self.epoch_steps == 0  # then validation comes first
        logging = self._step % self.log_every == 0
        if at_end or logging:
            self._log_training(epoch)
        if at_end:
            return
        if self._step % self.save_every == 0 or (logging and self._saver.failed):
            self._save()
        self._leave_if_asked()

    def _leave_if_asked(self) -> None:
        """Saves and leaves when a signal has come."""
        if (signal := self._stop.received(self._step)) is not None:
            if self._saver.saved != self._step:
                self._save()
            if self._saver.failed:
                raise SaveError(f"the run was asked to stop, but {self._saver.what_is_saved()}")
            raise InterruptedRunError(signal, self._step)

    def _end_epoch(self) -> None:
        """Validates, saves, and starts new sums."""
        epoch = self._step // self.epoch_steps
        train = self._epoch_metrics()
        average = self._parallel.unreplicate(self._state.average)
        loss, accuracy = self._validate(average, epoch)
        if accuracy is None or accuracy >= (self._so_far.best_accuracy or 0):  # of equals, the later
            self._so_far.best_accuracy, self._so_far.best_epoch = accuracy, epoch
            self._best = average
        seconds = self._seconds()
        self._log(
            kind="epoch",
            epoch=epoch,
            train_loss=train.mean_loss,
            train_accuracy=train.accuracy,
            validation_loss=loss,
            validation_accuracy=accuracy,
        )
        validated = "" if accuracy is None else f"validation loss {loss:.4f} · accuracy {accuracy:.2%} · "
        self._progress.line(
            f"epoch {epoch:2d}/{self.config.training.epochs} · loss {train.mean_loss:.4f} · "
            f"accuracy {train.accuracy:.2%} · {validated}{seconds:.1f} s"
        )
        self._state = self._state._replace(metrics=self._parallel.replicate(Metrics.zero()))
        self._save()
        self._last_log = self._step, self._seconds()
        if self._step < self.total_steps and not self._patience_is_out():
            self._leave_if_asked()

    def _validate(self, params: ModelParams, epoch: int) -> tuple[float | None, float | None]:
        """Loss and accuracy on the validation split; None where none are held out."""
        if not len(self.data.validation):
            return None, None
        metrics = self._evaluate(params, self.data.validation).metrics
        if not math.isfinite(metrics.loss):
            raise self._not_finite(f"the validation loss is {metrics.mean_loss} after epoch {epoch}")
        return metrics.mean_loss, metrics.accuracy

    def _patience_is_out(self) -> bool:
        epochs = self._step // self.epoch_steps
        return 0 < self.config.training.patience <= epochs - self._so_far.best_epoch

    def _check_finite(self) -> None:
        """Raises NotFiniteError if a loss or a gradient has not been finite."""
        failed = int(self._parallel.unreplicate(self._state.failed))
        if failed >= 0:
            epoch, within = divmod(failed, self.epoch_steps)
            plan = self._plans(epoch)[within]
            some = ", ".join(map(str, plan.indices[:5]))
            raise self._not_finite(
                f"the loss or its gradient is not finite since step {failed + 1}, batch {within + 1} of "
                f"epoch {epoch + 1} (training examples {some}, … padded to {plan.length} tokens)"
            )

    def _epoch_metrics(self) -> Metrics:
        """The sums of the epoch so far, all of them finite."""
        self._check_finite()
        return self._parallel.unreplicate(self._state.metrics)

    def _not_finite(self, what: str) -> NotFiniteError:
        advice = "try a lower --learning-rate or --clip-norm in a new --workdir"
        return NotFiniteError(f"{what}; {self._saver.what_is_saved()}: {advice}")

    def _plans(self, epoch: int) -> list[Plan]:
        """The batches of an epoch, counted from 0."""
        config = self.config
        return plan_epoch(
            self.data.train.lengths, self.boundaries, config.training.batch_size, config.training.seed, epoch
        )

    def _log_training(self, epoch: int) -> None:
        """Logs the means of the epoch so far, and the speed since the last record."""
        metrics = self._epoch_metrics()
        (step, seconds), self._last_log = self._last_log, (self._step, self._seconds())
        rate = (self._step - step) * self.config.training.batch_size / (self._last_log[1] - seconds)
        self._progress.figures(self._step, epoch, metrics.mean_loss, metrics.accuracy, rate)
        self._log(
            kind="train",
            epoch=epoch,
            loss=metrics.mean_loss,
            accuracy=metrics.accuracy,
            examples_per_second=round(rate, 1),
        )

    def _log(self, **record: Any) -> None:
        self._saver.log(record | {"step": self._step, "elapsed_seconds": round(self._seconds(), 3)})

    def _save(self) -> None:
        self._check_finite()
        self._so_far.train_seconds = self._seconds()
        progress = {"config": to_flat(self.config), "standing": asdict(self._so_far)}
        self._saver.save(
            self._step, Checkpoint(self._parallel.unreplicate(self._state), self._best, progress)
        )

    def _seconds(self) -> float:
        """How long this run has trained, the time before an interruption included."""
        return time.perf_counter() - self._clock_zero

    def _finish(self, command: str) -> dict[str, Any]:
        """Evaluates the best weights on the test split, once, if it is to be read; records the result."""
        assert self._best is not None  # an epoch has ended
        test, correct = None, None
        if self.test:
            test, self.test_logits = self._evaluate(self._best, self.data.test)
            correct = (self.test_logits > 0) == (self.data.test.labels > 0)
        epochs, seconds = self._step // self.epoch_steps, self._so_far.train_seconds
        result = {
            "dataset": self.data.name,
            "network": self.config.encoder.network,
            "cell": self.config.encoder.recurrent.cell,
            "unroll": self.config.encoder.recurrent.unroll,
            "seed": self.config.training.seed,
            "parameters": count_parameters(self._best),
            "epochs_run": epochs,
            "best_epoch": self._so_far.best_epoch,
            "validation_accuracy": self._so_far.best_accuracy,
            "test_accuracy": test and test.accuracy,
            "test_loss": test and test.mean_loss,
            "test_examples": int(test.examples) if test else 0,
            "test_by_length": [] if correct is None else count_by_length(correct, self.data.test_words),
            "data_seconds": round(self.data_seconds, 3),
            "train_seconds": round(seconds, 3),
            "examples_per_second": round(epochs * len(self.data.train) / seconds, 1),
            **origin(command, self.num_devices),
        }
        if is_first():
            try:
                self.directory.write_result(result, correct)
            except OSError as error:
                raise SaveError(f"result.json cannot be written ({error.strerror})") from error
        return result
