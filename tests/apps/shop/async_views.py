"""The views that change where they are to wait on the event loop, and how they then look.

Everything else of the app stays: sign-in and upload are `def` views, in threads, on Flask-SQLAlchemy and psycopg2.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from sqlalchemy import NullPool, func, make_url, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

import shop
from loopbridge import LoopBridge
from shop.models import Line, Note, Order, User, db

# A connection belongs to the loop that opened it. Flask's test client and `flask run` have a loop for every request.
POOL: dict[str, Any] = {"poolclass": NullPool} if "SHOP_NO_POOL" in os.environ else {"pool_size": 15, "max_overflow": 0}
engine = create_async_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg"), **POOL)
sessions = async_sessionmaker(engine, expire_on_commit=False)
client = httpx.AsyncClient(timeout=30, trust_env=False)
tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps weak references only


async def find_user(key: str) -> User | None:
    async with sessions() as session:
        return await session.get(User, int(key))


def load_user(key: str) -> User | None:
    """Flask-Login calls it without `await`. The app is asked at each call, since the bridge changes what it says."""
    return current_app.ensure_sync(find_user)(key)


@login_required
async def list_orders() -> ResponseReturnValue:
    query = select(Order).where(Order.user_id == current_user.id).order_by(Order.id)
    async with sessions() as session:
        orders = (await session.scalars(query.options(selectinload(Order.lines)))).all()
    return render_template("orders.html", orders=orders)


@login_required
async def create_order() -> ResponseReturnValue:
    order = Order(user_id=current_user.id, note=request.form["note"])
    order.lines = [Line(product=product) for product in request.form.getlist("product")]
    async with sessions() as session:
        session.add(order)
        await session.commit()
    return {"id": order.id, "note": order.note}, 201


async def report() -> ResponseReturnValue:
    async with sessions() as session:
        await session.execute(select(func.pg_sleep(float(request.args["seconds"]))))
        return {"orders": await session.scalar(select(func.count()).select_from(Order))}


async def stock() -> ResponseReturnValue:
    answer = await client.get(current_app.config["UPSTREAM_URL"], params={"seconds": request.args["seconds"]})
    answer.raise_for_status()
    return answer.json()


async def audit() -> ResponseReturnValue:
    """A session of its own, in place of one from a registry."""
    async with sessions() as session:
        session.info["who"] = request.form["who"]
        await session.execute(select(func.pg_sleep(float(request.form["seconds"]))))
        session.add(Note(text=f"audit {request.form['who']}"))
        await session.commit()
        return {"who": session.info["who"]}


async def write_note(text: str) -> None:
    async with sessions() as session:
        session.add(Note(text=text))
        await session.commit()


async def in_task() -> ResponseReturnValue:
    task = asyncio.create_task(write_note(request.form["text"]))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return {}, 202


async def stop() -> ResponseReturnValue:
    answer = 6 * 7
    breakpoint()
    return {"answer": answer}


def pool() -> ResponseReturnValue:
    return {"checked_out": db.engine.pool.checkedout() + engine.pool.checkedout()}


def create_app() -> Flask:
    """The app with these views."""
    app = shop.create_app()
    app.login_manager.user_loader(load_user)
    app.view_functions |= {
        "orders.list_orders": list_orders,
        "orders.create_order": create_order,
        "orders.report": report,
        "supplier.stock": stock,
        "audit.write": audit,
        "background.in_thread": in_task,
        "background.in_executor": in_task,
        "operations.stop": stop,
        "operations.pool": pool,
    }
    return app


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    async with client:
        yield
    await engine.dispose()


def on_the_loop() -> LoopBridge:
    """`uvicorn --factory shop.async_views:on_the_loop`"""
    return LoopBridge(create_app(), lifespan=lifespan)
