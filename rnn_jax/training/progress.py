"""What a person sees while a run goes on: a bar in a terminal, plain lines anywhere else."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

SECONDS_BETWEEN_LINES = 10.0
PERCENT = ("accuracy", "macro_f1")


def figure(name: str, value: float, digits: int) -> str:
    """A figure with its name: `loss 0.3354`, `accuracy 85.64%`."""
    shown = f"{value:.{digits - 2}%}" if name in PERCENT else f"{value:.{digits}f}"
    return f"{name.replace('_', ' ')} {shown}"


class _Figures(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(task.fields["figures"])


class TrainingProgress:
    """Shows steps as they are taken; a context manager.

    Args:
        console: where.
        total_steps: of the run.
        unit: what examples are, for the speed.
    """

    def __init__(self, console: Console, total_steps: int, unit: str) -> None:
        self._console, self._unit = console, unit
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Figures(),
            TextColumn("·"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=total_steps, figures="")
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def __enter__(self) -> "TrainingProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, step: int) -> None:
        """Where the bar starts; the time left is estimated from what comes after."""
        self._bar.reset(self._task, completed=step)

    def advance(self, step: int, epoch: int) -> None:
        """Moves the bar."""
        self._bar.update(self._task, completed=step, description=f"epoch {epoch}")

    def figures(self, step: int, epoch: int, means: dict[str, float], rate: float) -> None:
        """Shows the means of the epoch so far and the speed: in the bar, or now and then as a line."""
        text = " · ".join([*(figure(n, v, 3) for n, v in means.items()), f"{rate:,.0f} {self._unit}/s"])
        self._bar.update(self._task, figures=text)
        if not self._console.is_terminal and time.monotonic() >= self._next_line:
            self.line(f"epoch {epoch} · step {step} · {text}")

    def line(self, text: str) -> None:
        """Prints a line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
