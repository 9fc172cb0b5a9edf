"""How does the application read the request's body, as it arrives?"""

from __future__ import annotations

import asyncio
import io
from typing import Any

from loopbridge.exchange import Exchange


class Input(io.RawIOBase):
    """`wsgi.input`: a read takes what has arrived, or waits for the next message."""

    rest = b""
    ended = False

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        exchange, client = self.exchange, self.exchange.client
        exchange.may_move = client.expects = False
        while not self.rest and not self.ended:
            message = exchange.on_server(client.next_message())
            if message["type"] == "http.disconnect":
                client.gone = True
                if client.bridge.cancel_on_disconnect:
                    raise asyncio.CancelledError
                raise ConnectionResetError("the client went away before its request's body was complete")
            self.rest = message.get("body", b"")
            self.ended = not message.get("more_body", False)
        part, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
