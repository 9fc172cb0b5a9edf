"""The shop in Flask's test client: `python client_try.py shop:create_app` prints `as it is` or the error."""

import importlib
import sys

from flask import Flask
from shop.models import password_of

from loopbridge import LoopBridge


def try_it(app: Flask) -> None:
    """What a team's own tests would do: several requests, each with a session of its own, one after the other."""
    client = app.test_client()
    for name in ("user0", "user1"):
        assert client.post("/sign-in", data={"name": name, "password": password_of(name)}).status_code == 302
        assert client.get("/me").json == {"name": name}
        assert client.post("/orders", data={"note": f"tested by {name}", "product": "tea"}).status_code == 201
        assert f"tested by {name}: tea;" in client.get("/orders").text
        assert client.get("/report?seconds=0").status_code == 200


def main() -> None:
    module, _, factory = sys.argv[1].partition(":")
    app = getattr(importlib.import_module(module), factory)()
    app.testing = True  # so that exceptions come here
    LoopBridge(app)  # which changes nothing for the test client
    try:
        try_it(app)
    except Exception as error:
        print(type(error).__name__, "in the test client:", str(error).partition("\n")[0])
        return
    print("as it is")


if __name__ == "__main__":
    main()
