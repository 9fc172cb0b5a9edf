"""Where a request's CPU time goes: a table of the layers, gevent's beside asyncio's, and both as a bar of letters."""

from collections.abc import Iterable, Sequence
from string import ascii_uppercase

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bench.judging import JudgedScenario
from bench.judging.layers import Costs, Ladder, Layer, micro
from bench.report.terminal.scenario import empty, reasons
from bench.scenarios.layers import LADDERS

CAPTION = (
    "CPU µs a request on plain servers, with 95 % intervals. A layer is a server with it less one without it; the "
    "whole is measured by itself. What stands beneath it is not in the sum."
)
# The side and its total beside a bar.
BAR_FRAME = 18
COLOURS = ("blue", "red", "cyan", "magenta", "yellow", "green", "bright_black")


def in_terminal(judged: JudgedScenario, seed: int, width: int) -> Iterable[RenderableType]:
    """The table, the bars, and what was not valid."""
    costs = Costs(judged)
    return [Text(CAPTION, "dim"), table(costs), *bars(costs, width), *reasons(judged.cells)]


def table(costs: Costs) -> Table:
    """A row for each layer that one of the sides has; then the sums, the wholes, and what stands beside them."""
    result = empty("", "")
    for ladder in LADDERS:
        result.add_column(ladder.side, justify="right", no_wrap=True)
    for letter, name in letters().items():
        result.add_row(f"{letter} ", name, *cells(costs, [named(one.layers, name) for one in LADDERS]))
    result.add_section()
    result.add_row("", "sum", *cells(costs, [one.layers for one in LADDERS]), style="bold")
    result.add_row("", LADDERS[0].whole.name, *cells(costs, [[one.whole] for one in LADDERS]), style="bold")
    result.add_section()
    for name in dict.fromkeys(layer.name for ladder in LADDERS for layer in ladder.beside):
        result.add_row("", name, *cells(costs, [named(one.beside, name) for one in LADDERS]))
    result.add_row("", LADDERS[0].wait.name, *cells(costs, [[one.wait] for one in LADDERS]))
    return result


def letters() -> dict[str, str]:
    """By letter, the names of the layers in the order of both ladders: what only one has stands after its lower one."""
    return dict(zip(ascii_uppercase, layer_names(LADDERS), strict=False))


def layer_names(ladders: Sequence[Ladder]) -> list[str]:
    """The names of the layers of two ladders, merged so that each keeps its order."""
    first, second = ([layer.name for layer in ladder.layers] for ladder in ladders)
    merged: list[str] = []
    for name in second:
        if name in first:
            merged += [each for each in first[: first.index(name)] if each not in (*merged, *second)]
        merged.append(name)
    return merged


def named(layers: Sequence[Layer], name: str) -> list[Layer]:
    """The layer of that name, as a list; empty without one."""
    return [layer for layer in layers if layer.name == name]


def cells(costs: Costs, sides: Iterable[Sequence[Layer]]) -> list[str]:
    """What those layers of each side cost."""
    return [amount(costs, layers) for layers in sides]


def amount(costs: Costs, layers: Sequence[Layer]) -> str:
    """`80 (77–83)`; a dash for what the side does not have."""
    if not layers:
        return "   –"
    found = costs.of(*layers)
    if found is None:
        return "   not measured"
    return f"   {micro(found.value)} ({micro(found.low)} to {micro(found.high)})"


def bars(costs: Costs, width: int) -> list[Text]:
    """A bar for each side, on one scale, in which each layer has its letter unless it costs less than nothing."""
    keys = {name: letter for letter, name in letters().items()}
    parts = {ladder.side: [(keys[layer.name], found.value) for layer in ladder.layers if (found := costs.of(layer))]
             for ladder in LADDERS}  # fmt: skip
    most = max((sum(max(0.0, value) for _, value in part) for part in parts.values()), default=0.0)
    if not most:
        return []
    return [Text.assemble(f"{side:8}", *drawn(part, (width - BAR_FRAME) / most),
                          f" {micro(sum(value for _, value in part))} µs") for side, part in parts.items()]  # fmt: skip


def drawn(part: Sequence[tuple[str, float]], columns_per_s: float) -> list[tuple[str, str]]:
    """The letters of a bar, each end rounded, so that the whole is as long as it should be."""
    pieces: list[tuple[str, str]] = []
    end_s, column = 0.0, 0
    for letter, value in part:
        end_s += max(0.0, value)
        to = round(end_s * columns_per_s)
        pieces.append((letter * (to - column), f"reverse {COLOURS[ascii_uppercase.index(letter) % len(COLOURS)]}"))
        column = to
    return pieces
