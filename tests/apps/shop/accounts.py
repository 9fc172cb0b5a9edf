"""Signing in and out, with Flask-Login."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from sqlalchemy import select
from werkzeug.security import check_password_hash

from shop.models import User, db

views = Blueprint("accounts", __name__)
login_manager = LoginManager()
login_manager.login_view = "accounts.sign_in"


@login_manager.user_loader
def load_user(key: str) -> User | None:
    return db.session.get(User, int(key))


@views.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    if request.method == "POST":
        user = db.session.scalars(select(User).where(User.name == request.form["name"])).first()
        if user is None or not check_password_hash(user.password, request.form["password"]):
            abort(401)
        login_user(user)
        return redirect(url_for("orders.list_orders"))
    return render_template("sign_in.html")


@views.post("/sign-out")
@login_required
def sign_out() -> ResponseReturnValue:
    logout_user()
    return redirect(url_for("accounts.sign_in"))


@views.get("/me")
@login_required
def me() -> ResponseReturnValue:
    return {"name": current_user.name}
