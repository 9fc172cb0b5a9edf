"""The contract in Flask's async views on Tortoise ORM, with aiohttp for the outgoing calls.

aiohttp, because many calls at once cost httpx far more than they cost it (encode/httpx#3215).
https://tortoise.github.io/getting_started.html and https://docs.aiohttp.org/en/stable/client_quickstart.html
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
from flask import Response, abort
from flask.typing import ResponseReturnValue
from tortoise import Tortoise, fields
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.models import Model
from tortoise.transactions import in_transaction

from loopbridge import LoopBridge
from reference_apps import arguments, settings
from reference_apps.arguments import MAX_ID, SEEDS, TITLE_LENGTH, upstream_failed
from reference_apps.facts import facts
from reference_apps.flask_parts import argument, body, create_app

flask_app = create_app(__name__)
http: aiohttp.ClientSession


class Todo(Model):
    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=TITLE_LENGTH)
    done = fields.BooleanField()
    priority = fields.IntField()

    class Meta:
        table = "todos"


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    global http
    connection = expand_db_url(settings.DATABASE_URL)
    connection["credentials"] |= settings.TORTOISE_POOL | {"schema": settings.DATABASE_SCHEMA}
    apps = {"todos": {"models": [__name__], "default_connection": "default"}}
    # Requests run in contexts of their own, which do not descend from this one: hence the fallback.
    await Tortoise.init({"connections": {"default": connection}, "apps": apps}, _enable_global_fallback=True)
    await Todo.exists()  # opens the pool
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=90)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        yield
    await Tortoise.close_connections()


app = LoopBridge(flask_app, lifespan=lifespan)


@flask_app.get("/")
async def index() -> ResponseReturnValue:
    return {"message": "Hello, world"}


@flask_app.get("/sleep/python/")
async def sleep_python() -> ResponseReturnValue:
    await asyncio.sleep(arguments.seconds(argument("seconds", "5")))
    return await Todo.all().order_by("id").values()


@flask_app.get("/sleep/postgres/")
async def sleep_postgres() -> ResponseReturnValue:
    seconds = arguments.seconds(argument("seconds", "5"))
    async with in_transaction() as connection:
        await connection.execute_query("SELECT pg_sleep($1)", [seconds])
        return await Todo.all().order_by("id").using_db(connection).values()


@flask_app.get("/queries/")
async def queries() -> ResponseReturnValue:
    count = arguments.count(argument("count", "1"))
    keys = random.Random(count).choices(range(1, SEEDS + 1), k=count)
    return [await Todo.get_or_none(id=key).values() for key in keys]


@flask_app.get("/todos/")
async def list_todos() -> ResponseReturnValue:
    return await Todo.all().order_by("id").values()


@flask_app.post("/todos/")
async def create_todo() -> ResponseReturnValue:
    values = arguments.new_todo(body())
    todo = await Todo.create(**values)
    return {"id": todo.id, **values}, 201


@flask_app.get(f"/todos/<int(max={MAX_ID}):key>")
async def read_todo(key: int) -> ResponseReturnValue:
    row = await Todo.get_or_none(id=key).values()
    return row or abort(404, f"there is no todo {key}")


@flask_app.patch(f"/todos/<int(max={MAX_ID}):key>")
async def update_todo(key: int) -> ResponseReturnValue:
    values = arguments.todo_changes(body())
    async with in_transaction():
        await Todo.filter(id=key).update(**values)
        row = await Todo.get_or_none(id=key).values()
    return row or abort(404, f"there is no todo {key}")


@flask_app.delete(f"/todos/<int(max={MAX_ID}):key>")
async def delete_todo(key: int) -> ResponseReturnValue:
    async with in_transaction():
        row = await Todo.get_or_none(id=key).values("id")
        await Todo.filter(id=key).delete()
    return ("", 204) if row else abort(404, f"there is no todo {key}")


@flask_app.get("/fanout/")
async def fanout() -> ResponseReturnValue:
    count = arguments.count(argument("count", "10"))
    seconds = arguments.seconds(argument("seconds", "0.1"))
    return list(await asyncio.gather(*(fetch(seconds) for _ in range(count))))


@flask_app.get("/mixed/")
async def mixed() -> ResponseReturnValue:
    seconds = arguments.seconds(argument("seconds", "0.1"))
    row = await Todo.get_or_none(id=1).values()
    return {"todo": row, "upstream": await fetch(seconds)}


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


async def fetch(seconds: float) -> object:
    """One call that the upstream answers after that many seconds. Raises Refused if it fails."""
    try:
        async with http.get(settings.UPSTREAM_URL, params={"seconds": seconds}, raise_for_status=True) as response:
            return await response.json()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise upstream_failed(error) from error
