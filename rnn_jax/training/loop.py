"""A whole run: start or resume, train epoch by epoch, keep the best, evaluate once."""

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, cast

import jax
from rich.console import Console

from rnn_jax.errors import RunError, UserError
from rnn_jax.models import count_parameters
from rnn_jax.models.functional import ModelParams
from rnn_jax.seeds import make_key
from rnn_jax.settings import differences, from_flat, to_flat
from rnn_jax.training.checkpoints import Checkpoint, SaveError
from rnn_jax.training.environment import origin
from rnn_jax.training.evaluation import Evaluator
from rnn_jax.training.hosts import is_first, meet
from rnn_jax.training.interruption import InterruptedRunError, StopRequests
from rnn_jax.training.program import make_program
from rnn_jax.training.progress import TrainingProgress, figure
from rnn_jax.training.recipe import Data, Settings
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.saver import Saver
from rnn_jax.training.step import NORM, no_sums
from rnn_jax.training.task import Outputs, Selection, Task, means
from rnn_jax.training.trace import Trace


class NotFiniteError(RunError):
    """The loss or a gradient is NaN or infinite; the message says since which step, and what is left."""


@dataclass
class BestSoFar:
    """The best epoch so far, and the time it all took; saved with every checkpoint.

    Without examples to validate on, the last epoch counts as the best.
    """

    train_seconds: float = 0.0
    figure: float | None = None
    epoch: int = 0
    among_equals: float | None = None  # also of checkpoints that are older than it

    def update(self, figures: Mapping[str, float | None], selection: Selection) -> bool:
        """Takes the figures of an epoch that is better than all before; says whether it is."""
        if figures[selection.figure] is not None:
            found = selection.of(cast("Mapping[str, float]", figures))
            second = math.inf if self.among_equals is None else self.among_equals
            if self.figure is not None and not selection.better(found, (self.figure, second)):
                return False
            self.figure, self.among_equals = found
        return True


class Pace(NamedTuple):
    """How often a run writes, and what else it does."""

    log_every: int = 50  # steps between two records in `metrics.jsonl`
    save_every: int = 500  # steps between two checkpoints within an epoch; every epoch ends with one besides
    tensorboard: bool = False  # whether it writes the same records for TensorBoard
    profile: str | None = None  # the folder that a few steps are traced into


USUAL = Pace()


