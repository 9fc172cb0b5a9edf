"""The endpoints. Beside it: asyncio_app/views.py, the same functions in the same order."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, insert, select, update

from gevent_app import upstream
from gevent_app.arguments import COUNT, MAX_ID, MILLISECONDS, SECONDS, number, only_on, todo_from_body, whole_number
from gevent_app.db import db
from gevent_app.info import facts
from gevent_app.tables import SEEDS, todos

views = Blueprint("views", __name__)


@views.get("/")
def index() -> ResponseReturnValue:
    return {"message": "Hello, world"}


@views.get("/sleep/python/")
def sleep_python() -> ResponseReturnValue:
    time.sleep(number("seconds", 5, SECONDS))
    rows = db.session.execute(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.get("/sleep/postgres/")
def sleep_postgres() -> ResponseReturnValue:
    only_on("postgres")
    db.session.execute(select(func.pg_sleep(number("seconds", 5, SECONDS))))
    rows = db.session.execute(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.get("/sleep/mysql/")
def sleep_mysql() -> ResponseReturnValue:
    only_on("mysql")
    db.session.execute(select(func.sleep(number("seconds", 5, SECONDS))))
    rows = db.session.execute(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.get("/queries/")
def queries() -> ResponseReturnValue:
    count = whole_number("count", 1, COUNT)
    rows = []
    for key in random.Random(count).choices(range(1, SEEDS + 1), k=count):
        row = db.session.execute(select(todos).where(todos.c.id == key)).first()
        rows.append(dict(row._mapping) if row else None)
    return rows


@views.get("/todos/")
def list_todos() -> ResponseReturnValue:
    rows = db.session.execute(select(todos).order_by(todos.c.id))
    return [dict(row._mapping) for row in rows]


@views.post("/todos/")
def create_todo() -> ResponseReturnValue:
    values = todo_from_body(partial=False)
    (key,) = db.session.execute(insert(todos).values(values)).inserted_primary_key  # type: ignore[attr-defined]
    db.session.commit()
    return {"id": key, **values}, 201


@views.get(f"/todos/<int(max={MAX_ID}):key>")
def read_todo(key: int) -> ResponseReturnValue:
    row = db.session.execute(select(todos).where(todos.c.id == key)).first()
    return dict(row._mapping) if row else abort(404, f"there is no todo {key}")


@views.patch(f"/todos/<int(max={MAX_ID}):key>")
def update_todo(key: int) -> ResponseReturnValue:
    db.session.execute(update(todos).where(todos.c.id == key).values(todo_from_body(partial=True)))
    db.session.commit()
    row = db.session.execute(select(todos).where(todos.c.id == key)).first()
    return dict(row._mapping) if row else abort(404, f"there is no todo {key}")


@views.delete(f"/todos/<int(max={MAX_ID}):key>")
def delete_todo(key: int) -> ResponseReturnValue:
    row = db.session.execute(select(todos.c.id).where(todos.c.id == key)).first()
    db.session.execute(delete(todos).where(todos.c.id == key))
    db.session.commit()
    return ("", 204) if row else abort(404, f"there is no todo {key}")


@views.get("/fanout/")
def fanout() -> ResponseReturnValue:
    count = whole_number("count", 10, COUNT)
    seconds = number("seconds", 0.1, SECONDS)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(upstream.fetch, [seconds] * count))


@views.get("/mixed/")
def mixed() -> ResponseReturnValue:
    seconds = number("seconds", 0.1, SECONDS)
    row = db.session.execute(select(todos).where(todos.c.id == 1)).first()
    return {"todo": dict(row._mapping) if row else None, "upstream": upstream.fetch(seconds)}


@views.get("/cpu/")
def cpu() -> ResponseReturnValue:
    milliseconds = number("milliseconds", 10, MILLISECONDS)
    end_ns = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end_ns:
        pass
    return {"milliseconds": milliseconds}


@views.get("/stream/")
def stream() -> ResponseReturnValue:
    count = whole_number("count", 5, COUNT)
    seconds = number("seconds", 0.1, SECONDS)

    def events() -> Iterator[str]:
        yield f"data: 1 of {count}\n\n"
        for event in range(2, count + 1):
            time.sleep(seconds)
            yield f"data: {event} of {count}\n\n"

    return Response(events(), mimetype="text/event-stream")


@views.get("/info")
def info() -> ResponseReturnValue:
    return facts()
