"""`python -m gevent_app` serves the application; `python -m gevent_app -c` creates its table and 50 todos."""

import argparse
import os
import sys

import sqlalchemy.exc

from gevent_app import create_app
from gevent_app.config import refuse
from gevent_app.db import create_tables


def create() -> None:
    """Create and fill the table, once."""
    try:
        with create_app().app_context():
            created = create_tables()
    except (ValueError, ImportError, sqlalchemy.exc.DBAPIError) as error:
        refuse(f"nothing was created: {str(getattr(error, 'orig', error)).splitlines()[0]}; check DATABASE_URL")
    print("created table todos with 50 rows" if created else "table todos is there; nothing changed")


def serve(port: int) -> None:
    """Become the server."""
    bind = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--bind", bind, "gevent_app.wsgi:app"]
    os.execv(sys.executable, command)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m gevent_app", description=__doc__)
    parser.add_argument("-c", "--create", action="store_true", help="create the table and 50 todos, then end")
    parser.add_argument("-p", "--port", type=int, default=8000, help="port to serve on (8000)")
    arguments = parser.parse_args()
    create() if arguments.create else serve(arguments.port)


if __name__ == "__main__":
    main()
