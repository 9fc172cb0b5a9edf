"""A registry of sessions that the team made itself, before it knew Flask-SQLAlchemy's: one session for each thread."""

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from shop.models import Note, db

views = Blueprint("audit", __name__)
registry: scoped_session[Session] = scoped_session(sessionmaker())


def init_app(app: Flask) -> None:
    """Bind the registry to the application's engine, and end its session with each request."""
    with app.app_context():
        registry.configure(bind=db.engine)

    @app.teardown_appcontext
    def end_session(error: BaseException | None) -> None:
        registry.remove()


@views.post("/audit")
def write() -> ResponseReturnValue:
    """Who has the session is noted in it, and read again after a wait in the database."""
    registry().info["who"] = request.form["who"]
    registry.execute(select(func.pg_sleep(float(request.form["seconds"]))))
    registry.add(Note(text=f"audit {request.form['who']}"))
    registry.commit()
    return {"who": registry().info["who"]}