class Run:
    """One run in its directory.

    Args:
        task: what is learnt.
        data: from what.
        settings: all that decides what the run computes; how it trains is their `training`.
        directory: where it keeps everything.
        num_devices: how many devices of this host take part.
        pace: how often it writes.
        test: whether the test split is read at the end; not, while settings are being searched for.
        console: where progress is shown.

    Attributes:
        test_outputs: what the best weights make of the test examples, in their order; None until they are
            read.
    """

    def __init__(
        self,
        task: Task,
        data: Data,
        settings: Settings,
        directory: RunDirectory,
        *,
        num_devices: int,
        pace: Pace = USUAL,
        test: bool = True,
        console: Console,
    ) -> None:
        self.task, self.data, self.settings = task, data, settings
        self.directory, self.console = directory, console
        self.num_devices, self.pace, self.test = num_devices, pace, test
        self.training = settings.training
        self.epoch_steps = data.train.steps
        self.total_steps = self.epoch_steps * self.training.epochs

        self._program = make_program(task, self.training, self.total_steps, num_devices)
        self._parallel = self._program.parallel
        self._evaluate = Evaluator(task, self._parallel, self.training.batch_size)
        self._key = make_key(self.training.seed)
        self._progress = TrainingProgress(console, self.total_steps, data.unit)
        self._saver = Saver(directory, pace.tensorboard, report=self._progress.line)
        self._trace: Trace | None = None
        self._best: ModelParams | None = None  # the best weights so far
        self.test_outputs: Outputs | None = None

    def train(
        self, command: str, initial_params: ModelParams | None = None, fields: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Trains to the end, from the latest checkpoint where there is one, and returns the result.

        Args:
            command: what was typed, for the record.
            initial_params: weights to start a new run from, instead of drawing them.
            fields: further ones of the result, as what these weights took.

        Raises:
            InterruptedRunError: if SIGTERM or SIGINT came; the run has been saved.
            NotFiniteError: if the loss became NaN or infinite; the last good checkpoint is intact.
            UserError: if another process trains in the directory, it cannot be written, or no checkpoint in
                it can be read.
            SaveError: if what has to be saved before leaving cannot be.
        """
        with self.directory.lock() if is_first() else contextlib.nullcontext():
            self.directory.check_usable(self.task.name, self.settings)  # once more: nobody else writes now
            meet("the directory is checked")  # by all, before one fills it
            with StopRequests() as self._stop:
                self._start(initial_params)
                with self._progress, self._saver, self._trace or contextlib.nullcontext():
                    while self._step < self.total_steps and not self._patience_is_out():
                        self._train_epoch()
                        self._end_epoch()
                    self._saver.insist(self._save)
            return self._finish(command, fields or {})

    def _start(self, initial_params: ModelParams | None) -> None:
        """Begins, or goes on from the newest sound checkpoint."""
        params = self.task.init() if initial_params is None else initial_params
        state = jax.device_get(self._program.init_state(params))
        self._best, self._so_far = None, BestSoFar()
        saved = self._saver.resume(Checkpoint(state, state.params, {}))
        if saved is not None:
            if saved.progress.get("data", "") != self.data.fingerprint:
                raise UserError(
                    f"{self.directory.path} has learnt from other data than these: "
                    "choose another --workdir, or restore them"
                )
            state, self._best = saved.state, saved.best
            self._so_far = BestSoFar(**saved.progress["best"])
            self._say_where_it_goes_on(int(state.step), saved.progress["config"])
        if is_first():
            self.directory.create(self.task.name, self.settings, self.data.preprocessor.files())
        self._saver.start()
        if self.pace.profile and is_first():
            self._trace = Trace(self.pace.profile, self._progress.line)
        self._state, self._step = self._parallel.put(state), int(state.step)
        self._clock_zero = time.perf_counter() - self._so_far.train_seconds
        self._last_log = self._step, self._seconds()
        self._progress.begin(self._step)

    def _say_where_it_goes_on(self, step: int, settings: dict[str, Any]) -> None:
        if step > self.total_steps:
            raise UserError(
                f"{self.directory.path} has trained for {step / self.epoch_steps:.4g} epochs already: "
                f"--epochs {self.training.epochs} is too few to go on"
            )
        before = from_flat(type(self.settings)(), settings, f"the checkpoint of step {step}")
        changed = "; ".join(differences(before, self.settings).values())
        self._progress.line(
            f"going on from step {step} of {self.total_steps}" + (f", with {changed}" if changed else "")
        )

    def _train_epoch(self) -> None:
        """Takes the steps that are left of an epoch."""
        epoch, within = divmod(self._step, self.epoch_steps)
        for plan in self.data.train.epoch(self.training.seed, epoch)[within:]:
            batch = self.data.train.batch(plan, self._parallel.rows)
            with jax.profiler.StepTraceAnnotation("train_step", step_num=self._step):
                self._state = self._program.step(self._state, self._parallel.shard(batch), self._key)
            self._step += 1
            if self._trace is not None:
                self._trace.after_step(self._state)
            self._progress.advance(self._step, epoch + 1)
            self._after_step(epoch + 1)

    def _after_step(self, epoch: int) -> None:
        """Logs and saves when it is time, and leaves when it was asked to."""
        at_end = self._step % self.epoch_steps == 0  # then validation comes first
        logging = self._step % self.pace.log_every == 0
        if at_end or logging:
            self._log_training(epoch)
        if at_end:
            return
        if self._step % self.pace.save_every == 0 or (logging and self._saver.failed):
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
        epoch, selection = self._step // self.epoch_steps, self.task.selection
        train = self._epoch_means()
        del train[NORM]
        average = self._parallel.unreplicate(self._state.average)
        validation = self._validate(average, epoch)
        if self._so_far.update(validation, selection):
            self._so_far.epoch, self._best = epoch, average
        self._log(kind="epoch", epoch=epoch, **named("train", train), **named("validation", validation))
        self._show_epoch(epoch, train, validation)
        self._state = self._state._replace(sums=self._parallel.replicate(no_sums(self.task)))
        self._save()
        self._last_log = self._step, self._seconds()
        if self._step < self.total_steps and not self._patience_is_out():
            self._leave_if_asked()

    def _show_epoch(self, epoch: int, train: dict[str, float], validation: dict[str, float | None]) -> None:
        shown = [f"epoch {epoch:2d}/{self.training.epochs}", *(figure(n, v, 4) for n, v in train.items())]
        validated = " · ".join(figure(n, v, 4) for n, v in validation.items() if v is not None)
        shown += [f"validation {validated}"] * bool(validated)
        self._progress.line(" · ".join([*shown, f"{self._seconds():.1f} s"]))

    def _validate(self, params: ModelParams, epoch: int) -> dict[str, float | None]:
        """The figures on the validation split; None where there is none."""
        if not len(self.data.validation):
            return dict.fromkeys(self.task.figures.names)
        figures = self._evaluate(params, self.data.validation).figures
        for name, value in figures.items():
            if not math.isfinite(value):
                raise self._not_finite(f"the validation {name} is {value} after epoch {epoch}")
        return dict(figures)

    def _patience_is_out(self) -> bool:
        epochs = self._step // self.epoch_steps
        return 0 < self.training.patience <= epochs - self._so_far.epoch

    def _check_finite(self) -> None:
        """Raises NotFiniteError if a loss or a gradient has not been finite."""
        failed = int(self._parallel.unreplicate(self._state.failed))
        if failed >= 0:
            epoch, within = divmod(failed, self.epoch_steps)
            plan = self.data.train.epoch(self.training.seed, epoch)[within]
            raise self._not_finite(
                f"the loss or its gradient is not finite since step {failed + 1}, batch {within + 1} of "
                f"epoch {epoch + 1} ({self.data.train.describe(plan)})"
            )

    def _epoch_means(self) -> dict[str, float]:
        """The means of the epoch so far, of finite losses, and of the norm of the gradient."""
        self._check_finite()
        return means(self._parallel.unreplicate(self._state.sums), (*self.task.metrics.names, NORM))

    def _not_finite(self, what: str) -> NotFiniteError:
        advice = "try a lower --learning-rate or --clip-norm in a new --workdir"
        return NotFiniteError(f"{what}; {self._saver.what_is_saved()}: {advice}")

    def _log_training(self, epoch: int) -> None:
        """Logs the means of the epoch so far, and the speed since the last record."""
        shown = self._epoch_means()
        (step, seconds), self._last_log = self._last_log, (self._step, self._seconds())
        examples = (self._step - step) * len(self.data.train) / self.epoch_steps
        rate = examples / (self._last_log[1] - seconds)
        figures = shown | {"learning_rate": float(self._program.rate(self._step - 1))}
        self._log(kind="train", epoch=epoch, **figures, examples_per_second=round(rate, 1))
        del shown[NORM]
        self._progress.figures(self._step, epoch, shown, rate)

    def _log(self, **record: Any) -> None:
        self._saver.log(record | {"step": self._step, "elapsed_seconds": round(self._seconds(), 3)})

    def _save(self) -> None:
        self._check_finite()
        self._so_far.train_seconds = self._seconds()
        progress: dict[str, Any] = {
            "config": to_flat(self.settings),
            "best": asdict(self._so_far),
            "data": self.data.fingerprint,
        }
        self._saver.save(self._step, Checkpoint(self._parallel.get(self._state), self._best, progress))

    def _seconds(self) -> float:
        """How long this run has trained, the time before an interruption included."""
        return time.perf_counter() - self._clock_zero

    def _finish(self, command: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Evaluates the best weights on the test split, once, if it is to be read; records the result."""
        assert self._best is not None  # an epoch has ended
        figures: dict[str, float | None] = dict.fromkeys(self.task.figures.names)
        report = self.task.report(None, self.data.test)
        if self.test:
            test = self._evaluate(self._best, self.data.test)
            figures, self.test_outputs = dict(test.figures), test.outputs
            report = self.task.report(test.outputs, self.data.test)
        epochs, seconds = self._step // self.epoch_steps, self._so_far.train_seconds
        result = {
            "task": self.task.name,
            "dataset": self.data.name,
            **self.task.identity,
            "seed": self.training.seed,
            "parameters": count_parameters(self._best),
            "epochs_run": epochs,
            "best_epoch": self._so_far.epoch,
            f"validation_{self.task.selection.figure}": self._so_far.figure,
            **named("test", figures),
            "test_examples": len(self.data.test) if self.test else 0,
            **report.fields,
            **fields,
            "data_seconds": round(self.data.seconds, 3),
            "train_seconds": round(seconds, 3),
            "examples_per_second": round(epochs * len(self.data.train) / seconds, 1),
            **origin(command, self.num_devices),
        }
        if is_first():
            try:
                self.directory.write_result(result, report.files)
            except OSError as error:
                raise SaveError(f"result.json cannot be written ({error.strerror})") from error
        return result


def named(split: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Figures by the name that they have in the log and in the result: `validation_loss`."""
    return {f"{split}_{name}": value for name, value in figures.items()}
