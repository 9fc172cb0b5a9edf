"""Quart's application, with `/large/`."""

from quart import Response

from entrypoints.large import BODY, IN_PIECES, pieces_async
from reference_apps.quart_app import app


@app.get("/large/")
async def large() -> Response:
    """The large answer, whole or in pieces."""
    return Response(pieces_async() if IN_PIECES else BODY, mimetype="text/plain")
