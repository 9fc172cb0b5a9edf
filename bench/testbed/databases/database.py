"""A database (or a schema in one) that belongs to this bench."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url

from bench.testbed.databases.cluster import Cluster
from bench.testbed.processes.process import GuardedProcess

# What a server can be; results have its version under that name.
PRODUCTS = ("postgres", "mariadb", "mysql")
# The bench's own driver for each, whatever a model's is.
DRIVERS = {"postgresql": "psycopg2", "mysql": "pymysql"}


@dataclass(frozen=True)
class Database:
    """Where it is, and what the results say about it."""

    url: str
    """`postgresql://user:password@host:port/database`, or `mysql://…`; no driver named."""
    schema: str | None
    """The schema to work in; None for the default one, and with MySQL, where a database has no schemas."""
    product: str
    """`postgres`, `mariadb` or `mysql`: what the server is."""
    version: str
    """The server's own version string."""
    origin: str
    """`embedded` or `own`."""
    server: Cluster | GuardedProcess | None = None
    """What runs it, if the bench has started it."""

    @property
    def pid(self) -> int | None:
        """The server's first process, if the bench has started it."""
        return self.server.pid if self.server else None

    @property
    def backend(self) -> str:
        """`postgresql` or `mysql`: what the server speaks."""
        return make_url(self.url).get_backend_name()

    def environment(self, driver: str = "") -> dict[str, str]:
        """Where an app finds the database, through that driver if one is named."""
        found = {"DATABASE_URL": self.url_for(driver).render_as_string(hide_password=False)}
        return found | ({"DATABASE_SCHEMA": self.schema} if self.schema else {})

    def url_for(self, driver: str) -> URL:
        """The URL with that driver in it, if one is named."""
        return make_url(self.url).set(drivername=f"{self.backend}+{driver}" if driver else self.backend)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection of the bench's own, where every statement is a transaction."""
        engine = create_engine(self.url_for(DRIVERS[self.backend]), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
