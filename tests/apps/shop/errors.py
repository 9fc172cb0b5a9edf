"""Errors: JSON for programs, a page for people."""

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer)


def answer(error: HTTPException) -> ResponseReturnValue:
    """An exception that nobody expected comes as InternalServerError."""
    code = error.code or 500
    if request.accept_mimetypes.accept_html:
        return render_template("error.html", error=error), code
    return {"error": error.name}, code
