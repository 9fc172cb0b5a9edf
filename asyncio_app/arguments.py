"""What a request may ask for, and the JSON that answers a request that asks for something else."""

import math

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from asyncio_app import config
from asyncio_app.tables import TITLE_LENGTH

SECONDS = (0, 60)
COUNT = (1, 500)
MILLISECONDS = (0, 10_000)
PRIORITY = (0, 9)
# The largest value of a four-byte integer column: PostgreSQL refuses to compare an id with a larger one.
MAX_ID = 2**31 - 1

TODO_FIELDS = {"title": str, "done": bool, "priority": int}
TODO_DEFAULTS: dict[str, object] = {"done": False, "priority": 0}


def init_app(app: Flask) -> None:
    """Answer every HTTP error as JSON."""
    app.register_error_handler(HTTPException, error_as_json)


def error_as_json(error: HTTPException) -> ResponseReturnValue:
    """The error's own status and headers, its description as `{"error": …}`."""
    response = error.get_response()
    headers = [(name, value) for name, value in response.headers if name.lower() == "allow"]
    return {"error": error.description}, response.status_code, headers


def only_on(database: str) -> None:
    """Answer 404 unless this server's database is that one."""
    if database != config.DATABASE:
        abort(404, f"this server's database is {config.DATABASE}; the endpoint is /sleep/{config.DATABASE}/")


def number(name: str, default: float, limits: tuple[int, int]) -> float:
    """A query parameter as a float within the limits, both included."""
    text = request.args.get(name, str(default))
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not limits[0] <= value <= limits[1]:
        abort(400, f"{name} is {text!r}; it must be a number from {limits[0]} to {limits[1]}")
    return value


def whole_number(name: str, default: int, limits: tuple[int, int]) -> int:
    """A query parameter as an int within the limits, both included."""
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and limits[0] <= int(text) <= limits[1]):
        abort(400, f"{name} is {text!r}; it must be a whole number from {limits[0]} to {limits[1]}")
    return int(text)


def todo_from_body(*, partial: bool) -> dict[str, object]:
    """The request's JSON object as column values; a partial one may leave out any field but not all."""
    if not request.is_json:
        abort(415, "the body must be JSON, of content type application/json")
    fields = flat_object()
    for name, value in fields.items():
        check_todo_field(name, value)
    if partial:
        if not fields:
            abort(400, f"the body must have at least one of {', '.join(TODO_FIELDS)}")
        return fields
    if "title" not in fields:
        abort(400, "title is missing")
    return TODO_DEFAULTS | fields


def flat_object() -> dict[str, object]:
    """The request's JSON object; 400 in the same words whether what is nested in it was too deep to read or not."""
    try:
        fields = request.get_json(silent=True)
    except RecursionError:  # silent only about a ValueError
        fields = None
    if not isinstance(fields, dict) or any(isinstance(value, dict | list) for value in fields.values()):
        abort(400, "the body must be a JSON object without objects or lists in it")
    return fields


def check_todo_field(name: str, value: object) -> None:
    """Answer 400 unless the value fits the column of that name."""
    kind = TODO_FIELDS.get(name)
    if kind is None:
        abort(400, f"{name!r} is not a field; there are {', '.join(TODO_FIELDS)}")
    if type(value) is not kind:
        abort(400, f"{name} is {value!r}; it must be of type {kind.__name__}")
    if isinstance(value, str) and not is_storable_title(value):
        abort(400, f"title must be text of 1 to {TITLE_LENGTH} characters, without NUL")
    if kind is int and not PRIORITY[0] <= value <= PRIORITY[1]:  # type: ignore[operator]  # an int, checked above
        abort(400, f"priority is {value!r}; it must be a whole number from {PRIORITY[0]} to {PRIORITY[1]}")


def is_storable_title(text: str) -> bool:
    """Databases store neither NUL (PostgreSQL) nor half of a surrogate pair, both of which JSON can spell."""
    return 1 <= len(text) <= TITLE_LENGTH and "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
