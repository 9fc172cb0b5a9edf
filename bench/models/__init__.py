"""The registry: every way to serve an app that the bench knows, one readable entry each, a file for each group."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from bench.errors import BenchError
from bench.models import asyncio_side, classic, floors, gevent_side, mysql, pairs, references, traps
from bench.models.model import POOL, Model

__all__ = [
    "FAMILIES",
    "MODELS",
    "POOL",
    "Model",
    "available_models",
    "family",
    "find_models",
    "group",
    "is_floor",
    "is_only_a_trap",
    "left_out",
    "with_pool",
    "with_workers",
]

MODELS: tuple[Model, ...] = (
    *classic.MODELS,
    *gevent_side.MODELS,
    *asyncio_side.MODELS,
    *references.MODELS,
    *pairs.MODELS,
    *mysql.MODELS,
    *traps.MODELS,
    *floors.MODELS,
)
# What `--models` takes beside the models' own names.
FAMILIES = {
    "default": "what is measured unless models are named",
    "classic": "the original example's three situations, under gevent and under asyncio",
    "gevent_app": "the synchronous app, served in every way",
    "asyncio_app": "the app with async views, served in every way",
    "references": "other stacks and other frameworks, with the same endpoints",
    "pairs": "the same data layers under gevent and under asyncio",
    "mysql": "the three situations on MariaDB or MySQL",
    "traps": "what looks right and is not: python -m bench traps",
    "floors": "no way to serve, but the least that a request costs",
    "every": "all of them",
}
# How the list is divided: the first of these that a model belongs to.
GROUPS = ("classic", "references", "pairs", "mysql", "traps", "floors", "gevent_app", "asyncio_app")


def family(name: str) -> tuple[Model, ...]:
    """The models of a family, in the registry's order; an app's has neither models that are only traps nor floors."""
    return tuple(
        model
        for model in MODELS
        if name in ("every", *model.families)
        or (name in (model.app, model.database) and not is_only_a_trap(model) and not is_floor(model))
    )


def group(model: Model) -> str:
    """The heading under which a model stands in the list."""
    groups = (*model.families, model.database, model.app)
    return next((name for name in GROUPS if name in groups), model.app)


def is_only_a_trap(model: Model) -> bool:
    """Whether a model is there only to show what goes wrong. Such a model need not keep the contract."""
    return model.families == ("traps",)


def is_floor(model: Model) -> bool:
    """Whether a model is no way to serve, but shows the least that a request costs."""
    return "floors" in model.families


def find_models(names: str) -> tuple[Model, ...]:
    """The models that a comma-separated list of names, families and wildcards means, in its order and each once.

    Raises BenchError for an unknown name; it names the nearest ones that are known.
    """
    wanted = parts(names)
    if not wanted:
        raise BenchError(f"no model is named; there are: {', '.join(model.name for model in MODELS)}")
    found = [model for name in wanted for model in matching(name)]
    return tuple({model.name: model for model in found}.values())


def available_models(names: str) -> tuple[Model, ...]:
    """The models of `find_models` that can be started here.

    Raises BenchError if a model that was asked for by its name cannot be started, or if none can.
    """
    found = find_models(names)
    for model in found:
        if model.unavailable and model.name in parts(names):
            raise BenchError(f"{model.name} cannot be started here: {model.unavailable}")
    available = tuple(model for model in found if not model.unavailable)
    if not available:
        raise BenchError(f"no model of {names} can be started here: {found[0].unavailable}")
    return available


def left_out(names: str) -> str:
    """A line that names the models of `find_models` that cannot be started here, and why; empty if all can."""
    reasons: dict[str, list[str]] = {}
    for model in find_models(names):
        if model.unavailable:
            reasons.setdefault(model.unavailable, []).append(model.name)
    clauses = [f"{', '.join(models)} ({reason})" for reason, models in reasons.items()]
    return f"left out: {'; '.join(clauses)}" if clauses else ""


def parts(names: str) -> list[str]:
    """The parts of a comma-separated list."""
    return [name.strip() for name in names.split(",") if name.strip()]


def matching(name: str) -> Sequence[Model]:
    """The models that one part of the list means. Raises BenchError if there are none."""
    found = family(name) if name in FAMILIES else [model for model in MODELS if fnmatchcase(model.name, name)]
    if found:
        return found
    near = nearest(name, [*(model.name for model in MODELS), *FAMILIES])
    hint = f"did you mean {' or '.join(near)}? (python -m bench list)" if near else "python -m bench list shows all"
    raise BenchError(f"there is no model {name!r}; {hint}")


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to three of the known names: those that are spelt alike, then those that contain it or are part of it."""
    text = name.strip("*?").lower()
    alike = difflib.get_close_matches(text, known, n=3, cutoff=0.6)
    containing = [one for one in known if text and (text in one or one in text)]
    return list(dict.fromkeys([*alike, *containing]))[:3]


def with_pool(models: Iterable[Model], size: int) -> tuple[Model, ...]:
    """The models with so many database connections each."""
    return tuple(replace(model, environment={**model.environment, "POOL_SIZE": str(size)}) for model in models)


def with_workers(models: Iterable[Model], workers: int) -> tuple[Model, ...]:
    """The models with so many processes each. Raises BenchError for one whose server has only one."""
    models = tuple(models)
    if single := [model.name for model in models if not model.has_workers]:
        raise BenchError(f"{', '.join(single)} can have one process only; leave out --workers, or name others")
    return tuple(replace(model, workers=workers) for model in models)
