"""Creates the bench's database in the user's server, and drops it when the pipe to the bench closes.

It is a process of its own so that the database goes even after `kill -9` of the bench. What it created is all that it
ever drops.
"""

import json
import os
import secrets
import sys
from importlib import import_module

from sqlalchemy import URL, make_url

from bench.errors import BenchError

# Where the statements are, by what the server speaks.
STATEMENTS = {"postgresql": "bench.testbed.databases.own_postgres", "mysql": "bench.testbed.databases.own_mysql"}


def keep(url: URL) -> None:
    """Create, say what was created, wait until the bench is gone, drop."""
    statements = import_module(STATEMENTS[url.get_backend_name()])
    try:
        made = statements.create(url, f"concurrency_bench_{secrets.token_hex(4)}")
    except BenchError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    print(json.dumps(made), flush=True)
    sys.stdin.buffer.read()
    statements.drop(url, made)


if __name__ == "__main__":
    keep(make_url(os.environ["BENCH_KEEPER_URL"]))
