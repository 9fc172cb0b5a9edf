"""The floor under gunicorn: a bare WSGI callable for `GET /`, of which the server and its parser are nearly everything.

Beside it: bare_asgi.py, whose `/` does as much. All other requests go to gevent_app, with the further paths of the
scenario `layers`. The interface: https://peps.python.org/pep-3333/
"""

from collections.abc import Callable, Iterable
from typing import Any

from gevent_app.db import db
from gevent_app.wsgi import app as flask
from reference_apps.arguments import json_bytes
from reference_apps.layers.sync_views import add_parts

add_parts(flask, lambda: db.session.connection())


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/" or environ["REQUEST_METHOD"] != "GET":
        return flask(environ, start_response)
    body = json_bytes({"message": "Hello, world"})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
