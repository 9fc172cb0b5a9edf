"""How does a picture become a file? A template, filled in for light or for dark, in the colours of the page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from jinja2 import Environment

from bench.report.templates import templates

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# Everything is drawn on so many units, which are pixels where the picture is shown at its own size.
WIDTH = 800
# `--ink: light-dark(#1b1c1e, #e9e9e6);`
COLOUR = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)")


@dataclass(frozen=True)
class Picture:
    """What is drawn, and what it shows in words."""

    name: str
    """Of its files and its template."""
    title: str
    description: str
    """What it shows in words, for those who do not see it."""
    height: int
    values: Mapping[str, Any]
    """What the template draws."""

    def file(self, scheme: Scheme) -> str:
        """The name of its file."""
        return f"{self.name}-{scheme}.svg"


def svg(picture: Picture, scheme: Scheme) -> str:
    """The picture in one of the two colour schemes."""
    template = environment().get_template(f"{picture.name}.svg.j2")
    return template.render(
        **picture.values, title=picture.title, description=picture.description, width=WIDTH, height=picture.height,
        colour=colours(scheme),
    )  # fmt: skip


@cache
def colours(scheme: Scheme) -> Mapping[str, str]:
    """By name, the colours that the page's style sheet has for this scheme."""
    css = files("bench.report.page").joinpath("static/page.css").read_text(encoding="utf-8")
    return {name: pair[SCHEMES.index(scheme)] for name, *pair in COLOUR.findall(css)}


@cache
def environment() -> Environment:
    """The templates; whatever they are given is text."""
    found = templates("bench.report.pictures", autoescape=True, keep_trailing_newline=True)
    found.filters["px"] = px
    return found


def px(value: float) -> str:
    """A length or a place, to a tenth of a unit."""
    return f"{value:.1f}".removesuffix(".0")
