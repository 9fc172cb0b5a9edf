"""How each server is started: alike wherever they can be, so that no model is measured by its server's defaults.

No time-out for a busy worker, because only gunicorn has one; five seconds of keep-alive, uvicorn's default; room for as
many connections as any scenario opens; event loop and HTTP parser named, never left to what happens to be installed.

There are two classes. *Plain* is what `pip install gunicorn uvicorn` gives: gunicorn's parser in Python; h11, in Python
too, and asyncio's own loop. *Best* has parsers in C, and uvloop. Models are compared within a class.
"""

GUNICORN = (
    "-m", "gunicorn", "--bind", "{host}:{port}", "--workers", "{workers}", "--timeout", "0", "--keep-alive", "5",
    "--backlog", "2048", "--log-level", "warning", "--no-control-socket", "--http-parser", "python",
)  # fmt: skip
GUNICORN_BEST = tuple("fast" if argument == "python" else argument for argument in GUNICORN)
GEVENT_WORKER = ("--worker-class", "gevent", "--worker-connections", "10000")
UVICORN = (
    "-m", "uvicorn", "--host", "{host}", "--port", "{port}", "--workers", "{workers}", "--loop", "asyncio",
    "--http", "h11", "--timeout-keep-alive", "5", "--backlog", "2048", "--log-level", "warning",
    "--no-access-log",
)  # fmt: skip
# With several workers, uvicorn kills one that does not say within 5 s that it is alive, and gives up a reload whose new
# worker needs longer to start: on a busy machine that would decide what becomes of them.
PATIENTLY = ("--timeout-worker-healthcheck", "60")
IN_C = {"h11": "httptools", "asyncio": "uvloop"}
UVICORN_BEST = tuple(IN_C.get(argument, argument) for argument in UVICORN)
LIFESPAN = ("--lifespan", "on")
