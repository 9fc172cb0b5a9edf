"""eventlet's own WSGI server: `python -m entrypoints.eventlet_wsgi --port 8000`.

gunicorn 26 has no eventlet worker any more (benoitc/gunicorn#3623), and eventlet's own documentation discourages new
use: it is kept alive for those who have it already, until they have moved away.

https://eventlet.readthedocs.io/en/latest/modules/wsgi.html
https://eventlet.readthedocs.io/en/latest/asyncio/migration.html
https://github.com/psycopg/psycogreen#module-psycogreeneventlet
"""

# ruff: noqa: E402  (the patches come first)
import eventlet

eventlet.monkey_patch(psycopg=False)  # eventlet has a hook for psycopg2 of its own; psycogreen's is the one wanted here

from psycogreen.eventlet import patch_psycopg

patch_psycopg()

import argparse
import signal
import sys

from eventlet import wsgi

from gevent_app import create_app

BACKLOG = 2048
CONNECTIONS = 10_000
KEEP_ALIVE_S = 5


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m entrypoints.eventlet_wsgi")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    sys.argv[0] = "eventlet"  # the program that serves, as /info names it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Without the last argument a second server could listen on the same port, unnoticed.
    listener = eventlet.listen((arguments.host, arguments.port), backlog=BACKLOG, reuse_port=False)
    wsgi.server(
        listener,
        create_app(),
        max_size=CONNECTIONS,
        keepalive=KEEP_ALIVE_S,
        minimum_chunk_size=1,  # else it collects 4 KiB of an event stream before it sends any of it
        log_output=False,
        debug=False,
    )


if __name__ == "__main__":
    main()
