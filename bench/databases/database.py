"""A PostgreSQL database (or a schema in one) that belongs to this bench."""

from dataclasses import dataclass

from sqlalchemy import make_url


@dataclass(frozen=True)
class Database:
    """Where it is, and what the results say about it."""

    url: str
    """`postgresql://user:password@host:port/database`, no driver named."""
    schema: str | None
    """The schema to work in; None for the default one."""
    version: str
    """PostgreSQL's own version string."""
    origin: str
    """`embedded` or `own`."""

    def environment(self, driver: str = "") -> dict[str, str]:
        """Where an app finds the database, through that driver if one is named."""
        url = make_url(self.url).set(drivername=f"postgresql+{driver}" if driver else "postgresql")
        found = {"DATABASE_URL": url.render_as_string(hide_password=False)}
        return found | ({"DATABASE_SCHEMA": self.schema} if self.schema else {})
