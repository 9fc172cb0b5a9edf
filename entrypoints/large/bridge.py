"""asyncio_app in the bridge, with `/large/`."""

from flask import Response

from asyncio_app import create_app, lifespan
from entrypoints.large import BODY, IN_PIECES, pieces
from loopbridge import LoopBridge

flask = create_app()


@flask.get("/large/")
async def large() -> Response:
    """The large answer, whole or in pieces."""
    return Response(pieces() if IN_PIECES else BODY, mimetype="text/plain")


app = LoopBridge(flask, lifespan=lifespan)
