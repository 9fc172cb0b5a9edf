"""Work beside the request, without a task queue: a thread, an executor, what Flask and Werkzeug run after a view."""

import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Blueprint, Flask, Response, after_this_request, current_app, request
from flask.typing import ResponseReturnValue

from shop.models import Note, db

views = Blueprint("background", __name__)
executor = ThreadPoolExecutor(4)


def application() -> Flask:
    """The application itself, which a thread needs: `current_app` means nothing there."""
    return current_app._get_current_object()


def write_note(app: Flask, text: str) -> None:
    """The work: something in the database, in an application context of its own."""
    with app.app_context():
        db.session.add(Note(text=text))
        db.session.commit()


@views.post("/background/thread")
def in_thread() -> ResponseReturnValue:
    threading.Thread(target=write_note, args=(application(), request.form["text"])).start()
    return {}, 202


@views.post("/background/executor")
def in_executor() -> ResponseReturnValue:
    executor.submit(write_note, application(), request.form["text"])
    return {}, 202


@views.post("/background/after-this-request")
def after_view() -> ResponseReturnValue:
    text = request.form["text"]

    @after_this_request
    def note(response: Response) -> Response:
        db.session.add(Note(text=text))
        db.session.commit()
        return response

    return {}, 202


@views.post("/background/on-close")
def on_close() -> ResponseReturnValue:
    app, text = application(), request.form["text"]
    response = Response(status=202)
    response.call_on_close(lambda: write_note(app, text))
    return response
