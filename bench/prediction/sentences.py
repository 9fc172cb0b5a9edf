"""How does the prediction put its results into words? It names a sentence and its values; the words stand in a table.

page/sentences.js fills in the same table for the calculator in the page.
"""

import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.words import join

TABLE = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))
TEMPLATES: Mapping[str, str] = TABLE["sentences"]
LIMITS: Mapping[str, str] = TABLE["limits"]
MARKS: Mapping[str, str] = TABLE["marks"]
PLACE = re.compile(r"\{(\w+)(?::([^}]+))?\}")
NAMED = 3  # names that a sentence lists before it counts the rest


@dataclass(frozen=True)
class Sentence:
    """A sentence of the table, and the values for its places."""

    code: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As a person reads it."""
        return PLACE.sub(lambda place: written(self.values[place[1]], place[2] or "text"), TEMPLATES[self.code])


def say(code: str, **values: Any) -> Sentence:
    """The sentence with that code."""
    return Sentence(code, values)


def texts(sentences: Sequence[Sentence]) -> list[str]:
    """Each as a person reads it."""
    return [sentence.text for sentence in sentences]


def written(value: Any, style: str) -> str:
    """A value in the way that its place asks for."""
    if "|" in style:
        one, many = style.split("|")
        return f"{whole(value)} {one if value == 1 else many}"
    return STYLES[style](value)


def rounded(value: float, decimals: int) -> str:
    """With so many decimals; a half is rounded up, which Python's own formats do not do and the browser's do."""
    power = 10**decimals
    return f"{math.floor(value * power + 0.5) / power:,.{decimals}f}"


def whole(value: float) -> str:
    """`1,234`."""
    return rounded(value, 0)


def figure(value: float) -> str:
    """`1,234` from a hundred on, `12.3` below."""
    return rounded(value, 0 if value >= 99.5 else 1)


def ratio(value: float) -> str:
    """`1.23`."""
    return rounded(value, 2)


def listed(names: Sequence[str]) -> str:
    """`a, b and c`; of more, `a, b, c and 4 more`."""
    return join([*names[:NAMED], f"{len(names) - NAMED} more"] if len(names) > NAMED else list(names))


def span(values: Sequence[float]) -> str:
    """`5 to 200`, or `5` if the least is the most."""
    return " to ".join(dict.fromkeys(whole(value) for value in (min(values), max(values))))


STYLES: Mapping[str, Callable[[Any], str]] = {
    "text": str, "whole": whole, "figure": figure, "ratio": ratio, "names": listed, "range": span,
}  # fmt: skip
