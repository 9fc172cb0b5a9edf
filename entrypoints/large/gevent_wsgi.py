"""gevent_app with psycopg2 patched, and `/large/`."""

import gevent_app.wsgi  # patches psycopg2
from entrypoints.large.plain import app

__all__ = ["app", "gevent_app"]
