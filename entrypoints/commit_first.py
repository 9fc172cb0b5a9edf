"""gevent_app with a `/mixed/` that ends its transaction before it calls, so that nobody waits for its connection.

SQLAlchemy's session takes a connection for its first statement and gives it back when the transaction ends; Flask-
SQLAlchemy ends it with the request. What the view needs of the row it must read before the commit, or read anew.

https://docs.sqlalchemy.org/en/20/orm/session_basics.html
"""

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from gevent_app import upstream
from gevent_app.arguments import SECONDS, number
from gevent_app.db import db
from gevent_app.tables import todos
from gevent_app.wsgi import app

__all__ = ["app"]


def mixed() -> ResponseReturnValue:
    """The view of gevent_app, and a commit between its read and its call."""
    seconds = number("seconds", 0.1, SECONDS)
    row = db.session.execute(select(todos).where(todos.c.id == 1)).first()
    db.session.commit()
    return {"todo": dict(row._mapping) if row else None, "upstream": upstream.fetch(seconds)}


app.view_functions["views.mixed"] = mixed
