"""The applications with one endpoint more, `/large/`, for clients that read slowly; each side's views do the same.

Its answer is text that the process keeps, as an export or a catalogue that is made once. LARGE_ANSWER=pieces streams it
in pieces of 64 KiB. As no request makes it anew, what the server's memory grows by is what the server itself holds for
its readers.
"""

import os
from collections.abc import AsyncIterator, Iterator

BODY = b"0123456789abcde\n" * (2 << 16)
"""2 MiB: much more than the kernel takes for a client that does not read."""
PIECE_BYTES = 64 * 1024
IN_PIECES = os.environ.get("LARGE_ANSWER") == "pieces"


def pieces() -> Iterator[bytes]:
    """The body in pieces, for WSGI."""
    for start in range(0, len(BODY), PIECE_BYTES):
        yield BODY[start : start + PIECE_BYTES]


async def pieces_async() -> AsyncIterator[bytes]:
    """The same for ASGI."""
    for piece in pieces():
        yield piece
