"""The gevent application: plain synchronous Flask, made concurrent from the outside by monkey-patching."""

from flask import Flask

__all__ = ["create_app"]


def create_app() -> Flask:
    """The Flask application, with its database configured from the environment and its tables left alone."""
    from gevent_app import arguments, config, upstream
    from gevent_app.db import db
    from gevent_app.views import views

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = config.MAX_BODY_BYTES
    app.config["SQLALCHEMY_DATABASE_URI"] = config.DATABASE_URL
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = config.POOL
    db.init_app(app)
    arguments.init_app(app)
    upstream.init_app(app)
    app.register_blueprint(views)
    return app
