"""The contract in Quart, whose views are Flask's with `await` before what waits: no bridge, the loop is its own.

Quart's documentation: https://quart.palletsprojects.com/en/latest/how_to_guides/flask_migration.html
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator

from databases import Database
from quart import Quart, Response, request
from quart.typing import ResponseReturnValue
from sqlalchemy import delete, func, insert, select, update
from werkzeug.exceptions import HTTPException

from asyncio_app.statements import compile_once
from reference_apps import arguments, settings, upstream
from reference_apps.arguments import MAX_ID, SEEDS, Refused
from reference_apps.facts import facts
from reference_apps.tables import todos

app = Quart(__name__)
app.config["MAX_CONTENT_LENGTH"] = settings.MAX_BODY_BYTES
database = Database(settings.DATABASE_URL, **settings.DATABASES_POOL)
compile_once(database)


@app.while_serving
async def lifespan() -> AsyncGenerator[None]:
    async with database, upstream.client:
        yield


@app.errorhandler(HTTPException)
async def error_as_json(error: HTTPException) -> ResponseReturnValue:
    headers = [(name, value) for name, value in error.get_headers() if name.lower() == "allow"]
    return {"error": error.description}, error.code or 500, headers


@app.errorhandler(Refused)
async def refused_as_json(error: Refused) -> ResponseReturnValue:
    return {"error": error.message}, error.status


def argument(name: str, default: str) -> str:
    return request.args.get(name, default)


async def body() -> bytes:
    arguments.check_is_json(request.content_type)
    return await request.data


@app.get("/")
async def index() -> ResponseReturnValue:
    return {"message": "Hello, world"}


@app.get("/sleep/python/")
async def sleep_python() -> ResponseReturnValue:
    await asyncio.sleep(arguments.seconds(argument("seconds", "5")))
    rows = await database.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@app.get("/sleep/postgres/")
async def sleep_postgres() -> ResponseReturnValue:
    seconds = arguments.seconds(argument("seconds", "5"))
    async with database.connection() as connection:
        await connection.execute(select(func.pg_sleep(seconds)))
        rows = await connection.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@app.get("/queries/")
async def queries() -> ResponseReturnValue:
    count = arguments.count(argument("count", "1"))
    rows = []
    async with database.connection() as connection:
        for key in random.Random(count).choices(range(1, SEEDS + 1), k=count):
            row = await connection.fetch_one(select(todos).where(todos.c.id == key))
            rows.append(dict(row._mapping) if row else None)
    return rows


@app.get("/todos/")
async def list_todos() -> ResponseReturnValue:
    rows = await database.fetch_all(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@app.post("/todos/")
async def create_todo() -> ResponseReturnValue:
    values = arguments.new_todo(await body())
    key = await database.fetch_val(insert(todos).values(values).returning(todos.c.id))
    return {"id": key, **values}, 201


@app.get(f"/todos/<int(max={MAX_ID}):key>")
async def read_todo(key: int) -> ResponseReturnValue:
    row = await database.fetch_one(select(todos).where(todos.c.id == key))
    return dict(row._mapping) if row else missing(key)


@app.patch(f"/todos/<int(max={MAX_ID}):key>")
async def update_todo(key: int) -> ResponseReturnValue:
    values = arguments.todo_changes(await body())
    async with database.connection() as connection:
        await connection.execute(update(todos).where(todos.c.id == key).values(values))
        row = await connection.fetch_one(select(todos).where(todos.c.id == key))
    return dict(row._mapping) if row else missing(key)


@app.delete(f"/todos/<int(max={MAX_ID}):key>")
async def delete_todo(key: int) -> ResponseReturnValue:
    async with database.connection() as connection:
        row = await connection.fetch_one(select(todos.c.id).where(todos.c.id == key))
        await connection.execute(delete(todos).where(todos.c.id == key))
    return ("", 204) if row else missing(key)


@app.get("/fanout/")
async def fanout() -> ResponseReturnValue:
    count = arguments.count(argument("count", "10"))
    seconds = arguments.seconds(argument("seconds", "0.1"))
    return list(await asyncio.gather(*(upstream.fetch(seconds) for _ in range(count))))


@app.get("/mixed/")
async def mixed() -> ResponseReturnValue:
    seconds = arguments.seconds(argument("seconds", "0.1"))
    row = await database.fetch_one(select(todos).where(todos.c.id == 1))
    return {"todo": dict(row._mapping) if row else None, "upstream": await upstream.fetch(seconds)}


@app.get("/cpu/")
async def cpu() -> ResponseReturnValue:
    milliseconds = arguments.milliseconds(argument("milliseconds", "10"))
    end_ns = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end_ns:
        pass
    return {"milliseconds": milliseconds}


@app.get("/stream/")
async def stream() -> ResponseReturnValue:
    count = arguments.count(argument("count", "5"))
    seconds = arguments.seconds(argument("seconds", "0.1"))

    async def events() -> AsyncIterator[str]:
        yield f"data: 1 of {count}\n\n"
        for event in range(2, count + 1):
            await asyncio.sleep(seconds)
            yield f"data: {event} of {count}\n\n"

    response = Response(events(), mimetype="text/event-stream")
    response.timeout = None  # else Quart ends a stream after a minute
    return response


@app.get("/info")
async def info() -> ResponseReturnValue:
    return facts(__name__, "asyncpg")


def missing(key: int) -> ResponseReturnValue:
    return {"error": f"there is no todo {key}"}, 404
