"""Servers of the application beside it, each with one process, for the tests that ask them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.testbed.processes.local_http import local_get
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.processes.process import GuardedProcess, NotYet

HERE = Path(__file__).parent
START_TIMEOUT_S = 30.0
WORKERS: Mapping[str, tuple[str, ...]] = {
    "sync": ("sync",),
    "gthread": ("gthread", "--threads", "15"),
    "gevent": ("gevent",),
}


@contextmanager
def served(kind: str, logs: Path, target: str = "answering:app", folder: Path = HERE) -> Iterator[str]:
    """The URL of a server of that kind, which answers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--no-control-socket", "--log-level",
               "warning", "--worker-class", *WORKERS[kind], target]  # fmt: skip
    with GuardedProcess(command, log=logs / f"{kind}-{port}.log", cwd=folder) as process:
        url = f"http://{HOST}:{port}"

        def answers() -> None:
            try:
                local_get(url, timeout=START_TIMEOUT_S)
            except httpx.HTTPError as error:
                raise NotYet(str(error)) from None

        process.until(answers, START_TIMEOUT_S)
        yield url
