"""Which configuration of gunicorn does an application bring, and what of it can a trial not respect?"""

import ast
import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

DEFAULT = "gunicorn.conf.py"
ARGUMENTS = "GUNICORN_CMD_ARGS"
# What the command line of a trial says, because it is what models differ in, or are compared at; then what
# inside/bench_tried/gunicorn_program.py settles, because it would write files, leave processes or serve nothing.
SET_BY_MODEL = ("bind", "workers", "worker_class", "threads", "worker_connections", "timeout", "keepalive", "backlog",
                "loglevel")  # fmt: skip
SETTLED = ("daemon", "reload", "max_requests", "pidfile", "errorlog", "accesslog", "logconfig", "logconfig_dict",
           "logconfig_json", "certfile", "keyfile", "proxy_protocol", "statsd_host", "syslog", "wsgi_app")  # fmt: skip


def configuration(folder: Path, environment: Mapping[str, str]) -> str:
    """The file that `gunicorn` reads in this folder, as gunicorn is told of it; empty if there is none."""
    words = arguments(environment)
    for option, value in pairwise(words):
        if option in ("-c", "--config"):
            return value
    for word in words:
        if word.startswith("--config="):
            return word.partition("=")[2]
    return DEFAULT if (folder / DEFAULT).is_file() else ""


def arguments(environment: Mapping[str, str]) -> list[str]:
    """The options that gunicorn takes from its variable."""
    try:
        return shlex.split(environment.get(ARGUMENTS, ""))
    except ValueError:  # gunicorn will say it
        return []


def notes(folder: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What a reader must know of it, a sentence each; names, and never values."""
    found = []
    file = configuration(folder, environment)
    if file:
        module = file.removeprefix("python:").replace(".", "/") + ".py"
        set_there = names_set(folder / (module if file.startswith("python:") else file.removeprefix("file:")))
        chosen = [name for name in (*SET_BY_MODEL, *SETTLED) if name in set_there]
        found.append(
            f"gunicorn reads {file}"
            + (f", but the bench chooses {', '.join(chosen)} itself." if chosen else " as it is.")
        )
    if arguments(environment):
        found.append(f"gunicorn reads {ARGUMENTS} too; what the bench chooses for all models comes before it.")
    return tuple(found)


def names_set(file: Path) -> set[str]:
    """Names that a Python file assigns; it is not run for that."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return set()
    targets = [
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return {target.id for target in targets if isinstance(target, ast.Name)}
