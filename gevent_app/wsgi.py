"""The WSGI application that a gevent server imports; psycopg2 is made to yield before anything can connect."""

# ruff: noqa: E402  (the patch comes first: that order is this file's purpose)
from psycogreen.gevent import patch_psycopg

patch_psycopg()

from gevent_app import create_app

app = create_app()
