"""An application that answers in every way that a trial must tell apart. It is served by the tests beside it."""

import gzip
import os
import secrets
import threading
import time
import uuid
from datetime import UTC, datetime

from flask import Flask, Response, abort, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

app = Flask(__name__)
app.config |= {"SECRET_KEY": secrets.token_hex(), "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_DOMAIN": "shop.test"}
PASSWORD = os.environ.get("SHOP_PASSWORD", "a secret of the tests")
FORM = '<form method="post"><input type="hidden" value="{}" name="csrf_token"><input type="password" name="password">'
under_way: set[int] = set()
current = {"name": ""}
visits: list[int] = []
gate = threading.Lock()


def gzipped(text: str) -> Response:
    """A page as a server would compress it: the time in the gzip header alone makes each another one."""
    answer = make_response(gzip.compress(text.encode()))
    answer.headers["Content-Encoding"] = "gzip"
    return answer


@app.get("/")
def root() -> ResponseReturnValue:
    return "always the same"


@app.get("/volatile")
def volatile() -> ResponseReturnValue:
    """A random id, the date and a CSRF token, compressed."""
    session["csrf"] = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    answer = gzipped(
        f'<html><meta name="csrf" content="{session["csrf"]}"><h1 id="{uuid.uuid4()}">Orders</h1>'
        f"<p>{now:%A, %d %B %Y, %H:%M:%S.%f}</p><a href={url_for('root', _external=True)}>home</a></html>"
    )
    answer.headers["X-Request-Id"] = uuid.uuid4().hex
    return answer


@app.get("/json")
def json_answer() -> ResponseReturnValue:
    return {"id": str(uuid.uuid4()), "at": time.time(), "sorted": sorted({"a", "b"}), "total": 7}


@app.get("/alone-only")
def alone_only() -> ResponseReturnValue:
    """Right as long as nobody else asks at the same time."""
    key = id(request._get_current_object())  # type: ignore[attr-defined]
    under_way.add(key)
    time.sleep(0.05)
    others = len(under_way) - 1
    under_way.discard(key)
    return {"others": others}


@app.get("/hello")
def hello() -> ResponseReturnValue:
    """Who asks is kept in a global variable, so that the answer may be somebody else's."""
    current["name"] = request.args["name"]
    time.sleep(0.05)
    return f"Hello {current['name']}"


@app.get("/hangs")
def hangs() -> ResponseReturnValue:
    """A lock that two requests at once wait for, and that is not released for a while."""
    if not gate.acquire(blocking=False):
        time.sleep(5)
        return "late"
    time.sleep(0.1)
    gate.release()
    return "in time"


@app.get("/visits")
def count() -> ResponseReturnValue:
    visits.append(1)
    return f"visit {len(visits)}"


@app.get("/wait")
def wait() -> ResponseReturnValue:
    time.sleep(float(request.args["seconds"]))
    return "waited"


@app.get("/moved")
def moved() -> ResponseReturnValue:
    return redirect(url_for("root", _external=True, token=secrets.token_hex(8)))


@app.get("/status/<int:status>")
def with_status(status: int) -> ResponseReturnValue:
    return f"status {status}", status


@app.get("/sometimes")
def sometimes() -> ResponseReturnValue:
    visits.append(1)
    return "", 200 if len(visits) % 2 else 503


@app.get("/broken-gzip")
def broken_gzip() -> ResponseReturnValue:
    return Response(b"this is not compressed", headers={"Content-Encoding": "gzip"})


@app.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Answers a wrong password as many applications do: with 200 and its form once more."""
    if request.method == "POST" and request.form.get("csrf_token") != session.get("csrf"):
        abort(400)
    if request.method == "POST" and request.form["password"] == PASSWORD:
        session["user"] = request.form["name"]
        return redirect("/private")
    session["csrf"] = secrets.token_urlsafe(16)
    return f"<html>{FORM.format(session['csrf'])}</html>"


@app.get("/private")
def private() -> ResponseReturnValue:
    if "user" not in session:
        return redirect(url_for("sign_in", next="/private"))
    return f"<html>Orders of {session['user']}</html>"


@app.post("/api/token")
def token() -> ResponseReturnValue:
    if request.get_json()["password"] != PASSWORD:
        abort(401)
    answer = make_response({"user": {"token": "t/o+k=en", "id": 17}})
    answer.set_cookie("csrf_access", "from a cookie", path="/api")
    answer.headers["X-Next"] = "/api/me"
    return answer


@app.get("/api/me")
def me() -> ResponseReturnValue:
    if request.headers.get("Authorization") != "Bearer t/o+k=en" or request.args.get("token") != "t/o+k=en":
        abort(401)
    return {"csrf": request.cookies["csrf_access"], "id": request.args["id"]}


@app.post("/echo")
def echo() -> ResponseReturnValue:
    return {
        "type": request.content_type,
        "form": request.form.to_dict(flat=False),
        "body": request.get_data(as_text=True),
    }
