"""gevent_app on another data layer: its own application, with the views replaced that use the database.

Beside it: async_views.py, the same functions in the same order.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flask import Flask, abort
from flask.typing import ResponseReturnValue

from gevent_app import create_app, upstream
from gevent_app.arguments import COUNT, SECONDS, number, only_on, todo_from_body, whole_number
from gevent_app.info import facts
from gevent_app.tables import SEEDS, seeds

Row = dict[str, Any]


class Layer(Protocol):
    """What the views ask of a data layer; each call has one connection from the pool, and one transaction."""

    @property
    def driver(self) -> str: ...
    def hold(self) -> None: ...
    def sleep(self, seconds: float) -> list[Row]: ...
    def all(self) -> list[Row]: ...
    def some(self, keys: Sequence[int]) -> list[Row | None]: ...
    def add(self, values: Row) -> int: ...
    def change(self, key: int, values: Row) -> Row | None: ...
    def remove(self, key: int) -> bool: ...


def on_layer(name: str, layer: Layer) -> Flask:
    """The application on a data layer; `name` is what `/info` says of it."""
    app = create_app()
    # Flask-SQLAlchemy's own, which ends its session after each request; a layer with a session ends it by itself.
    app.teardown_appcontext_funcs.clear()

    def sleep_python() -> ResponseReturnValue:
        time.sleep(number("seconds", 5, SECONDS))
        return layer.all()

    def sleep_postgres() -> ResponseReturnValue:
        only_on("postgres")
        return layer.sleep(number("seconds", 5, SECONDS))

    def queries() -> ResponseReturnValue:
        count = whole_number("count", 1, COUNT)
        return layer.some(random.Random(count).choices(range(1, SEEDS + 1), k=count))

    def list_todos() -> ResponseReturnValue:
        return layer.all()

    def create_todo() -> ResponseReturnValue:
        values = todo_from_body(partial=False)
        return {"id": layer.add(values), **values}, 201

    def read_todo(key: int) -> ResponseReturnValue:
        (row,) = layer.some([key])
        return row or abort(404, f"there is no todo {key}")

    def update_todo(key: int) -> ResponseReturnValue:
        row = layer.change(key, todo_from_body(partial=True))
        return row or abort(404, f"there is no todo {key}")

    def delete_todo(key: int) -> ResponseReturnValue:
        return ("", 204) if layer.remove(key) else abort(404, f"there is no todo {key}")

    def mixed() -> ResponseReturnValue:
        seconds = number("seconds", 0.1, SECONDS)
        (row,) = layer.some([1])
        return {"todo": row, "upstream": upstream.fetch(seconds)}

    def info() -> ResponseReturnValue:
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
    return app


def add_parts(app: Flask, hold: Callable[[], object]) -> None:
    """Add what the scenario `layers` asks for: parts of what /queries/ does, and waits.

    `hold` takes a connection from the pool and gives it back.
    """

    @app.get("/rows/")
    def rows() -> ResponseReturnValue:
        """All that /queries/ does without the database."""
        count = whole_number("count", 1, COUNT)
        return [ROWS[key - 1] for key in random.Random(count).choices(range(1, SEEDS + 1), k=count)]

    @app.get("/connection/")
    def connection() -> ResponseReturnValue:
        """That, and a connection, without a statement."""
        count = whole_number("count", 1, COUNT)
        hold()
        return [ROWS[key - 1] for key in random.Random(count).choices(range(1, SEEDS + 1), k=count)]

    @app.get("/waits/")
    def waits() -> ResponseReturnValue:
        """So many short waits in Python, one after the other."""
        for _ in range(whole_number("count", 1, COUNT)):
            time.sleep(SHORT_S)
        return []


SHORT_S = 0.001
# As the database has them.
ROWS = [{"id": key, **values} for key, values in enumerate(seeds(), start=1)]
