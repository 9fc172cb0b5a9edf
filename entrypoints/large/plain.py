"""gevent_app as it is, with `/large/`."""

from flask import Response

from entrypoints.large import BODY, IN_PIECES, pieces
from gevent_app import create_app

app = create_app()


@app.get("/large/")
def large() -> Response:
    """The large answer, whole or in pieces."""
    return Response(pieces() if IN_PIECES else BODY, mimetype="text/plain")
