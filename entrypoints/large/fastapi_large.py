"""FastAPI's application, with `/large/`."""

from fastapi.responses import Response, StreamingResponse

from entrypoints.large import BODY, IN_PIECES, pieces_async
from reference_apps.fastapi_app import app


@app.get("/large/")
async def large() -> Response:
    """The large answer, whole or in pieces."""
    if IN_PIECES:
        return StreamingResponse(pieces_async(), media_type="text/plain")
    return Response(BODY, media_type="text/plain")
