"""How many connections does PostgreSQL have, how many may there be, and how many were made meanwhile?"""

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg2

# A wave of the pool scenario lasts ten times as long; a look takes PostgreSQL about a millisecond.
LOOK_S = 0.02
# PostgreSQL counts a session when it is first idle. Until version 14 a collector process wrote that down every 0.5 s.
SETTLE_S = 0.1
SETTLE_14_S = 0.6


@dataclass(frozen=True)
class Room:
    """What PostgreSQL allows, and what is taken of it, this question's own connection left out."""

    max_connections: int
    reserved: int
    """Kept back for superusers and other roles."""
    taken: int
    strangers: int
    """Those taken that are of another user or to another database: not this bench's."""

    @property
    def free(self) -> int:
        """How many more connections anybody may open."""
        return self.max_connections - self.reserved - self.taken


def room(url: str) -> Room:
    """What the PostgreSQL at that URL allows, and what is taken of it."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int,"
            " current_setting('superuser_reserved_connections')::int"
            " + coalesce(current_setting('reserved_connections', true), '0')::int,"
            " (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND pid <> pg_backend_pid()),"
            " (SELECT count(*) FROM pg_stat_activity"
            "   WHERE datname <> current_database() OR usename <> current_user)"
        )
        (row,) = cursor.fetchall()
        return Room(*map(int, row))


class ConnectionMeter:
    """Counts connections to the database while its context is open; `most` and `opened` are there afterwards.

    Its own connection is in neither figure. In a user's database that is not the bench's alone, others' are.
    """

    def __init__(self, url: str) -> None:
        self.most = 0
        """The most at any look, fifty of which there are a second."""
        self.opened: int | None = None
        """Those established meanwhile; None before PostgreSQL 14, which does not count them."""
        self._url = url
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look_until_ended, daemon=True)

    def __enter__(self) -> Self:
        self._connection = psycopg2.connect(self._url)
        self._connection.autocommit = True
        self._before = self._sessions()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._looking.join()
        with closing(self._connection):
            after = self._sessions()
        if self._before is not None and after is not None:
            self.opened = after - self._before

    def _look_until_ended(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.most = max(self.most, self._ask(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ))  # fmt: skip

    def _sessions(self) -> int | None:
        if self._connection.server_version < 140_000:
            return None
        time.sleep(SETTLE_S if self._connection.server_version >= 150_000 else SETTLE_14_S)
        return self._ask("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")

    def _ask(self, query: str) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            (row,) = cursor.fetchall()
            return int(row[0])
