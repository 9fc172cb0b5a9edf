"""gunicorn's configuration for its gevent worker: psycopg2 gives way while it waits.

It is no module of the package `shop`, and imports nothing of it: gunicorn reads its configuration before it patches the
standard library, and what is imported by then keeps the locks of real threads, on which a greenlet stops all others.
https://github.com/psycopg/psycogreen#module-psycogreengevent
"""

from psycogreen.gevent import patch_psycopg


def post_fork(server: object, worker: object) -> None:
    """The standard library is patched by now, and the application is not imported yet."""
    patch_psycopg()
