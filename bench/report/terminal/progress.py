"""Where has a run got to? In a terminal a live line shows it, elsewhere a plain line for each step."""

import time

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


class _Left(ProgressColumn):
    """How long the rest of the plan is expected to take, where that is known."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        return Text("" if end is None else left(end - time.monotonic()), "dim")


class StepProgress:
    """The live line, from `start()` to `stop()`; `step()` says which step has begun."""

    def __init__(self, console: Console, first: str = "starting the database") -> None:
        self.console = console
        self.started = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(), _Left())
        # Where there is no terminal, rich would print the last state of the live line, and once more at the end.
        self.live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.what = ""
        self.task = self.live.add_task(first, total=None, end=self.started)

    def start(self) -> None:
        """Show the line."""
        self.live.start()

    def step(self, number: int, total: int, what: str, left_s: float | None) -> None:
        """Step `number` of `total` has begun; all that remains should take `left_s` seconds, None: nobody knows."""
        now = time.monotonic()
        self.what = f"{number} of {total}: {what}"
        self.live.update(self.task, description=self.what, end=None if left_s is None else now + left_s)
        if not self.console.is_terminal:
            passed = f"{clock(now - self.started)} elapsed"
            rest = passed if left_s is None else f"{passed}, {left(left_s)}"
            self.console.print(f"[{number}/{total}] {what}; {rest}", markup=False, highlight=False, soft_wrap=True)

    def now(self, what: str) -> None:
        """Within the step this has begun; told in a terminal only."""
        self.live.update(self.task, description=f"{self.what}: {what}")

    def stop(self) -> None:
        """Take the line away."""
        self.live.stop()


def left(seconds: float) -> str:
    """`about 1:15 left`."""
    return f"about {clock(max(0.0, seconds))} left"


def clock(seconds: float) -> str:
    """`75` as `1:15`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
