"""What does README.md answer before a reader runs anything? The part between its marks, of the run and the registry."""

import textwrap
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment

from bench.errors import BenchError
from bench.judging import Judged
from bench.judging.waits import blocks
from bench.models import MODELS
from bench.report.pictures import Picture
from bench.report.templates import templates
from bench.report.terminal.registry import pasteable

BEGIN, END = "<!-- from the committed run -->", "<!-- end -->"
# The pictures of the first screen.
SHOWN = ("waits", "pairs")
TEXT_WIDTH, COMMAND_WIDTH = 117, 100


def answer(judged: Judged, found: dict[str, str], drawn: Sequence[Picture], folder: str) -> str:
    """The short answer, its pictures in that folder, and which model is for whom."""
    serial = {name: blocks(facts) for name, facts in judged.models.items()}
    return environment().get_template("answer.md.j2").render(
        run=judged.run, figures=found, pictures=[one for one in drawn if one.name in SHOWN], folder=folder,
        serial=serial, commands={model.name: pasteable(model, COMMAND_WIDTH) for model in MODELS},
    )  # fmt: skip


def with_answer(text: str, new: str, name: str) -> str:
    """A text with what is between its marks replaced. Raises BenchError, naming the file, unless it has both once."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest:
        raise BenchError(f"{name} must have the lines {BEGIN} and {END} once, with the short answer between them; add "
                         "them, or name another file with --readme")  # fmt: skip
    return f"{before}{begin}\n{new}{end}{after}"


@cache
def environment() -> Environment:
    """The templates, of Markdown."""
    found = templates("bench.report.publication", keep_trailing_newline=True)
    found.filters["item"] = item
    return found


def item(text: str) -> str:
    """An item of a numbered list, on lines that are not too long."""
    lines = textwrap.wrap(text, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent("\n".join(lines), "   ").replace("  ", "1.", 1) + "\n"
