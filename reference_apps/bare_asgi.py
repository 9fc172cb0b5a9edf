"""The floor: a bare ASGI callable with raw asyncpg, no framework, no SQL toolkit. Nobody builds an application so.

It shows what the server, the driver and Python's JSON cost by themselves.
The interface: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import asyncpg

from reference_apps import arguments, settings, upstream
from reference_apps.arguments import MAX_ID, SEEDS, WORDS, Refused, json_bytes
from reference_apps.facts import facts

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
View = Callable[..., Awaitable[object]]

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
ALL_TODOS = "SELECT id, title, done, priority FROM todos ORDER BY id"
ONE_TODO = "SELECT id, title, done, priority FROM todos WHERE id = $1"

pool: asyncpg.Pool


class Request:
    """What a view asks of its request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.query = dict(reversed(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)))

    async def body(self) -> bytes:
        headers = dict(self.scope["headers"])
        arguments.check_is_json(headers.get(b"content-type", b"").decode("latin-1"))
        return await arguments.limited(self.chunks())

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            message = await self.receive()
            yield message.get("body", b"")
            if not message.get("more_body"):
                return

    async def respond(self, status: int, body: bytes = b"", *headers: tuple[bytes, bytes]) -> None:
        if body:
            headers = (*headers, (b"content-length", b"%d" % len(body)))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


async def index(request: Request) -> object:
    return {"message": "Hello, world"}


async def sleep_python(request: Request) -> object:
    await asyncio.sleep(arguments.seconds(request.query.get("seconds", "5")))
    return [dict(row) for row in await pool.fetch(ALL_TODOS)]


async def sleep_postgres(request: Request) -> object:
    seconds = arguments.seconds(request.query.get("seconds", "5"))
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_sleep($1)", seconds)
        return [dict(row) for row in await connection.fetch(ALL_TODOS)]


async def queries(request: Request) -> object:
    count = arguments.count(request.query.get("count", "1"))
    keys = random.Random(count).choices(range(1, SEEDS + 1), k=count)
    async with pool.acquire() as connection:
        rows = [await connection.fetchrow(ONE_TODO, key) for key in keys]
    return [dict(row) if row else None for row in rows]


async def list_todos(request: Request) -> object:
    return [dict(row) for row in await pool.fetch(ALL_TODOS)]


async def create_todo(request: Request) -> object:
    values = arguments.new_todo(await request.body())
    insert = "INSERT INTO todos (title, done, priority) VALUES ($1, $2, $3) RETURNING id"
    key = await pool.fetchval(insert, values["title"], values["done"], values["priority"])
    await request.respond(201, json_bytes({"id": key, **values}), JSON)
    return None


async def read_todo(request: Request, key: int) -> object:
    row = await pool.fetchrow(ONE_TODO, key)
    return dict(row) if row else missing(key)


async def update_todo(request: Request, key: int) -> object:
    values = arguments.todo_changes(await request.body())
    columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=2))
    async with pool.acquire() as connection:
        await connection.execute(f"UPDATE todos SET {columns} WHERE id = $1", key, *values.values())
        row = await connection.fetchrow(ONE_TODO, key)
    return dict(row) if row else missing(key)


async def delete_todo(request: Request, key: int) -> object:
    async with pool.acquire() as connection:
        row = await connection.fetchrow("SELECT id FROM todos WHERE id = $1", key)
        await connection.execute("DELETE FROM todos WHERE id = $1", key)
    if not row:
        missing(key)
    await request.respond(204)
    return None


async def fanout(request: Request) -> object:
    count = arguments.count(request.query.get("count", "10"))
    seconds = arguments.seconds(request.query.get("seconds", "0.1"))
    return await asyncio.gather(*(upstream.fetch(seconds) for _ in range(count)))


async def mixed(request: Request) -> object:
    seconds = arguments.seconds(request.query.get("seconds", "0.1"))
    row = await pool.fetchrow(ONE_TODO, 1)
    return {"todo": dict(row) if row else None, "upstream": await upstream.fetch(seconds)}


async def cpu(request: Request) -> object:
    milliseconds = arguments.milliseconds(request.query.get("milliseconds", "10"))
    end_ns = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end_ns:
        pass
    return {"milliseconds": milliseconds}


async def stream(request: Request) -> object:
    count = arguments.count(request.query.get("count", "5"))
    seconds = arguments.seconds(request.query.get("seconds", "0.1"))
    await request.send({"type": "http.response.start", "status": 200, "headers": [EVENTS]})
    for event in range(1, count + 1):
        body = b"data: %d of %d\n\n" % (event, count)
        await request.send({"type": "http.response.body", "body": body, "more_body": event < count})
        if event < count:
            await asyncio.sleep(seconds)
    return None


async def info(request: Request) -> object:
    return facts(__name__, "asyncpg")


def missing(key: int) -> NoReturn:
    raise Refused(404, f"there is no todo {key}")


ROUTES: dict[str, dict[str, View]] = {
    "/": {"GET": index},
    "/sleep/python/": {"GET": sleep_python},
    "/sleep/postgres/": {"GET": sleep_postgres},
    "/queries/": {"GET": queries},
    "/todos/": {"GET": list_todos, "POST": create_todo},
    "/fanout/": {"GET": fanout},
    "/mixed/": {"GET": mixed},
    "/cpu/": {"GET": cpu},
    "/stream/": {"GET": stream},
    "/info": {"GET": info},
}
TODO: dict[str, View] = {"GET": read_todo, "PATCH": update_todo, "DELETE": delete_todo}


def find(path: str) -> tuple[dict[str, View], tuple[int, ...]]:
    """The views of a path by method, and the id that is in the path. Raises Refused."""
    if views := ROUTES.get(path):
        return views, ()
    key = path.removeprefix("/todos/")
    if key != path and key.isascii() and key.isdigit() and int(key[:11]) <= MAX_ID:
        return TODO, (int(key),)
    raise Refused(404)


async def answer(request: Request) -> None:
    """Call the view; what it returns is the JSON of a 200, unless it has answered by itself."""
    views, keys = find(request.scope["path"])
    method = "GET" if request.scope["method"] == "HEAD" else request.scope["method"]
    if method not in views:
        allowed = ", ".join([*views, "HEAD"])
        await request.respond(405, json_bytes({"error": WORDS[405]}), JSON, (b"allow", allowed.encode()))
    elif (content := await views[method](request, *keys)) is not None:
        await request.respond(200, json_bytes(content), JSON)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return await serve_lifespan(receive, send)
    request = Request(scope, receive, send)
    try:
        await answer(request)
    except Refused as error:
        await request.respond(error.status, json_bytes({"error": error.message}), JSON)


async def serve_lifespan(receive: Receive, send: Send) -> None:
    """Hold the pool and the upstream's connections open from the server's start-up to its shut-down."""
    global pool
    await receive()
    pool = asyncpg.create_pool(settings.DATABASE_URL, server_settings=settings.SERVER_SETTINGS, **settings.ASYNCPG_POOL)
    async with pool, upstream.client:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
