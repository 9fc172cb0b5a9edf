"""The run that a command is given: loaded, checked, and proven fit to be judged before anything is done with it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jinja2 import TemplateError

from bench.errors import BenchError
from bench.judging import judge
from bench.report.export import as_json
from bench.results import FILE, RESULTS, Run, load_run

# The errors that a file can cause which keeps the schema but has figures that make no sense.
DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TemplateError, TypeError, ValueError)


def sound_run(path: Path) -> Run:
    """A run that every report can be made of. Raises BenchError, in one line."""
    return proven(load_run(path))


def proven(run: Run) -> Run:
    """The run, if every report can be made of it. Raises BenchError, in one line."""
    try:
        _ = judge(run).verdict, as_json(run)
    except DAMAGE as error:
        raise damaged(run, error) from None
    return run


def newest_run(usable: Callable[[Run], object]) -> Run | None:
    """The run in results/ that was started last, of those that can be read and are usable."""
    runs = []
    for path in RESULTS.glob(f"*/{FILE}"):
        with suppress(BenchError):
            runs.append(load_run(path))
    for run in sorted(filter(usable, runs), key=lambda run: run.started_utc, reverse=True):
        with suppress(BenchError):
            return proven(run)
    return None


def damaged(run: Run, error: Exception) -> BenchError:
    """The error for a run that cannot be judged or rendered."""
    said = (str(error).splitlines() or [""])[0]
    return BenchError(f"{run.path} is damaged: {type(error).__name__}: {said}")
