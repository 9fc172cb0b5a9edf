"""What the shop stores: its users, their orders with the lines of each, and notes of what has been done."""

from __future__ import annotations

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.security import generate_password_hash

db = SQLAlchemy()
# So many users are created; each has the password that follows from its name.
USERS = 8


class User(UserMixin, db.Model):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]


class Order(db.Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str]
    lines: Mapped[list[Line]] = relationship(order_by="Line.id")


class Line(db.Model):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product: Mapped[str]


class Note(db.Model):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def password_of(name: str) -> str:
    return f"{name}-password"


def create_tables() -> None:
    """Create the tables and the users, `user0` and on; in an application context."""
    db.create_all()
    for name in (f"user{number}" for number in range(USERS)):
        # A thousand rounds, because a test waits for each of them.
        db.session.add(User(name=name, password=generate_password_hash(password_of(name), "pbkdf2:sha256:1000")))
    db.session.commit()
