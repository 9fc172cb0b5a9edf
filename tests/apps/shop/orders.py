"""Orders: written and read with the ORM, listed in a template, with a file that belongs to one."""

import hashlib

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from sqlalchemy import func, select

from shop.models import Line, Order, db

views = Blueprint("orders", __name__)


@views.get("/orders")
@login_required
def list_orders() -> ResponseReturnValue:
    """The template reads `order.lines`, which the ORM loads when it is asked for."""
    orders = db.session.scalars(select(Order).where(Order.user_id == current_user.id).order_by(Order.id)).all()
    return render_template("orders.html", orders=orders)


@views.post("/orders")
@login_required
def create_order() -> ResponseReturnValue:
    order = Order(user_id=current_user.id, note=request.form["note"])
    order.lines = [Line(product=product) for product in request.form.getlist("product")]
    db.session.add(order)
    db.session.commit()
    return {"id": order.id, "note": order.note}, 201  # both read again from the database, after the commit


@views.get("/report")
def report() -> ResponseReturnValue:
    """A query that takes its time."""
    db.session.execute(select(func.pg_sleep(float(request.args["seconds"]))))
    return {"orders": db.session.scalar(select(func.count()).select_from(Order))}


@views.post("/files")
def upload() -> ResponseReturnValue:
    """A file beside a form field, as a browser sends it."""
    content = request.files["file"].read()
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "note": request.form["note"]}
