"""A gunicorn configuration for its gevent worker: psycopg2 waits cooperatively, whatever application is served.

gunicorn imports the application after this hook, so nothing is connected yet. psycogreen's own page has it so:
https://github.com/psycopg/psycogreen#module-psycogreengevent
"""

from typing import Any

from psycogreen.gevent import patch_psycopg


def post_fork(server: Any, worker: Any) -> None:
    """Called by gunicorn in each worker when it has started."""
    patch_psycopg()
