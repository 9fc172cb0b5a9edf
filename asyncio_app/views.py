"""The endpoints. Beside it: gevent_app/views.py, the same functions in the same order."""

import asyncio
import random
import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, insert, select, update

from asyncio_app import upstream
from asyncio_app.arguments import COUNT, MAX_ID, MILLISECONDS, SECONDS, number, only_on, todo_from_body, whole_number
from asyncio_app.db import database
from asyncio_app.info import facts
from asyncio_app.tables import SEEDS, todos

views = Blueprint("views", __name__)


@views.get("/")
async def index() -> ResponseReturnValue:
    return {"message": "Hello, world"}


@views.get("/sleep/python/")
async def sleep_python() -> ResponseReturnValue:
    await asyncio.sleep(number("seconds", 5, SECONDS))
    rows = await database.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.get("/sleep/postgres/")
async def sleep_postgres() -> ResponseReturnValue:
    only_on("postgres")
    async with database.connection() as connection:
        await connection.execute(select(func.pg_sleep(number("seconds", 5, SECONDS))))
        rows = await connection.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.get("/sleep/mysql/")
async def sleep_mysql() -> ResponseReturnValue:
    only_on("mysql")
    async with database.connection() as connection:
        await connection.execute(select(func.sleep(number("seconds", 5, SECONDS))))
        rows = await connection.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.get("/queries/")
async def queries() -> ResponseReturnValue:
    count = whole_number("count", 1, COUNT)
    rows = []
    async with database.connection() as connection:
        for key in random.Random(count).choices(range(1, SEEDS + 1), k=count):
            row = await connection.fetch_one(select(todos).where(todos.c.id == key))
            rows.append(dict(row._mapping) if row else None)
    return rows


@views.get("/todos/")
async def list_todos() -> ResponseReturnValue:
    rows = await database.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.post("/todos/")
async def create_todo() -> ResponseReturnValue:
    values = todo_from_body(partial=False)
    key = await database.execute(insert(todos).values(values))
    return {"id": key, **values}, 201


@views.get(f"/todos/<int(max={MAX_ID}):key>")
async def read_todo(key: int) -> ResponseReturnValue:
    row = await database.fetch_one(select(todos).where(todos.c.id == key))
    return dict(row._mapping) if row else abort(404, f"there is no todo {key}")


@views.patch(f"/todos/<int(max={MAX_ID}):key>")
async def update_todo(key: int) -> ResponseReturnValue:
    async with database.connection() as connection:
        await connection.execute(update(todos).where(todos.c.id == key).values(todo_from_body(partial=True)))
        row = await connection.fetch_one(select(todos).where(todos.c.id == key))
    return dict(row._mapping) if row else abort(404, f"there is no todo {key}")


@views.delete(f"/todos/<int(max={MAX_ID}):key>")
async def delete_todo(key: int) -> ResponseReturnValue:
    async with database.connection() as connection:
        row = await connection.fetch_one(select(todos.c.id).where(todos.c.id == key))
        await connection.execute(delete(todos).where(todos.c.id == key))
    return ("", 204) if row else abort(404, f"there is no todo {key}")


@views.get("/fanout/")
async def fanout() -> ResponseReturnValue:
    count = whole_number("count", 10, COUNT)
    seconds = number("seconds", 0.1, SECONDS)
    return list(await asyncio.gather(*(upstream.fetch(seconds) for _ in range(count))))


@views.get("/mixed/")
async def mixed() -> ResponseReturnValue:
    seconds = number("seconds", 0.1, SECONDS)
    row = await database.fetch_one(select(todos).where(todos.c.id == 1))
    return {"todo": dict(row._mapping) if row else None, "upstream": await upstream.fetch(seconds)}


@views.get("/cpu/")
async def cpu() -> ResponseReturnValue:
    milliseconds = number("milliseconds", 10, MILLISECONDS)
    end_ns = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end_ns:
        pass
    return {"milliseconds": milliseconds}


@views.get("/stream/")
async def stream() -> ResponseReturnValue:
    count = whole_number("count", 5, COUNT)
    seconds = number("seconds", 0.1, SECONDS)
    sleep = current_app.ensure_sync(asyncio.sleep)

    def events() -> Iterator[str]:
        yield f"data: 1 of {count}\n\n"
        for event in range(2, count + 1):
            sleep(seconds)
            yield f"data: {event} of {count}\n\n"

    return Response(events(), mimetype="text/event-stream")


@views.get("/info")
async def info() -> ResponseReturnValue:
    return facts()
