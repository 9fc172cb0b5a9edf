"""Where do the numbers come from? Machine, kernel, versions and code, as they go into every results file."""

import os
import platform
import re
import subprocess
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from bench.files import ROOT
from bench.models import MODELS
from bench.results.resume import CLEARED
from bench.testbed.processes.process import cleared_variables
from bench.testbed.servers.life import other_cores, server_cores

# What the project needs for every model; a model names the modules that it needs beside these.
BASE = (
    "flask", "flask-sqlalchemy", "psycopg2-binary", "psycogreen", "gevent", "gunicorn", "asgiref", "uvicorn", "uvloop",
    "httptools", "asyncpg", "databases", "httpx",
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
        CLEARED: cleared_variables(),
        "commit": commit(),
        "packages": packages(),
    }


def cpu_model() -> str:
    """The processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def commit() -> str | None:
    """The git commit of the code, with `+` if files differ from it; None where the code is no checkout of its own."""
    if not (ROOT / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=ROOT, capture_output=True, encoding="utf-8",
        )  # fmt: skip
    except OSError:
        return None
    return described.stdout.strip() or None


def packages() -> dict[str, str]:
    """The version of every installed package that a model uses, and of those that these packages need."""
    homes = packages_distributions()
    wanted = [*BASE, *(home for model in MODELS for module in model.packages for home in homes.get(module, ()))]
    found: dict[str, str] = {}
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name not in found and (package := installed(name)):
            found[name] = package.version
            needs = [need for need in package.requires or () if "extra ==" not in need]
            wanted += [need.group() for need in map(re.compile(r"[\w.-]+").match, needs) if need]
    return dict(sorted(found.items()))


def installed(name: str) -> Distribution | None:
    """A package; None if it is not installed."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
