"""How does ASGI's scope become WSGI's environ, and which requests are refused before the application sees them?

Sources: PEP 3333; the ASGI specification, HTTP; RFC 9112, sections 3.2 (Host) and 6 (message body).
"""

from __future__ import annotations

import functools
import io
import sys
from typing import Any

from loopbridge.asgi import Scope

_ONCE = ("HTTP_HOST", "CONTENT_LENGTH")


class BadRequest(Exception):
    """The request is refused, because a server in front may read it in another way than we do."""


def make_environ(scope: Scope, multithread: bool) -> dict[str, Any]:
    """A request as WSGI has it; `wsgi.input` is left out if there is a body. Raises BadRequest."""
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if root and (path == root or path.startswith(root + "/")):
        path = path[len(root) :]  # ASGI has root_path inside path, WSGI does not have SCRIPT_NAME in PATH_INFO
    if not path.isascii():
        path = path.encode().decode("latin-1")
    host, port = scope.get("server") or ("localhost", None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "asgi.scope": scope,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
    for name, value in scope["headers"]:
        key, text = _wsgi_name(name), value.decode("latin-1")
        if key in environ:
            text = _joined(key, environ[key], text)
        environ[key] = text
    environ.pop("", None)
    if "HTTP_TRANSFER_ENCODING" in environ:
        if "CONTENT_LENGTH" in environ and scope["http_version"] < "2":
            raise BadRequest("Content-Length and Transfer-Encoding in one request")
    elif "CONTENT_LENGTH" not in environ and scope["http_version"] < "2":
        environ["wsgi.input"] = io.BytesIO()  # no body (RFC 9112, section 6.3)
    return environ


def _joined(key: str, first: str, second: str) -> str:
    """Several header fields of one name as one (RFC 9110, section 5.3). Raises BadRequest if only one is allowed."""
    if key in _ONCE:
        raise BadRequest(f"more than one {key.removeprefix('HTTP_').replace('_', '-').title()} header")
    return first + ("; " if key == "HTTP_COOKIE" else ",") + second


@functools.lru_cache(maxsize=1024)
def _wsgi_name(name: bytes) -> str:
    if b"_" in name:
        return ""  # X_User would arrive as X-User: dropped, as nginx and Werkzeug's server do
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key
