"""What a request may ask for, in any framework: texts and bytes in, values out, or the error that answers it."""

import json
import math
from collections.abc import AsyncIterable
from typing import Any

from reference_apps import settings

TITLE_LENGTH = 200
SEEDS = 50
# The largest value of a four-byte integer column: PostgreSQL refuses to compare an id with a larger one.
MAX_ID = 2**31 - 1

TODO_FIELDS = {"title": str, "done": bool, "priority": int}
TODO_DEFAULTS: dict[str, Any] = {"done": False, "priority": 0}

# Flask's own words, so that every app answers with the same bytes.
WORDS = {
    404: "The requested URL was not found on the server. If you entered the URL manually please check your spelling"
    " and try again.",
    405: "The method is not allowed for the requested URL.",
    413: "The data value transmitted exceeds the capacity limit.",
    500: "The server encountered an internal error and was unable to complete your request. Either the server is"
    " overloaded or there is an error in the application.",
}


class Refused(Exception):
    """A request is answered with this status and `{"error": message}`."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status, message or WORDS[status])
        self.status, self.message = status, message or WORDS[status]


def upstream_failed(error: Exception) -> Refused:
    """What `/fanout/` answers when the upstream cannot be reached or fails."""
    name = type(error).__name__
    return Refused(502, f"the upstream at {settings.UPSTREAM_URL} (UPSTREAM_URL) failed: {name}")


def json_bytes(content: object) -> bytes:
    """JSON with the keys, separators and last newline of Flask's."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def seconds(text: str) -> float:
    """The query parameter `seconds`."""
    return number("seconds", text, 0, 60)


def milliseconds(text: str) -> float:
    """The query parameter `milliseconds`."""
    return number("milliseconds", text, 0, 10_000)


def number(name: str, text: str, low: int, high: int) -> float:
    """A float within the limits, both included. Raises Refused."""
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise Refused(400, f"{name} is {text!r}; it must be a number from {low} to {high}")
    return value


def count(text: str) -> int:
    """The query parameter `count`, 1 to 500. Raises Refused."""
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= 500):
        raise Refused(400, f"count is {text!r}; it must be a whole number from 1 to 500")
    return int(text)


async def limited(chunks: AsyncIterable[bytes]) -> bytes:
    """A request's body, where the framework does not limit it. Raises Refused for one that is too large."""
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > settings.MAX_BODY_BYTES:
            raise Refused(413)
    return body


def check_is_json(content_type: str | None) -> None:
    """Raises Refused unless the body is declared as JSON: that comes before reading it."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refused(415, "the body must be JSON, of content type application/json")


def new_todo(body: bytes) -> dict[str, Any]:
    """The values of a new row. Raises Refused."""
    fields = todo_fields(body)
    if "title" not in fields:
        raise Refused(400, "title is missing")
    return TODO_DEFAULTS | fields


def todo_changes(body: bytes) -> dict[str, Any]:
    """The values that a row is to have from now on, at least one. Raises Refused."""
    fields = todo_fields(body)
    if not fields:
        raise Refused(400, f"the body must have at least one of {', '.join(TODO_FIELDS)}")
    return fields


def todo_fields(body: bytes) -> dict[str, Any]:
    """The fields of a JSON object, each of which fits its column. Raises Refused."""
    try:
        fields = json.loads(body)
    except (RecursionError, ValueError):
        fields = None
    if not isinstance(fields, dict) or any(isinstance(value, dict | list) for value in fields.values()):
        raise Refused(400, "the body must be a JSON object without objects or lists in it")
    for name, value in fields.items():
        check_todo_field(name, value)
    return fields


def check_todo_field(name: str, value: object) -> None:
    """Raises Refused unless the value fits the column of that name."""
    kind = TODO_FIELDS.get(name)
    if kind is None:
        raise Refused(400, f"{name!r} is not a field; there are {', '.join(TODO_FIELDS)}")
    if type(value) is not kind:
        raise Refused(400, f"{name} is {value!r}; it must be of type {kind.__name__}")
    if isinstance(value, str) and not is_storable_title(value):
        raise Refused(400, f"title must be text of 1 to {TITLE_LENGTH} characters, without NUL")
    if kind is int and not 0 <= value <= 9:  # type: ignore[operator]  # an int, checked above
        raise Refused(400, f"priority is {value!r}; it must be a whole number from 0 to 9")


def is_storable_title(text: str) -> bool:
    """PostgreSQL text holds neither NUL nor half of a surrogate pair, both of which JSON can spell."""
    return 1 <= len(text) <= TITLE_LENGTH and "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
