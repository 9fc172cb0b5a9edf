"""Where does a body differ from those that are known, but for what differs among them? JSON, text, or bytes."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.tryout.finding import children, path_of
from bench.tryout.json_bodies import json_difference, unsteady
from bench.tryout.masks import Pattern, pattern_of
from bench.tryout.script import Ignored

__all__ = ["Bodies"]

CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
TEXTS = ("text/", "application/xml", "application/xhtml", "application/javascript", "application/x-ndjson",
         "application/x-www-form-urlencoded", "image/svg")  # fmt: skip
MOST = 0.5


@dataclass(frozen=True)
class Bodies:
    """The bodies that are known of a request, one at least, all of one content type."""

    known: tuple[bytes, ...]
    content_type: str
    ignored: Ignored

    @cached_property
    def texts(self) -> list[str] | None:
        """Each as text; None if the content type says that they are none."""
        kind = self.content_type.lower()
        if kind and not kind.startswith(TEXTS) and "json" not in kind and "+xml" not in kind:
            return None
        return [self.text(body) for body in self.known]

    @cached_property
    def values(self) -> list[Any] | None:
        """Each as what it means in JSON; None if one of them is no JSON."""
        if self.texts is None or "json" not in self.content_type.lower() or "ndjson" in self.content_type.lower():
            return None
        values = [self.value(text) for text in self.texts]
        return None if NO_JSON in values else values

    @cached_property
    def pattern(self) -> Pattern:
        """The pattern of the texts."""
        return pattern_of(self.texts or [""])

    def text(self, body: bytes) -> str:
        """A body as text, without what the script's patterns match."""
        charset = CHARSET.search(self.content_type)
        try:
            text = body.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            text = body.decode("latin-1")
        for expression in self.ignored.patterns:
            text = re.sub(expression, "", text)
        return text

    def value(self, text: str) -> Any:
        """A text as what it means in JSON, without the fields that are not compared."""
        try:
            value = json.loads(text)
        except ValueError:
            return NO_JSON
        for pointer in self.ignored.fields:
            blank(value, path_of(pointer))
        return value

    def difference(self, body: bytes) -> str:
        """The first difference of a body, in words that hold nothing of it; empty if there is none."""
        if body in self.known:
            return ""
        if self.values is not None:
            value = self.value(self.text(body))
            return "the body is no JSON" if value is NO_JSON else json_difference(self.values, value)
        if self.texts is not None:
            place = self.pattern.misfit(self.text(body))
            return "" if place is None else f"the body differs from character {place + 1} on"
        return "the body differs" if len(set(self.known)) == 1 else ""

    @property
    def volatile(self) -> str:
        """How much of them differs: `body`, `most of the body` or `parts of the body`; empty if nothing does."""
        share = self.open_share
        if share <= 0:
            return ""
        return "body" if share == 1 else "most of the body" if share > MOST else "parts of the body"

    @property
    def open_share(self) -> float:
        """How much of them is not compared, because they differ there."""
        if len(set(self.known)) == 1:
            return 0.0
        if self.values is not None:
            places = list(unsteady(self.values))
            return sum(places) / len(places) if places else 0.0
        return self.pattern.open_share if self.texts is not None else 1.0


NO_JSON = object()


def blank(content: Any, path: Sequence[str]) -> None:
    """Replace what the path leads to by null."""
    for key, child in children(content, path[0]).items():
        if len(path) == 1:
            content[key] = None
        else:
            blank(child, path[1:])
