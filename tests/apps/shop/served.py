"""The app for ASGI servers, each way a factory: `uvicorn --factory shop.served:in_threads`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from asgiref.wsgi import WsgiToAsgi
from flask import g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import scoped_session, sessionmaker
from sqlalchemy.util import greenlet_spawn

from loopbridge import LoopBridge
from shop import audit, background, create_app


def in_threads() -> LoopBridge:
    """`def` views in the bridge, in threads."""
    return LoopBridge(create_app())


def inline() -> LoopBridge:
    """`def` views in the bridge, on the loop's own thread; DATABASE_URL names asyncpg."""
    return LoopBridge(create_app(), sync_views="inline")


def inline_changed() -> LoopBridge:
    """The same with what has to change there: a registry by request, and tasks in place of threads."""
    audit.registry = scoped_session(sessionmaker(), scopefunc=lambda: id(g._get_current_object()))
    app = create_app()
    app.view_functions |= {"background.in_thread": in_task, "background.in_executor": in_task}
    return LoopBridge(app, sync_views="inline")


def adapter() -> WsgiToAsgi:
    """What Flask's documentation shows for ASGI servers."""
    return WsgiToAsgi(create_app())


def coroutines() -> LoopBridge:
    """`async def` before every view, and nothing else changed."""
    app = create_app()
    app.view_functions = {name: coroutine(view) for name, view in app.view_functions.items()}
    return LoopBridge(app)


def coroutine(view: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """The view as a coroutine function that never gives way to the loop."""

    async def call(**arguments: Any) -> Any:
        return view(**arguments)

    return call


tasks: set[asyncio.Task[Any]] = set()  # the loop itself keeps weak references only


def in_task() -> ResponseReturnValue:
    """Background work that waits in SQLAlchemy, in a task and a greenlet of its own."""
    work = greenlet_spawn(background.write_note, background.application(), request.form["text"])
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return {}, 202
