"""What those ask who run the shop: is it alive, and has every connection come back? And where a debugger stops."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.pool import QueuePool

from shop.models import db

views = Blueprint("operations", __name__)


@views.get("/health")
def health() -> ResponseReturnValue:
    return {"alive": True}


@views.get("/pool")
def pool() -> ResponseReturnValue:
    assert isinstance(db.engine.pool, QueuePool)
    return {"checked_out": db.engine.pool.checkedout()}


@views.get("/stop")
def stop() -> ResponseReturnValue:
    answer = 6 * 7
    breakpoint()
    return {"answer": answer}


@views.get("/broken")
def broken() -> ResponseReturnValue:
    answer = 6 * 7
    raise LookupError(f"broken after {answer}")
