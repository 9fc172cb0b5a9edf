"""The shop with views that each keep the loop in a known way: does the probe name the line that is marked?

Beside what the shop reads from the environment, BLOCKING_FOLDER is a folder for files, and MYSQL_PORT the port of
somebody who is slow to greet and then refuses.
"""

import shop
from flask import Flask

from blocking.views import views


def create_app() -> Flask:
    """The application. Raises KeyError without DATABASE_URL."""
    app = shop.create_app()
    app.register_blueprint(views, url_prefix="/blocking")
    return app
