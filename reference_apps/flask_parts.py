"""What the Flask apps of this folder have in common: JSON errors, the request's parameters and its body."""

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from reference_apps import arguments, settings
from reference_apps.arguments import Refused


def create_app(name: str) -> Flask:
    """An application without views that answers every HTTP error as JSON."""
    app = Flask(name)
    app.config["MAX_CONTENT_LENGTH"] = settings.MAX_BODY_BYTES
    app.register_error_handler(HTTPException, error_as_json)
    app.register_error_handler(Refused, refused_as_json)
    return app


def error_as_json(error: HTTPException) -> ResponseReturnValue:
    """The error's own status, its description as `{"error": …}`."""
    headers = [(name, value) for name, value in error.get_response().headers if name.lower() == "allow"]
    return {"error": error.description}, error.code or 500, headers


def refused_as_json(error: Refused) -> ResponseReturnValue:
    """The same for what this folder's own checks refuse."""
    return {"error": error.message}, error.status


def argument(name: str, default: str) -> str:
    """A query parameter."""
    return request.args.get(name, default)


def body() -> bytes:
    """The request's body, if it is declared as JSON and not too large."""
    arguments.check_is_json(request.content_type)
    return request.get_data()
