"""Which models, families and scenarios are there, and how is each model started? For readers and for programs."""

import shlex
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.models import FAMILIES, MODELS, Model, group
from bench.scenarios import SCENARIOS

# How far the command lines that are shown are indented.
HOST, PORT = "127.0.0.1", 8000
INDENT = 2


def listing(width: int) -> RenderableType:
    """The models by group, what else `--models` takes, and the scenarios; no line is wider than that."""
    groups = dict.fromkeys(map(group, MODELS))
    questions = {name: scenario.question for name, scenario in SCENARIOS.items()}
    return Group(
        *(part for name in groups for part in section(name, width)),
        *glossary("families, for --models beside names and quoted wildcards", FAMILIES),
        *glossary("scenarios", questions),
    )


def section(name: str, width: int) -> Iterator[RenderableType]:
    """A group's heading and its models."""
    yield Text.assemble((name, "bold underline"), f": {FAMILIES[name]}" if name in FAMILIES else "")
    yield ""
    for model in MODELS:
        if group(model) == name:
            yield entry(model, width)
            yield ""


def entry(model: Model, width: int) -> Text:
    """A model: what it is, and the command line that starts it, without a blank at any line's end."""
    marks = [model.situation, model.distribution, *(["default"] if "default" in model.families else [])]
    lines = [Text.assemble((model.name, "bold"), f"  {'; '.join(marks)}")]
    if model.note:
        lines.append(Text(indented(model.note, width)))
    if model.unavailable:
        lines.append(Text(indented(f"Cannot be started here: {model.unavailable}", width), "yellow"))
    lines.append(Text(textwrap.indent(pasteable(model, width - INDENT), " " * INDENT), "dim"))
    return Text("\n", no_wrap=True).join(lines)


def indented(sentence: str, width: int) -> str:
    """A sentence on lines that are not wider than that."""
    return textwrap.fill(sentence, width, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT)


def glossary(title: str, meanings: Mapping[str, str]) -> Iterator[RenderableType]:
    """Names and what they mean."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, meaning in meanings.items():
        table.add_row(name, meaning)
    yield Text(title, "bold underline")
    yield table
    yield ""


def words(model: Model) -> list[str]:
    """The command line with `python` for this interpreter and 8000 for the port, quoted, its settings before it."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in model.environment.items()]
    return [*settings, *(shlex.quote(word) for word in ("python", *model.command(HOST, PORT)[1:]))]


def pasteable(model: Model, width: int) -> str:
    """The command line on as many lines as the width makes necessary, continued as a shell has it."""
    lines = [""]
    for word in words(model):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if len(longer) + len(" \\") > width and lines[-1].strip():
            lines.append(f"{' ' * INDENT}{word}")
        else:
            lines[-1] = longer
    return " \\\n".join(lines)


def for_programs() -> dict[str, Any]:
    """All that the registry says of models, families and scenarios."""
    return {
        "models": [described(model) for model in MODELS],
        "families": FAMILIES,
        "scenarios": {name: scenario.question for name, scenario in SCENARIOS.items()},
    }


def described(model: Model) -> dict[str, Any]:
    """A model for programs."""
    return {
        "name": model.name,
        "group": group(model),
        "app": model.app,
        "situation": model.situation,
        "note": model.note,
        "server": model.distribution,
        "command": " ".join(words(model)),
        "environment": dict(model.environment),
        "loop": model.loop,
        "threads": model.threads,
        "workers": model.workers,
        "has_workers": model.has_workers,
        "pool": model.pool,
        "database": model.database,
        "driver": model.driver,
        "python_waits_overlap": model.python_waits_overlap,
        "database_waits_overlap": model.database_waits_overlap,
        "families": model.families,
        "packages": model.packages,
        "extra": model.extra,
        "available": not model.unavailable,
        "unavailable": model.unavailable,
    }
