"""What is created in the user's MariaDB or MySQL, and dropped: a database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from bench.errors import BenchError
from bench.testbed.databases.database import DRIVERS

CONNECT_TIMEOUT_S = 10
# MySQL's error numbers: the user has no right to the database; the server refuses the user; no server is reached.
MAY_NOT_USE_DATABASE = 1044
REFUSED = (1045, 1698)
NO_SERVER = (2002, 2003, 2005)


def create(url: URL, name: str) -> dict[str, str | None]:
    """Create a database of that name; say which server it is in. Raises BenchError, one line."""
    try:
        with connected(url) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            version = connection.exec_driver_sql("SELECT version()").scalar_one()
    except (DBAPIError, RuntimeError) as error:  # RuntimeError: a package for the server's way to log in is missing
        raise BenchError(explain(getattr(error, "orig", error), name, url)) from None
    product = "mariadb" if "mariadb" in version.lower() else "mysql"
    return {"database": name, "schema": None, "product": product, "version": version}


def drop(url: URL, made: dict[str, str | None]) -> None:
    """Drop what was created, whoever is connected to it: DROP waits for their statements, so they are ended first."""
    name = made["database"]
    with connected(url) as connection:
        users = connection.exec_driver_sql("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
        for (thread,) in users.all():
            connection.exec_driver_sql(f"KILL {thread}")
        connection.exec_driver_sql(f"DROP DATABASE {name}")


@contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """A connection outside any transaction."""
    engine = create_engine(
        url.set(drivername=f"mysql+{DRIVERS['mysql']}"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )
    with engine.connect() as connection:
        yield connection


def explain(error: BaseException, name: str, url: URL) -> str:
    """One line: what went wrong, and what to do about it."""
    where = f"{url.host or 'localhost'}:{url.port or 3306}"
    code, reason = (error.args[0], str(error.args[1])) if len(error.args) == 2 else (0, str(error))
    if code == MAY_NOT_USE_DATABASE and name in reason:
        account = reason.partition("for user ")[2].partition(" to ")[0]
        return (f"{url.username} may not create a database at {where}; "
                rf"run: GRANT ALL ON `concurrency\_bench\_%`.* TO {account}")  # fmt: skip
    if code in REFUSED:
        return f"the MySQL server at {where} refused user {url.username!r}; correct user and password in the MySQL URL"
    if code in NO_SERVER:
        return f"no MySQL server answers at {where}; start it, or correct host and port in the MySQL URL"
    return f"the MySQL server at {where}: {reason}; correct the MySQL URL"
