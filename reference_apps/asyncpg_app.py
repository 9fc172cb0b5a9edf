"""The contract in Flask's async views on raw asyncpg: SQL as text, one pool, nothing between driver and view.

https://magicstack.github.io/asyncpg/current/usage.html#connection-pools
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
from flask import Response, abort
from flask.typing import ResponseReturnValue

from loopbridge import LoopBridge
from reference_apps import arguments, settings, upstream
from reference_apps.arguments import MAX_ID, SEEDS
from reference_apps.facts import facts
from reference_apps.flask_parts import argument, body, create_app

flask_app = create_app(__name__)
pool: asyncpg.Pool
ALL_TODOS = "SELECT id, title, done, priority FROM todos ORDER BY id"
ONE_TODO = "SELECT id, title, done, priority FROM todos WHERE id = $1"


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    global pool
    pool = asyncpg.create_pool(settings.DATABASE_URL, server_settings=settings.SERVER_SETTINGS, **settings.ASYNCPG_POOL)
    async with pool, upstream.client:
        yield


app = LoopBridge(flask_app, lifespan=lifespan)


@flask_app.get("/")
async def index() -> ResponseReturnValue:
    return {"message": "Hello, world"}


@flask_app.get("/sleep/python/")
async def sleep_python() -> ResponseReturnValue:
    await asyncio.sleep(arguments.seconds(argument("seconds", "5")))
    return [dict(row) for row in await pool.fetch(ALL_TODOS)]


@flask_app.get("/sleep/postgres/")
async def sleep_postgres() -> ResponseReturnValue:
    seconds = arguments.seconds(argument("seconds", "5"))
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_sleep($1)", seconds)
        return [dict(row) for row in await connection.fetch(ALL_TODOS)]


@flask_app.get("/queries/")
async def queries() -> ResponseReturnValue:
    count = arguments.count(argument("count", "1"))
    keys = random.Random(count).choices(range(1, SEEDS + 1), k=count)
    async with pool.acquire() as connection:
        rows = [await connection.fetchrow(ONE_TODO, key) for key in keys]
    return [dict(row) if row else None for row in rows]


@flask_app.get("/todos/")
async def list_todos() -> ResponseReturnValue:
    return [dict(row) for row in await pool.fetch(ALL_TODOS)]


@flask_app.post("/todos/")
async def create_todo() -> ResponseReturnValue:
    values = arguments.new_todo(body())
    statement = "INSERT INTO todos (title, done, priority) VALUES ($1, $2, $3) RETURNING id"
    key = await pool.fetchval(statement, values["title"], values["done"], values["priority"])
    return {"id": key, **values}, 201


@flask_app.get(f"/todos/<int(max={MAX_ID}):key>")
async def read_todo(key: int) -> ResponseReturnValue:
    row = await pool.fetchrow(ONE_TODO, key)
    return dict(row) if row else abort(404, f"there is no todo {key}")


@flask_app.patch(f"/todos/<int(max={MAX_ID}):key>")
async def update_todo(key: int) -> ResponseReturnValue:
    values = arguments.todo_changes(body())
    columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=2))
    async with pool.acquire() as connection:
        await connection.execute(f"UPDATE todos SET {columns} WHERE id = $1", key, *values.values())
        row = await connection.fetchrow(ONE_TODO, key)
    return dict(row) if row else abort(404, f"there is no todo {key}")


@flask_app.delete(f"/todos/<int(max={MAX_ID}):key>")
async def delete_todo(key: int) -> ResponseReturnValue:
    async with pool.acquire() as connection:
        row = await connection.fetchrow("SELECT id FROM todos WHERE id = $1", key)
        await connection.execute("DELETE FROM todos WHERE id = $1", key)
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
