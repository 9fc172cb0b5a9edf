"""The run that a command is given: loaded, checked, and proven fit to be judged before anything is done with it."""

from pathlib import Path

from jinja2 import TemplateError

from bench.errors import BenchError
from bench.judging import judge
from bench.report.export import as_json
from bench.results import Run, load_run

# What a file raises that keeps the schema, and whose figures nothing can be made of.
DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TemplateError, TypeError, ValueError)


def sound_run(path: Path) -> Run:
    """A run that every report can be made of. Raises BenchError, in one line."""
    run = load_run(path)
    try:
        _ = judge(run).verdict, as_json(run)
    except DAMAGE as error:
        raise damaged(run, error) from None
    return run


def damaged(run: Run, error: Exception) -> BenchError:
    """What to say of a run that something could not be made of."""
    said = (str(error).splitlines() or [""])[0]
    return BenchError(f"{run.path} is damaged: {type(error).__name__}: {said}")
