"""How each server is started: alike wherever they can be, so that no model is measured by its server's defaults.

No time-out for a busy worker, because only gunicorn has one; five seconds of keep-alive, uvicorn's default; room for as
many connections as any scenario opens; event loop and HTTP parser named, never left to what happens to be installed.
"""

GUNICORN = (
    "-m", "gunicorn", "--bind", "{host}:{port}", "--workers", "{workers}", "--timeout", "0", "--keep-alive", "5",
    "--backlog", "2048", "--log-level", "warning", "--no-control-socket", "--http-parser", "python",
)  # fmt: skip
GEVENT_WORKER = ("--worker-class", "gevent", "--worker-connections", "10000")
UVICORN = (
    "-m", "uvicorn", "--host", "{host}", "--port", "{port}", "--workers", "{workers}", "--loop", "asyncio",
    "--http", "httptools", "--timeout-keep-alive", "5", "--backlog", "2048", "--log-level", "warning",
    "--no-access-log",
)  # fmt: skip
LIFESPAN = ("--lifespan", "on")
