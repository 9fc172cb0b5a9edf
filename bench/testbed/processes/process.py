"""A process that ends when the bench ends, however that happens."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import BenchError

GUARD = Path(__file__).with_name("guard.py")
# Both servers and databases have ended within a second unless a request is still being served.
GRACE_S = 3.0
LOG_LINES_SHOWN = 12


# What servers and applications read from the environment, and the bench alone may set.
SERVER_VARIABLES = ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "DATABASE_SCHEMA", "POOL_SIZE", "MAX_OVERFLOW",
                    "POOL_TIMEOUT_S", "UPSTREAM_URL")  # fmt: skip
SERVER_PREFIXES = ("FLASK_", "GRANIAN_", "UVICORN_")


def clean_environment() -> dict[str, str]:
    """The bench's environment without what would change a server behind its command line."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in SERVER_VARIABLES and not name.startswith(SERVER_PREFIXES)
    }


class GuardedProcess:
    """A command under `guard.py`, in a process group of its own; a context manager that ends it.

    `cores` are the CPU cores to keep it on (none: wherever the system likes), `stop_signal` is how to ask it to end,
    `account` the user and group ids to run it as (None: the bench's own), `remove` what to delete after it has ended.

    Raises BenchError if the command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        cores: Sequence[int] = (),
        stop_signal: signal.Signals = signal.SIGTERM,
        account: tuple[int, int] | None = None,
        remove: Sequence[Path] = (),
        cwd: Path | None = None,
    ) -> None:
        job = {
            "command": list(command),
            "log": str(log.resolve()),
            "cores": list(cores),
            "stop_signal": int(stop_signal),
            "grace_s": GRACE_S,
            "account": account,
            "remove": [str(path) for path in remove],
        }
        self.command = tuple(command)
        self.log = log
        self.guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment() | dict(environment or {}),
            cwd=cwd,
            start_new_session=True,
        )
        assert self.guard.stdout is not None
        started = json.loads(self.guard.stdout.readline() or '{"error": "it ended at once"}')
        if "error" in started:
            self.stop()
            raise BenchError(f"cannot start {command[0]}: {started['error']}")
        self.pid: int = started["pid"]

    @property
    def running(self) -> bool:
        """Whether the command has not ended."""
        return self.guard.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The command's exit code (128 + the signal that ended it), None while it runs."""
        return self.guard.poll()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code once the command has ended, None if it has not within that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.guard.wait(timeout_s)
        return self.exit_code

    def stop(self) -> None:
        """End the command and its process group, and wait until they have ended."""
        assert self.guard.stdin is not None
        assert self.guard.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.guard.stdin.close()
        self.guard.wait()
        self.guard.stdout.close()

    def log_tail(self) -> str:
        """The last lines that the command wrote."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_LINES_SHOWN:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
