"""The trap of one pool for many loops: async views on a WSGI server, the pool opened when the module is imported.

WSGI knows no start-up of a server, so this is where people open it. Flask gives every request a loop of its own, and a
connection of asyncpg can be waited for on the loop only that opened it.

https://flask.palletsprojects.com/en/stable/async-await/#performance
"""

import asyncio

from asyncio_app import create_app
from asyncio_app.db import database

asyncio.run(database.connect())
app = create_app()
