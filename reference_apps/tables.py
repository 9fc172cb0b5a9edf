"""The one table, for the apps that use SQLAlchemy; the bench creates and fills it."""

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

from reference_apps import settings

todos = Table(
    "todos",
    MetaData(schema=settings.DATABASE_SCHEMA),
    Column("id", Integer, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
)
