"""asyncio_app on another data layer: its own application, with the views replaced that use the database.

Beside it: sync_views.py, the same functions in the same order.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from flask import Flask, abort
from flask.typing import ResponseReturnValue

from asyncio_app import create_app, upstream
from asyncio_app.arguments import COUNT, SECONDS, number, only_on, todo_from_body, whole_number
from asyncio_app.info import facts
from asyncio_app.tables import SEEDS, seeds
from loopbridge import LoopBridge

Row = dict[str, Any]


class Layer(Protocol):
    """What the views ask of a data layer; each call has one connection from the pool, and one transaction."""

    @property
    def driver(self) -> str: ...
    def opened(self) -> AbstractAsyncContextManager[Any]: ...
    async def hold(self) -> None: ...
    async def sleep(self, seconds: float) -> list[Row]: ...
    async def all(self) -> list[Row]: ...
    async def some(self, keys: Sequence[int]) -> list[Row | None]: ...
    async def add(self, values: Row) -> int: ...
    async def change(self, key: int, values: Row) -> Row | None: ...
    async def remove(self, key: int) -> bool: ...


def on_layer(name: str, layer: Layer) -> LoopBridge:
    """The application on a data layer, in the bridge; `name` is what `/info` says of it."""
    app = create_app()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with layer.opened(), upstream.client:
            yield

    async def sleep_python() -> ResponseReturnValue:
        await asyncio.sleep(number("seconds", 5, SECONDS))
        return await layer.all()

    async def sleep_postgres() -> ResponseReturnValue:
        only_on("postgres")
        return await layer.sleep(number("seconds", 5, SECONDS))

    async def queries() -> ResponseReturnValue:
        count = whole_number("count", 1, COUNT)
        return await layer.some(random.Random(count).choices(range(1, SEEDS + 1), k=count))

    async def list_todos() -> ResponseReturnValue:
        return await layer.all()

    async def create_todo() -> ResponseReturnValue:
        values = todo_from_body(partial=False)
        return {"id": await layer.add(values), **values}, 201

    async def read_todo(key: int) -> ResponseReturnValue:
        (row,) = await layer.some([key])
        return row or abort(404, f"there is no todo {key}")

    async def update_todo(key: int) -> ResponseReturnValue:
        row = await layer.change(key, todo_from_body(partial=True))
        return row or abort(404, f"there is no todo {key}")

    async def delete_todo(key: int) -> ResponseReturnValue:
        return ("", 204) if await layer.remove(key) else abort(404, f"there is no todo {key}")

    async def mixed() -> ResponseReturnValue:
        seconds = number("seconds", 0.1, SECONDS)
        (row,) = await layer.some([1])
        return {"todo": row, "upstream": await upstream.fetch(seconds)}

    async def info() -> ResponseReturnValue:
        return facts() | {"app": name, "driver": layer.driver}

    replaced = (
        sleep_python,
        sleep_postgres,
        queries,
        list_todos,
        create_todo,
        read_todo,
        update_todo,
        delete_todo,
        mixed,
        info,
    )
    app.view_functions |= {f"views.{view.__name__}": view for view in replaced}

    add_parts(app, layer.hold)
    return LoopBridge(app, lifespan=lifespan)


def add_parts(app: Flask, hold: Callable[[], Awaitable[object]]) -> None:
    """Add what the scenario `layers` asks for: parts of what /queries/ does, and waits.

    `hold` takes a connection from the pool and gives it back.
    """

    @app.get("/rows/")
    async def rows() -> ResponseReturnValue:
        """All that /queries/ does without the database."""
        count = whole_number("count", 1, COUNT)
        return [ROWS[key - 1] for key in random.Random(count).choices(range(1, SEEDS + 1), k=count)]

    @app.get("/connection/")
    async def connection() -> ResponseReturnValue:
        """That, and a connection, without a statement."""
        count = whole_number("count", 1, COUNT)
        await hold()
        return [ROWS[key - 1] for key in random.Random(count).choices(range(1, SEEDS + 1), k=count)]

    @app.get("/waits/")
    async def waits() -> ResponseReturnValue:
        """So many short waits in Python, one after the other."""
        for _ in range(whole_number("count", 1, COUNT)):
            await asyncio.sleep(SHORT_S)
        return []


SHORT_S = 0.001
# As the database has them.
ROWS = [{"id": key, **values} for key, values in enumerate(seeds(), start=1)]
