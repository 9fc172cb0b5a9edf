"""What may stand in the fields of `requests.toml`? A function for each gives what it means, or raises ValueError."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from bench.tryout.script import METHODS, OWN_HEADERS, Capture, Headers, Ignored, Source, wrong_path
from bench.tryout.template import NAME
from bench.words import join

__all__ = ["LOGIN", "REQUEST", "Check"]

Check = Callable[[Any], Any]

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
HEADER_VALUE = re.compile(r"[\t -~]*")
SOURCES: tuple[Source, ...] = get_args(Source)


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value


def path(value: Any) -> str:
    """A path with its query."""
    if wrong := wrong_path(text(value)):
        raise ValueError(f"{value!r} is no path: {wrong}")
    return str(value)


def method(value: Any) -> str:
    """A method that the load generator can send too."""
    if text(value).upper() not in METHODS:
        raise ValueError(f"{value!r} is none of {join(METHODS)}")
    return str(value).upper()


def status(value: Any) -> int:
    """A final status."""
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise ValueError("must be a status from 200 to 599")
    return value


def weight(value: Any) -> float:
    """A number above 0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError("must be a number above 0")
    return float(value)


def table(value: Any) -> Mapping[str, Any]:
    """A table of fields."""
    if not isinstance(value, dict) or not value:
        raise ValueError('must be a table that is not empty, { name = "value" }')
    return value


def list_of_texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or not value:
        raise ValueError('must be a list of texts, ["one", "two"]')
    return tuple(text(one) for one in value)


def form(value: Any) -> dict[str, Any]:
    """A form's fields; a list where several have one name."""
    return {
        name: [scalar(name, one) for one in held] if isinstance(held, list) else scalar(name, held)
        for name, held in table(value).items()
    }


def scalar(name: str, value: Any) -> str:
    """What a form sends for a text or a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{name} must be a text or a number, or a list of these")


def json_value(value: Any) -> Any:
    """What JSON can say: TOML's dates it cannot."""
    if isinstance(value, dict):
        return {name: json_value(held) for name, held in value.items()}
    if isinstance(value, list):
        return [json_value(held) for held in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that JSON does not know")
    if not isinstance(value, str | int | float):
        raise ValueError("holds a date or a time, which JSON does not know; write it as a text")
    return value


def headers(value: Any) -> Headers:
    """Headers, none of which the client sets by itself."""
    for name, held in table(value).items():
        if not HEADER_NAME.fullmatch(name) or not isinstance(held, str) or not HEADER_VALUE.fullmatch(held):
            raise ValueError(f"{name!r} is no header with a text of one line as its value")
        if name.lower() in OWN_HEADERS:
            raise ValueError(f"{name} is set by the client itself; leave it out")
    return tuple(value.items())


def expression(value: Any) -> str:
    """A regular expression."""
    try:
        re.compile(text(value))
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return str(value)


def pointer(value: Any) -> str:
    """A JSON pointer."""
    if not text(value).startswith("/"):
        raise ValueError(f"{value!r} is no JSON pointer; write it as /user/id")
    return str(value)


def captures(value: Any) -> tuple[Capture, ...]:
    """Captured values, by the names that they get."""
    return tuple(capture(name, held) for name, held in table(value).items())


def capture(name: str, value: Any) -> Capture:
    """Where to find a value in the answer."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name; write it with letters, digits and _")
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in SOURCES:
        raise ValueError(f'{name} must be a table with one of {join(SOURCES)}, {{ field = "csrf_token" }}')
    ((source, what),) = value.items()
    return Capture(name=name, source=source, what={"regex": expression, "pointer": pointer}.get(source, text)(what))


def ignored(value: Any) -> Ignored:
    """What is not compared."""
    known: dict[str, Check] = {"headers": list_of_texts, "fields": list_of_texts, "patterns": list_of_texts}
    if unknown := [name for name in table(value) if name not in known]:
        raise ValueError(f"{unknown[0]!r} is none of {join(list(known))}")
    found = {name: known[name](held) for name, held in value.items()}
    return Ignored(
        headers=tuple(name.lower() for name in found.get("headers", ())),
        fields=tuple(pointer(one) for one in found.get("fields", ())),
        patterns=tuple(expression(one) for one in found.get("patterns", ())),
    )


SENT: dict[str, Check] = {
    "path": path,
    "method": method,
    "form": form,
    "json": json_value,
    "body": text,
    "headers": headers,
    "status": status,
}
LOGIN = {**SENT, "capture": captures, "contains": text}
REQUEST = {**SENT, "name": text, "ignore": ignored, "weight": weight}
