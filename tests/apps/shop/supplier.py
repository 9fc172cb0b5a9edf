"""Another company's service, asked with `requests`."""

import requests
from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

views = Blueprint("supplier", __name__)
# No proxies from the environment: the service is on this machine.
client = requests.Session()
client.trust_env = False


@views.get("/stock")
def stock() -> ResponseReturnValue:
    answer = client.get(current_app.config["UPSTREAM_URL"], params={"seconds": request.args["seconds"]}, timeout=30)
    answer.raise_for_status()
    return answer.json()
