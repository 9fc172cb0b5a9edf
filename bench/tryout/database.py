"""What does `--postgres NAME` give an application? A PostgreSQL of the bench's own, empty, its URL in that variable."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.testbed.databases.database import Database
from bench.testbed.databases.embedded_postgres import embedded_postgres
from bench.tryout.variables import NAME


@contextmanager
def empty_postgres(variable: str, logs: Path) -> Iterator[tuple[Database, dict[str, str]]]:
    """The database, and the variable that has its URL; gone when the context ends. Raises BenchError."""
    if not NAME.fullmatch(variable):
        raise BenchError(f"--postgres needs the name of a variable, such as DATABASE_URL, not {variable!r}")
    with embedded_postgres(logs) as database:
        yield database, {variable: database.url}
