"""Which machine did what in a run, with what cores, and how far are they from each other? A drawing of a cluster.

Load machines on the left, the server's in the middle, a database on the right; what bench and scheduler ran on stands
beneath them. A run on one machine has no drawing.
"""

from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from bench.report.templates import templates
from bench.results import Run
from bench.results.layout import Place, places

__all__ = ["drawing"]

WIDE, HIGH, GAP = 210, 74, 26
LEFT, MIDDLE, RIGHT = 10, 345, 680
TOP, FOOT = 10, 20


@dataclass(frozen=True)
class Box:
    """A machine in the drawing."""

    x: float
    y: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A line between two machines, and the round trip on it."""

    x1: float
    y1: float
    x2: float
    y2: float
    words: str


def drawing(run: Run) -> Markup:
    """The section with the drawing; empty for a run on one machine."""
    found = places(run)
    if not found:
        return Markup("")
    loads = [one for one in found if one.role == "load"]
    server, *_ = [one for one in found if one.role == "server"] or found
    boxes, links = side(loads)
    middle = TOP + (len(loads) - 1) * (HIGH + GAP) / 2
    boxes.append(Box(MIDDLE, middle, words(server, "servers")))
    for one in [one for one in found if one.role == "database"]:
        boxes.append(Box(RIGHT, middle, words(one, "database")))
        links.append(Link(MIDDLE + WIDE, middle + HIGH / 2, RIGHT, middle + HIGH / 2, trip(one)))
    below = max(TOP + len(loads) * (HIGH + GAP), middle + HIGH + GAP) + GAP
    boxes.append(Box(MIDDLE, below, bench_words(run)))
    links.append(Link(MIDDLE + WIDE / 2, below, MIDDLE + WIDE / 2, middle + HIGH, trip(server)))
    return Markup(environment().get_template("layout.html.j2").render(
        boxes=boxes, links=links, wide=WIDE, high=HIGH, width=RIGHT + WIDE + LEFT, height=below + HIGH + FOOT,
        places=found, trip=trip,
    ))  # fmt: skip


def side(loads: list[Place]) -> tuple[list[Box], list[Link]]:
    """The load machines, one beneath the other, each with its line to the server's."""
    middle = TOP + (len(loads) - 1) * (HIGH + GAP) / 2 + HIGH / 2
    boxes = [Box(LEFT, TOP + (HIGH + GAP) * number, words(one, generators(one))) for number, one in enumerate(loads)]
    return boxes, [Link(LEFT + WIDE, box.y + HIGH / 2, MIDDLE, middle, trip(one))
                   for box, one in zip(boxes, loads, strict=True)]  # fmt: skip


def generators(one: Place) -> str:
    """What a load machine did."""
    return f"load, {one.generators} generator{'s' * (one.generators != 1)}"


def words(one: Place, does: str) -> tuple[str, ...]:
    """What stands in a machine's box."""
    cores = f"{one.cores} cores" if one.cores else ""
    return tuple(filter(None, (does, one.name, one.host if one.host != one.name else "", cores)))


def bench_words(run: Run) -> tuple[str, ...]:
    """The machine that the bench ran on."""
    cores = run.environment.get("cores")
    return tuple(filter(None, ("bench", "plans, checks, reports", f"{cores} cores" if cores else "")))


def trip(one: Place) -> str:
    """`0.21 ms`."""
    return "not reached" if one.round_trip_s is None else f"{one.round_trip_s * 1e3:.2f} ms"


def environment() -> Environment:
    """The templates; whatever they are given is text."""
    return templates("bench.report.page", autoescape=True)
