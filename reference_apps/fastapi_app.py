"""The contract in FastAPI: parameters are declared by type, and pydantic hands them to the endpoint or refuses.

Endpoints return a response and no model, which lets an app choose its bytes. FastAPI's page on that advises models for
speed (https://fastapi.tiangolo.com/advanced/response-directly/); for answers of this size they took a little more CPU
time here, and returns without a type far more for fifty rows: this is FastAPI's best case.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from databases import Database
from fastapi import Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BeforeValidator
from sqlalchemy import delete, func, insert, select, update
from starlette.exceptions import HTTPException
from starlette.routing import Match

from asyncio_app.statements import compile_once
from reference_apps import arguments, settings, upstream
from reference_apps.arguments import MAX_ID, SEEDS, WORDS, Refused
from reference_apps.facts import facts
from reference_apps.tables import todos

database = Database(settings.DATABASE_URL, **settings.DATABASES_POOL)
compile_once(database)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with database, upstream.client:
        yield


app = FastAPI(openapi_url=None, lifespan=lifespan)


class JSON(JSONResponse):
    def render(self, content: Any) -> bytes:
        return arguments.json_bytes(content)


@app.exception_handler(HTTPException)
async def error_as_json(request: Request, error: HTTPException) -> Response:
    if error.status_code != 405:
        return JSON({"error": WORDS.get(error.status_code, error.detail)}, error.status_code)
    found = (route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE)
    allowed = {method for route in found for method in getattr(route, "methods", ())}
    return JSON({"error": WORDS[405]}, 405, {"allow": ", ".join(sorted(allowed))})


@app.exception_handler(Refused)
async def refused_as_json(request: Request, error: Refused) -> Response:
    return JSON({"error": error.message}, error.status)


@app.exception_handler(RequestValidationError)
async def no_such_id(request: Request, error: RequestValidationError) -> Response:
    return JSON({"error": WORDS[404]}, 404)  # an id above the limit is all that a type alone can refuse here


@app.exception_handler(Exception)
async def failed_as_json(request: Request, error: Exception) -> Response:
    return JSON({"error": WORDS[500]}, 500)


def get(path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`app.get` for HEAD too, which Flask does by itself."""
    return app.api_route(path, methods=["GET", "HEAD"])


async def body(request: Request) -> bytes:
    arguments.check_is_json(request.headers.get("content-type"))
    return await arguments.limited(request.stream())


Seconds = Annotated[float, BeforeValidator(arguments.seconds)]
Milliseconds = Annotated[float, BeforeValidator(arguments.milliseconds)]
Count = Annotated[int, BeforeValidator(arguments.count)]
Key = Annotated[int, Path(le=MAX_ID)]
Body = Annotated[bytes, Depends(body)]


@get("/")
async def index() -> Response:
    return JSON({"message": "Hello, world"})


@get("/sleep/python/")
async def sleep_python(seconds: Seconds = 5) -> Response:
    await asyncio.sleep(seconds)
    rows = await database.fetch_all(select(todos).order_by(todos.c.id))
    return JSON([dict(row._mapping) for row in rows])


@get("/sleep/postgres/")
async def sleep_postgres(seconds: Seconds = 5) -> Response:
    async with database.connection() as connection:
        await connection.execute(select(func.pg_sleep(seconds)))
        rows = await connection.fetch_all(select(todos).order_by(todos.c.id))
    return JSON([dict(row._mapping) for row in rows])


@get("/queries/")
async def queries(count: Count = 1) -> Response:
    rows = []
    async with database.connection() as connection:
        for key in random.Random(count).choices(range(1, SEEDS + 1), k=count):
            row = await connection.fetch_one(select(todos).where(todos.c.id == key))
            rows.append(dict(row._mapping) if row else None)
    return JSON(rows)


@get("/todos/")
async def list_todos() -> Response:
    rows = await database.fetch_all(select(todos).order_by(todos.c.id))
    return JSON([dict(row._mapping) for row in rows])


@app.post("/todos/")
async def create_todo(body: Body) -> Response:
    values = arguments.new_todo(body)
    key = await database.fetch_val(insert(todos).values(values).returning(todos.c.id))
    return JSON({"id": key, **values}, 201)


@get("/todos/{key:int}")
async def read_todo(key: Key) -> Response:
    row = await database.fetch_one(select(todos).where(todos.c.id == key))
    return JSON(dict(row._mapping)) if row else missing(key)


@app.patch("/todos/{key:int}")
async def update_todo(key: Key, body: Body) -> Response:
    values = arguments.todo_changes(body)
    async with database.connection() as connection:
        await connection.execute(update(todos).where(todos.c.id == key).values(values))
        row = await connection.fetch_one(select(todos).where(todos.c.id == key))
    return JSON(dict(row._mapping)) if row else missing(key)


@app.delete("/todos/{key:int}")
async def delete_todo(key: Key) -> Response:
    async with database.connection() as connection:
        row = await connection.fetch_one(select(todos.c.id).where(todos.c.id == key))
        await connection.execute(delete(todos).where(todos.c.id == key))
    return Response(status_code=204) if row else missing(key)


@get("/fanout/")
async def fanout(count: Count = 10, seconds: Seconds = 0.1) -> Response:
    return JSON(await asyncio.gather(*(upstream.fetch(seconds) for _ in range(count))))


@get("/mixed/")
async def mixed(seconds: Seconds = 0.1) -> Response:
    row = await database.fetch_one(select(todos).where(todos.c.id == 1))
    return JSON({"todo": dict(row._mapping) if row else None, "upstream": await upstream.fetch(seconds)})


@get("/cpu/")
async def cpu(milliseconds: Milliseconds = 10) -> Response:
    end_ns = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end_ns:
        pass
    return JSON({"milliseconds": milliseconds})


@get("/stream/")
async def stream(count: Count = 5, seconds: Seconds = 0.1) -> Response:
    async def events() -> AsyncIterator[str]:
        yield f"data: 1 of {count}\n\n"
        for event in range(2, count + 1):
            await asyncio.sleep(seconds)
            yield f"data: {event} of {count}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@get("/info")
async def info() -> Response:
    return JSON(facts(__name__, "asyncpg"))


def missing(key: int) -> Response:
    return JSON({"error": f"there is no todo {key}"}, 404)
