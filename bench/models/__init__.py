"""The registry: every way to serve an app that the bench knows, one readable entry each, a file for each group."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from bench.errors import BenchError
from bench.models import asyncio_side, classic, gevent_side, mysql, references, traps
from bench.models.model import POOL, Model

__all__ = ["FAMILIES", "MODELS", "POOL", "Model", "default_models", "find_models", "with_workers"]

MODELS: tuple[Model, ...] = (
    *classic.MODELS,
    *gevent_side.MODELS,
    *asyncio_side.MODELS,
    *references.MODELS,
    *mysql.MODELS,
    *traps.MODELS,
)
# What `--models` takes beside the models' own names.
FAMILIES = ("default", "classic", "gevent_app", "asyncio_app", "references", "mysql", "traps", "every")


def family(name: str) -> tuple[Model, ...]:
    """The models of a family, in the registry's order."""
    return tuple(model for model in MODELS if name in (model.app, model.database, "every", *model.families))


def default_models() -> tuple[Model, ...]:
    """The ones that tell the story, and that `all` has time for."""
    return family("default")


def find_models(names: str) -> tuple[Model, ...]:
    """The models of a comma-separated list of names, families and wildcards, in its order, each once.

    Raises BenchError for an unknown name, with the near ones.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise BenchError(f"no model is named; there are: {', '.join(model.name for model in MODELS)}")
    found = [model for name in wanted for model in matching(name)]
    return tuple({model.name: model for model in found}.values())


def matching(name: str) -> Sequence[Model]:
    """The models that one part of the list means. Raises BenchError if there are none."""
    if name in FAMILIES:
        return family(name)
    if found := [model for model in MODELS if fnmatchcase(model.name, name)]:
        return found
    known = [*(model.name for model in MODELS), *FAMILIES]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
    raise BenchError(f"there is no model {name!r}; did you mean {' or '.join(near)}? (python -m bench list)")


def with_workers(models: Iterable[Model], workers: int) -> tuple[Model, ...]:
    """The models with so many processes each. Raises BenchError for one whose server has only one."""
    models = tuple(models)
    if single := [model.name for model in models if not model.has_workers]:
        raise BenchError(f"{', '.join(single)} can have one process only; leave out --workers, or name others")
    return tuple(replace(model, workers=workers) for model in models)
