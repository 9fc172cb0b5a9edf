"""gevent's own WSGI server, without gunicorn: `python -m entrypoints.pywsgi --port 8000`.

Everything is patched first, then psycopg2 by `gevent_app.wsgi`. The server closes no idle connection by itself: it has
no keep-alive time. When asked to end, it gives the requests under way a second.

https://www.gevent.org/api/gevent.pywsgi.html
"""

# ruff: noqa: E402  (the patch comes first)
from gevent import monkey

monkey.patch_all()

import argparse
import signal
import socket
import sys

import gevent
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from gevent_app.wsgi import app

BACKLOG = 2048
CONNECTIONS = 10_000


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m entrypoints.pywsgi")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    sys.argv[0] = "gevent"  # the program that serves, as /info names it
    listener = socket.create_server((arguments.host, arguments.port), backlog=BACKLOG)
    # The server sends an answer's head and body apart, and without this (which gunicorn sets, and gevent does not:
    # gevent/gevent#1233) the body waits some 40 ms for the client to acknowledge the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = WSGIServer(listener, app, spawn=Pool(CONNECTIONS), log=None)
    gevent.signal_handler(signal.SIGTERM, server.stop)
    server.serve_forever()


if __name__ == "__main__":
    main()
