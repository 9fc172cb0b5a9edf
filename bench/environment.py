"""Where the numbers come from: machine, kernel, versions and code, as they go into every results file."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.server.life import ROOT, other_cores, server_cores

PACKAGES = (
    "flask", "werkzeug", "sqlalchemy", "flask-sqlalchemy", "psycopg2-binary", "psycogreen", "gevent", "greenlet",
    "gunicorn", "asgiref", "uvicorn", "httptools", "asyncpg", "databases", "httpx",
)  # fmt: skip


def environment() -> dict[str, object]:
    """Facts that a reader needs to repeat a run, or to see why theirs differs."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "kernel": platform.release(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "server_cores": list(server_cores()),
        "other_cores": list(other_cores()),
        "commit": commit(),
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
    }


def cpu_model() -> str:
    """The processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def commit() -> str | None:
    """The git commit of the code, with `+` if files differ from it; None outside a git checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
    except OSError:
        return None
    return described.stdout.strip() or None


def installed(name: str) -> str | None:
    """The version of a package, None if it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
