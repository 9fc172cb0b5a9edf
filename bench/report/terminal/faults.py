"""The faults of a run in the terminal: what each did to each model, in tables, then each fault with its cures."""

import textwrap
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging.faults import JudgedCell, JudgedFault, JudgedFaults, WeakPoint
from bench.judging.found import Found, Severity
from bench.words import join

# A column that is narrower breaks every entry into three lines; between two of them the box has one blank.
COLUMN, GAP, WIDEST = 17, 1, 24
# What stands before a cure, beneath the fault that it is for, and how wide its column is at most.
WITH, FIRST = "  with ", 24
# Wider lines are hard to read, however wide the terminal is.
WIDTH, INDENT = 80, 2
COLOURS: dict[Severity, str] = {"fine": "green", "noticed": "yellow", "hurts": "red", "dead": "bold red",
                                "unknown": "dim"}  # fmt: skip


def tables(judged: JudgedFaults, width: int) -> list[RenderableType]:
    """Faults as rows and models as columns, in as many tables as the models need; a cure has a row beneath."""
    names = [fault.facts.name for fault in judged.faults]
    cures = [f"{WITH}{cure}" for fault in judged.faults for cure in fault.cures]
    first = min(max(map(len, [*names, *cures])), FIRST)
    together = groups(judged.models, (width - first) // (COLUMN + GAP))
    column = min(WIDEST, (width - first) // max(map(len, together)) - GAP)
    return [table(judged, models, first, column) for models in together]


def groups(models: Sequence[str], most: int) -> list[Sequence[str]]:
    """The models in groups of at most so many, all about as large."""
    count = -(-len(models) // max(1, most))
    size = -(-len(models) // count)
    return [models[start : start + size] for start in range(0, len(models), size)]


def table(judged: JudgedFaults, models: Sequence[str], first: int, column: int) -> Table:
    """One of them."""
    found = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    found.add_column("fault", min_width=first, max_width=first, overflow="fold")
    for model in models:
        found.add_column(heading(model), width=column, overflow="fold")
    for fault in judged.faults:
        found.add_row(Text(fault.facts.name, "bold"), *entries(fault, models, ""))
        for cure in fault.cures:
            if any((model, cure) in fault.cells for model in models):
                name = textwrap.fill(f"{WITH}{cure}", first, subsequent_indent=" " * len(WITH))
                found.add_row(Text(name, "dim"), *entries(fault, models, cure))
    return found


def heading(model: str) -> str:
    """The model's name, on two lines if it is long."""
    first, dash, rest = model.rpartition("-")
    if len(model) <= COLUMN:
        return model
    while len(first) > COLUMN and "-" in first:
        first, _, more = first.rpartition("-")
        rest = f"{more}-{rest}"
    return f"{first}{dash}\n{rest}"


def entries(fault: JudgedFault, models: Sequence[str], cure: str) -> list[Text]:
    """What the fault did to these models."""
    cells = [fault.cells.get((model, cure)) for model in models]
    return [shown(one.found) if one else Text("") for one in cells]


def shown(found: Found) -> Text:
    """A word and a figure, in the colour of how bad it is."""
    return Text(found.text, COLOURS[found.severity])


def details(judged: JudgedFaults) -> Iterator[RenderableType]:
    """Each fault: what was done, what was asked, what cures it with the exact setting, and who reports it."""
    for fault in judged.faults:
        facts = fault.facts
        lines = Table.grid(padding=(0, 2, 0, 0))
        lines.width = WIDTH - INDENT
        lines.add_column()
        lines.add_column(ratio=1, overflow="fold")
        lines.add_row("done", facts.done)
        lines.add_row("asked", facts.asked)
        for cure in fault.cures:
            lines.add_row("cure", cure_lines(fault, cure))
        for one in fault.cells.values():
            if one.cell.state != "measured":
                lines.add_row("", Text(f"{who(one)}: {one.found.sentence}", "yellow"))
        for number, source in enumerate(facts.sources):
            lines.add_row("" if number else "source", source)
        yield Group(Text.assemble((facts.name, "bold"), f": {facts.title}"),
                    Padding(lines, (0, 0, 0, INDENT), expand=False), "")  # fmt: skip


def cure_lines(fault: JudgedFault, cure: str) -> Text:
    """A cure's settings, each with the models that it is for, and whether it was seen to cure."""
    lines = [f"{setting} ({join(models)})" for setting, models in fault.settings(cure)]
    return Text("\n").join([Text(f"{cure}:"), *map(Text, lines), Text(cured_words(fault.with_cure(cure)), "bold")])


def cured_words(cells: Sequence[JudgedCell]) -> str:
    """For how many models a cure was seen to cure."""
    known = [one for one in cells if one.cures is not None]
    better = [one.cell.model for one in known if one.cures]
    if not known:
        return "there was nothing to cure"
    return f"cures for {join(better)}" if better else f"does not cure for {join([one.cell.model for one in known])}"


def who(one: JudgedCell) -> str:
    """The model, with its cure."""
    return f"{one.cell.model}{f' with {one.cell.cure}' if one.cell.cure else ''}"


def conclusion(judged: JudgedFaults) -> Text:
    """How many faults hurt each model as it is."""
    found = [(model, len(judged.weak_points(model)), judged.tried(model)) for model in judged.models]
    said = join([f"{model} by {weak} of {tried}" for model, weak, tried in found if tried])
    return Text(f"Hurt, as they are: {said}." if said else "No fault was tried.", "bold")


def weak_points(model: str, known: str, points: Sequence[WeakPoint], tried: int, where: str) -> RenderableType:
    """What hurts a model that is recommended, each with the setting that cures it, and which run says so."""
    alike = f" (as {known}, which is served alike)" if known != model else ""
    if not points:
        return Text(f"None of {tried} faults hurts {model}{alike}, by {where}.", "dim")
    title = f"Faults that hurt {model}{alike}, of {tried} tried, by {where}:"
    return Group(Text(title, "bold"), *(Text(f"· {one.sentence}") for one in points))


def unknown(model: str) -> RenderableType:
    """What to do where no run has faults."""
    return Text(f"What faults do to {model} is not known: python -m bench faults --models {model} tells.", "dim")


def summary(console: Console, judged: JudgedFaults, *, whole: bool) -> None:
    """The tables and how many faults hurt whom; the whole with each fault's own lines."""
    if not judged.faults:
        return
    console.print(Rule(Text("faults", "bold"), align="left", style="dim"))
    for part in tables(judged, console.width):
        console.print(part)
        console.print()
    for part in details(judged) if whole else ():
        console.print(part)
    console.print(conclusion(judged))
    if not whole:
        console.print("python -m bench faults has all faults, what cures them, and how they were inflicted.\n")
