"""How many connections does the database have, how many may there be, and how many were made meanwhile?"""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from sqlalchemy import Connection

from bench.testbed.databases.database import Database
from bench.testbed.processes.looking import Looking

# Of the embedded servers: twelve servers with pools of 15 may be up at once, with some to spare. The set-up of the pool
# scenario that exceeds a limit allows for none above this: with a larger one it would take hundreds of requests and a
# tenth of the database server's memory to show the same.
MAX_CONNECTIONS = 200
# What several servers at once leave to the bench's own questions and to those that look at the database meanwhile.
MARGIN = 10
# Time between two looks. A wave of the pool scenario lasts ten times as long; a look takes the database about 1 ms.
LOOK_S = 0.02
# PostgreSQL counts a session when it is first idle. Until version 14 a collector process wrote that down every 0.5 s.
SETTLE_S = 0.1
SETTLE_14_S = 0.6


@dataclass(frozen=True)
class ConnectionHeadroom:
    """How many connections the server allows and how many are open, without the one that asks."""

    max_connections: int
    reserved: int
    """Kept back for superusers and other roles."""
    taken: int
    strangers: int
    """Open connections of another user or to another database, so not this bench's."""

    @property
    def free(self) -> int:
        """How many more connections anybody may open."""
        return self.max_connections - self.reserved - self.taken

    def servers_that_fit(self, pool: int) -> int:
        """How many servers may be up at once that keep so many connections each, all processes together; at least one.

        One that has no pool (0) keeps none, and counts as if it kept one.
        """
        return max(1, (self.free - MARGIN) // max(1, pool))


class Counts(Protocol):
    """How a database server is asked; the connection that asks is in no count."""

    def headroom(self, connection: Connection) -> ConnectionHeadroom:
        """How many connections it allows, and how many are open."""

    def there_are(self, connection: Connection) -> int:
        """Connections to this database."""

    def opened(self, connection: Connection) -> int | None:
        """Connections established since a moment that stays the same; None if it does not count them."""


class Postgres:
    """PostgreSQL's statistics views."""

    def headroom(self, connection: Connection) -> ConnectionHeadroom:
        """Background processes have no database and take no connection."""
        row = connection.exec_driver_sql(
            "SELECT current_setting('max_connections')::int,"
            " current_setting('superuser_reserved_connections')::int"
            " + coalesce(current_setting('reserved_connections', true), '0')::int,"
            " (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND pid <> pg_backend_pid()),"
            " (SELECT count(*) FROM pg_stat_activity"
            "   WHERE datname <> current_database() OR usename <> current_user)"
        ).one()
        return ConnectionHeadroom(*map(int, row))

    def there_are(self, connection: Connection) -> int:
        """Only client backends are connections; parallel workers belong to this database too."""
        return number(connection, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                  " AND backend_type = 'client backend' AND pid <> pg_backend_pid()")  # fmt: skip

    def opened(self, connection: Connection) -> int | None:
        """Sessions of this database; before version 14 PostgreSQL does not count them."""
        version = connection.dialect.server_version_info or (0,)
        if version < (14,):
            return None
        time.sleep(SETTLE_S if version >= (15,) else SETTLE_14_S)
        return number(connection, "SELECT sessions FROM pg_stat_database WHERE datname = current_database()")


class MySql:
    """MariaDB's and MySQL's process list, of which a user without more rights sees their own part, and counters."""

    def headroom(self, connection: Connection) -> ConnectionHeadroom:
        """The one connection beyond `max_connections` is for administrators, so nothing of it is reserved."""
        most = number(connection, "SELECT @@max_connections")
        taken = status(connection, "Threads_connected") - 1
        return ConnectionHeadroom(most, 0, taken, max(0, taken - self.there_are(connection)))

    def there_are(self, connection: Connection) -> int:
        """A database of the bench's own has no other user."""
        return number(connection, "SELECT count(*) FROM information_schema.processlist"
                                  " WHERE db = database() AND id <> connection_id()")  # fmt: skip

    def opened(self, connection: Connection) -> int | None:
        """Connections to the whole server: all attempts without those that failed."""
        return status(connection, "Connections") - status(connection, "Aborted_connects")


COUNTS: dict[str, Counts] = {"postgresql": Postgres(), "mysql": MySql()}


def number(connection: Connection, query: str) -> int:
    """The one number that a query gives."""
    return int(connection.exec_driver_sql(query).scalar_one())


def status(connection: Connection, name: str) -> int:
    """A counter of MariaDB or MySQL."""
    _, value = connection.exec_driver_sql(f"SHOW GLOBAL STATUS LIKE '{name}'").one()
    return int(value)


def headroom(database: Database) -> ConnectionHeadroom:
    """How many connections the server allows, and how many are open."""
    with database.connect() as connection:
        return COUNTS[database.backend].headroom(connection)


def connections(database: Database) -> int:
    """How many connections to the database there are, beside this question's own."""
    with database.connect() as connection:
        return COUNTS[database.backend].there_are(connection)


class ConnectionMeter:
    """Counts connections to the database while its context is open; `most` and `opened` are there afterwards.

    Its own connection is in neither figure. If others use the database too, their connections are in both.
    """

    def __init__(self, database: Database) -> None:
        self.most = 0
        """The most connections that were open at once; it looks fifty times a second."""
        self.opened: int | None = None
        """Connections established meanwhile; None before PostgreSQL 14, the first version that counts them."""
        self._counts = COUNTS[database.backend]
        self._connecting = database.connect()
        self._looking = Looking(self._look, LOOK_S)

    def __enter__(self) -> Self:
        self._connection = self._connecting.__enter__()
        self._before = self._counts.opened(self._connection)
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._looking.stop()
        after = self._counts.opened(self._connection)
        if self._before is not None and after is not None:
            self.opened = after - self._before
        self._connecting.__exit__(kind, error, traceback)

    def _look(self) -> None:
        self.most = max(self.most, self._counts.there_are(self._connection))
