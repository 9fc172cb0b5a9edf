"""The user's own server: a database of the bench's own in it, or a schema in a PostgreSQL where it may not create one.

`bench/testbed/databases/keeper.py` creates and drops it, in a process of its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bench.errors import BenchError
from bench.files import ROOT
from bench.testbed.databases.database import Database
from bench.testbed.processes.piped import end_piped, first_answer, start_piped


@dataclass(frozen=True)
class Kind:
    """The kind of server that a URL must name."""

    what: str
    """What messages call the URL."""
    product: str
    backend: str
    names: tuple[str, ...]
    """What such a URL may begin with, before the driver."""

    def checked(self, text: str) -> URL:
        """The URL, if it is one of these; the driver in it does not matter. Raises BenchError."""
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise BenchError(
                f"the {self.what} cannot be read; write it as {self.backend}://user:password@host/db"
            ) from None
        if url.get_backend_name() not in self.names:
            raise BenchError(
                f"the {self.what} is of {url.get_backend_name()}; give one of {self.product}: {self.backend}://…"
            )
        return url.set(drivername=self.backend)


KINDS = {
    "postgres": Kind("database URL", "PostgreSQL", "postgresql", ("postgresql", "postgres")),
    "mysql": Kind("MySQL URL", "MariaDB or MySQL", "mysql", ("mysql", "mariadb")),
}


@contextmanager
def own_database(kind: str, text: str) -> Iterator[Database]:
    """A new database or schema in the server at that URL, dropped at the end. Raises BenchError."""
    url = KINDS[kind].checked(text)
    keeper = start_piped(
        ["-m", "bench.testbed.databases.keeper"],
        environment={**os.environ, "BENCH_KEEPER_URL": rendered(url)},
        cwd=ROOT,
    )
    try:
        made = first_answer(keeper)
        if "error" in made:
            raise BenchError(made["error"])
        if made["database"]:
            url = url.set(database=made["database"])
        yield Database(rendered(url), made["schema"], made["product"], made["version"], "own")
    finally:
        end_piped(keeper)


def rendered(url: URL) -> str:
    """The URL with its password."""
    return url.render_as_string(hide_password=False)
