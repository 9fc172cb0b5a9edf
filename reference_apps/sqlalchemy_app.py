"""The contract in Flask's async views on SQLAlchemy's own asyncio engine, Core only; `databases` is left out.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html#synopsis-core
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, insert, make_url, select, update
from sqlalchemy.ext.asyncio import create_async_engine

from loopbridge import LoopBridge
from reference_apps import arguments, settings, upstream
from reference_apps.arguments import MAX_ID, SEEDS
from reference_apps.facts import facts
from reference_apps.flask_parts import argument, body, create_app
from reference_apps.tables import todos

flask_app = create_app(__name__)
url = make_url(settings.DATABASE_URL).set(drivername="postgresql+asyncpg")
engine = create_async_engine(url, **settings.SQLALCHEMY_POOL)


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    async with upstream.client:
        yield
    await engine.dispose()


app = LoopBridge(flask_app, lifespan=lifespan)


@flask_app.get("/")
async def index() -> ResponseReturnValue:
    return {"message": "Hello, world"}


@flask_app.get("/sleep/python/")
async def sleep_python() -> ResponseReturnValue:
    await asyncio.sleep(arguments.seconds(argument("seconds", "5")))
    async with engine.connect() as connection:
        rows = await connection.execute(select(todos).order_by(todos.c.id))
    return [dict(row) for row in rows.mappings()]


@flask_app.get("/sleep/postgres/")
async def sleep_postgres() -> ResponseReturnValue:
    seconds = arguments.seconds(argument("seconds", "5"))
    async with engine.connect() as connection:
        await connection.execute(select(func.pg_sleep(seconds)))
        rows = await connection.execute(select(todos).order_by(todos.c.id))
    return [dict(row) for row in rows.mappings()]


@flask_app.get("/queries/")
async def queries() -> ResponseReturnValue:
    count = arguments.count(argument("count", "1"))
    keys = random.Random(count).choices(range(1, SEEDS + 1), k=count)
    rows = []
    async with engine.connect() as connection:
        for key in keys:
            row = (await connection.execute(select(todos).where(todos.c.id == key))).mappings().first()
            rows.append(dict(row) if row else None)
    return rows


@flask_app.get("/todos/")
async def list_todos() -> ResponseReturnValue:
    async with engine.connect() as connection:
        rows = await connection.execute(select(todos).order_by(todos.c.id))
    return [dict(row) for row in rows.mappings()]


@flask_app.post("/todos/")
async def create_todo() -> ResponseReturnValue:
    values = arguments.new_todo(body())
    async with engine.begin() as connection:
        key = await connection.scalar(insert(todos).values(values).returning(todos.c.id))
    return {"id": key, **values}, 201


@flask_app.get(f"/todos/<int(max={MAX_ID}):key>")
async def read_todo(key: int) -> ResponseReturnValue:
    async with engine.connect() as connection:
        row = (await connection.execute(select(todos).where(todos.c.id == key))).mappings().first()
    return dict(row) if row else abort(404, f"there is no todo {key}")


@flask_app.patch(f"/todos/<int(max={MAX_ID}):key>")
async def update_todo(key: int) -> ResponseReturnValue:
    values = arguments.todo_changes(body())
    async with engine.begin() as connection:
        await connection.execute(update(todos).where(todos.c.id == key).values(values))
        row = (await connection.execute(select(todos).where(todos.c.id == key))).mappings().first()
    return dict(row) if row else abort(404, f"there is no todo {key}")


@flask_app.delete(f"/todos/<int(max={MAX_ID}):key>")
async def delete_todo(key: int) -> ResponseReturnValue:
    async with engine.begin() as connection:
        row = (await connection.execute(select(todos.c.id).where(todos.c.id == key))).first()
        await connection.execute(delete(todos).where(todos.c.id == key))
    return ("", 204) if row else abort(404, f"there is no todo {key}")


@flask_app.get("/fanout/")
async def fanout() -> ResponseReturnValue:
    count = arguments.count(argument("count", "10"))
    seconds = arguments.seconds(argument("seconds", "0.1"))
    return list(await asyncio.gather(*(upstream.fetch(seconds) for _ in range(count))))


@flask_app.get("/cpu/")
async def cpu() -> ResponseReturnValue:
    milliseconds = arguments.milliseconds(argument("milliseconds", "10"))
    end_ns = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end_ns:
        pass
    return {"milliseconds": milliseconds}


@flask_app.get("/stream/")
async def stream() -> ResponseReturnValue:
    count = arguments.count(argument("count", "5"))
    seconds = arguments.seconds(argument("seconds", "0.1"))
    sleep = flask_app.ensure_sync(asyncio.sleep)

    def events() -> Iterator[str]:
        yield f"data: 1 of {count}\n\n"
        for event in range(2, count + 1):
            sleep(seconds)
            yield f"data: {event} of {count}\n\n"

    return Response(events(), mimetype="text/event-stream")


@flask_app.get("/info")
async def info() -> ResponseReturnValue:
    return facts(__name__, "asyncpg")
