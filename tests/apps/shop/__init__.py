"""A small Flask app as a team would have it: can it be moved to another concurrency model, and what has to change?

Blueprints, Flask-SQLAlchemy's ORM, Flask-Login, `requests`, an upload, background work, templates, error handlers. It
is synchronous and knows nothing of gevent or asyncio; served.py serves it in the other ways, async_views.py has the
views that change. DATABASE_URL and UPSTREAM_URL are read from the environment.
"""

import os

from flask import Flask
from sqlalchemy import make_url
from werkzeug.debug import DebuggedApplication

from shop import accounts, audit, background, errors, operations, orders, supplier
from shop.models import db

# What a database URL means that names no driver.
DRIVERS = {"postgresql": "postgresql+psycopg2"}


def create_app() -> Flask:
    """The application. Raises KeyError without DATABASE_URL."""
    app = Flask(__name__)
    url = make_url(os.environ["DATABASE_URL"])
    app.config |= {
        "SECRET_KEY": "not a secret: the shop is served to tests only",
        "SQLALCHEMY_DATABASE_URI": url.set(drivername=DRIVERS.get(url.drivername, url.drivername)),
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 15, "max_overflow": 0},
        "UPSTREAM_URL": os.environ.get("UPSTREAM_URL", "http://127.0.0.1:9000/"),
    }
    db.init_app(app)
    audit.init_app(app)
    accounts.login_manager.init_app(app)
    errors.init_app(app)
    for module in (accounts, audit, background, operations, orders, supplier):
        app.register_blueprint(module.views)
    if "SHOP_DEBUGGER" in os.environ:  # for servers other than `flask run --debug`, which does both by itself
        app.debug = True
        app.wsgi_app = DebuggedApplication(app.wsgi_app, evalex=True)
    return app
