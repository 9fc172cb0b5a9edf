"""What does the difference look like in code? Both apps function by function, aligned line by line."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from bench.files import ROOT
from bench.judging.app_code import APPS, FILES, Pair, file_pairs

EXPLANATIONS = Path(__file__).with_name("explanations.toml")
# What only an asyncio app needs; too long to show, and part of what it costs.
BRIDGE = ROOT / "loopbridge"


@dataclass(frozen=True)
class CodeLine:
    """A line of one side; `code` is None where the other side has a line and this one has none."""

    code: Markup | None
    differs: bool


@dataclass(frozen=True)
class Function:
    """A function in both apps."""

    name: str
    endpoint: str
    explanation: tuple[str, ...]
    differing: int
    lines: int
    sides: tuple[tuple[CodeLine, ...], tuple[CodeLine, ...]]


@dataclass(frozen=True)
class File:
    """A file in both apps, and how many of its lines differ."""

    names: tuple[str, str]
    functions: tuple[Function, ...]

    @property
    def differing(self) -> int:
        """Lines that are not the same."""
        return sum(function.differing for function in self.functions)

    @property
    def lines(self) -> int:
        """Lines of the longer side of each function."""
        return sum(function.lines for function in self.functions)


@cache
def files() -> tuple[File, ...]:
    """The files in reading order, each with its functions that differ or are a view."""
    found = []
    for left, right in FILES:
        pairs = file_pairs(ROOT / APPS[0] / left, ROOT / APPS[1] / right)
        names = f"{APPS[0]}/{left}", f"{APPS[1]}/{right}"
        found.append(File(names, tuple(function(left, pair) for pair in pairs)))
    return tuple(found)


@cache
def bridge_lines() -> int:
    """The lines of what only one app has."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in BRIDGE.glob("*.py"))


def function(file: str, pair: Pair) -> Function:
    """A pair as the page shows it."""
    name = pair.gevent.name
    return Function(
        name, pair.gevent.endpoint or pair.asyncio.endpoint, explanation(file, name) if pair.differing_lines else (),
        pair.differing_lines, pair.lines, aligned(pair.gevent.lines, pair.asyncio.lines),
    )  # fmt: skip


@cache
def explanations() -> dict[str, dict[str, tuple[str, ...]]]:
    """By file and function, what the difference means."""
    read = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))
    return {file: {name: tuple(lines) for name, lines in table.items()} for file, table in read.items()}


def explanation(file: str, name: str) -> tuple[str, ...]:
    """The lines about a function; nothing if there are none."""
    return explanations().get(Path(file).stem, {}).get(name, ())


def aligned(left: Sequence[str], right: Sequence[str]) -> tuple[tuple[CodeLine, ...], tuple[CodeLine, ...]]:
    """Both sides filled up to the same number of lines, so that equal lines stand beside each other."""
    codes = highlighted(left), highlighted(right)
    sides: tuple[list[CodeLine], list[CodeLine]] = ([], [])
    for tag, *bounds in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        spans = bounds[0:2], bounds[2:4]
        longest = max(end - start for start, end in spans)
        for side, code, (start, end) in zip(sides, codes, spans, strict=True):
            rows = code[start:end]
            side += [CodeLine(line, tag != "equal") for line in rows]
            side += [CodeLine(None, False)] * (longest - len(rows))
    return tuple(sides[0]), tuple(sides[1])


def highlighted(lines: Sequence[str]) -> list[Markup]:
    """Python with a class for each kind of word, line by line."""
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    text = highlight("\n".join(lines), lexer, HtmlFormatter(nowrap=True))
    return [Markup(line) for line in text.split("\n")][: len(lines)]
