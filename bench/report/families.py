"""By what may a reader of a report leave models out? Their family, from what the run says of them."""

from collections.abc import Iterable

from bench.results import ModelFacts

FAMILIES = {
    "gevent_app": "gevent app",
    "asyncio_app": "asyncio app",
    "references": "other stacks and frameworks",
    "mysql": "MySQL",
    "traps": "traps",
    "floors": "floors",
    "other": "other",
}
# The group of the models that stand for both apps.
CLASSIC = "classic"


def family(facts: ModelFacts) -> str:
    """The family of a model: its app where it belongs to no other."""
    name = facts.app if facts.group == CLASSIC else facts.group
    return name if name in FAMILIES else "other"


def families(models: Iterable[ModelFacts]) -> dict[str, str]:
    """The families of these models, with their names for readers."""
    present = {family(facts) for facts in models}
    return {name: title for name, title in FAMILIES.items() if name in present}
