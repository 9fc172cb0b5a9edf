"""A process that ends when the bench ends, however that happens."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bench.errors import BenchError
from bench.testbed.processes.piped import SCRIPT, close_pipe, end_piped, first_answer, start_piped
from bench.testbed.processes.temporary import TemporaryFolder

GUARD = Path(__file__).with_name("guard.py")
# Both servers and databases have ended within a second unless a request is still being served.
GRACE_S = 3.0
LOG_LINES_SHOWN = 12
POLL_S = 0.02
# gunicorn's gevent worker looks once a second whether it is to end, unless the end is to be quick:
# https://gunicorn.org/signals/
ENDS_LATE = {"gunicorn", "gevent"}
# Clients see a server's connections closed some milliseconds before its guard has seen its end.
NOTICED_WITHIN_S = 0.5

Answer = TypeVar("Answer")

# What servers, event loops, applications and the interpreter read from the environment, and the bench alone may set.
SERVER_VARIABLES = ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "DATABASE_SCHEMA", "POOL_SIZE", "MAX_OVERFLOW",
                    "POOL_TIMEOUT_S", "POOL_PRE_PING", "POOL_MIN_SIZE", "STATEMENT_TIMEOUT_MS", "UPSTREAM_URL",
                    "UPSTREAM_TIMEOUT_MS", "LARGE_ANSWER")  # fmt: skip
SERVER_PREFIXES = ("FLASK_", "GEVENT_", "GRANIAN_", "PYTHON", "UVICORN_", "UVLOOP")
# Of these, those that say where modules are: without them a server might not find what the bench has found.
MODULES = ("PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONUSERBASE")


def cleared_variables() -> list[str]:
    """The variables of the bench's environment that change a server and do not show in its command line; by name."""
    return sorted(
        name
        for name in os.environ
        if name in SERVER_VARIABLES or (name.startswith(SERVER_PREFIXES) and name not in MODULES)
    )


def clean_environment() -> dict[str, str]:
    """The bench's environment without these variables."""
    cleared = cleared_variables()
    return {name: value for name, value in os.environ.items() if name not in cleared}


def stop_signal_of(command: Sequence[str]) -> signal.Signals:
    """How the program that a command starts is asked to end."""
    return signal.SIGINT if set(command) >= ENDS_LATE else signal.SIGTERM


class NotYet(Exception):
    """A process that was asked something has no answer yet; the message says what there is instead."""


class GuardedProcess:
    """A command under `guard.py`, in a process group of its own; a context manager that ends it.

    `environment` is added to `clean_environment()`, `cores` are the CPU cores to keep it on (none: wherever the system
    likes), `stop_signal` is how to ask it to end (None: as its program ends soonest), `account` the user and group ids
    to run it as (None: the bench's own), `folder` where it writes, which is kept until it has ended, `inherited` are
    file descriptors that it finds open under the same numbers, `name` is what errors call it.

    Raises BenchError if the command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        cores: Sequence[int] = (),
        stop_signal: signal.Signals | None = None,
        account: tuple[int, int] | None = None,
        folder: TemporaryFolder | None = None,
        inherited: Sequence[int] = (),
        cwd: Path | None = None,
        name: str = "it",
    ) -> None:
        job = {
            "command": list(command),
            "log": str(log.resolve()),
            "cores": list(cores),
            "stop_signal": int(stop_signal or stop_signal_of(command)),
            "grace_s": GRACE_S,
            "account": account,
            "inherited": list(inherited),
        }
        self.command = tuple(command)
        self.log = log
        self.name = name
        self.guard = start_piped(
            [*SCRIPT, str(GUARD), json.dumps(job)],
            environment=clean_environment() | dict(environment or {}),
            cwd=cwd,
            inherited=[*inherited, *([folder.pipe] if folder else [])],
        )
        if folder:
            folder.users.append(self.guard)
        started = first_answer(self.guard)
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

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit code once the command has ended, None if it has not within that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.guard.wait(timeout_s)
        return self.exit_code

    def ended(self) -> str:
        """`; the server ended with exit code 137`, for an error's words; empty if it goes on."""
        code = self.wait(NOTICED_WITHIN_S)
        return "" if code is None else f"; the server ended with exit code {code}"

    def finish(self, timeout_s: float) -> None:
        """Wait for the command to end by itself. Raises BenchError if it fails or takes longer."""
        code = self.wait(timeout_s)
        if code is None:
            raise BenchError(self.explained(f"{self.name} took more than {timeout_s:.0f} s"))
        if code:
            raise BenchError(self.explained(f"{self.name} failed with exit code {code}"))

    def until(self, ask: Callable[[], Answer], timeout_s: float, failure: type[BenchError] = BenchError) -> Answer:
        """What `ask` gives as soon as it raises NotYet no more. Raises `failure` if it ends or is slow."""
        deadline = time.monotonic() + timeout_s
        while self.running:
            try:
                return ask()
            except NotYet as waiting:
                if time.monotonic() > deadline:
                    reason = f"{self.name} gave no answer within {timeout_s:.0f} s: {waiting}"
                    raise failure(self.explained(reason)) from None
            time.sleep(POLL_S)
        raise failure(self.explained(f"{self.name} ended with exit code {self.exit_code}"))

    def signal(self, number: signal.Signals) -> None:
        """Signal the command's own process, and none that it has started; nothing happens if it has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End the command and its process group at once (SIGKILL), for one whose way to end is of no interest."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def ask_to_end(self) -> None:
        """Have the command end, and do not wait for it; whoever ends several asks all of them first."""
        close_pipe(self.guard)

    def stop(self) -> None:
        """End the command and its process group, and wait until they have ended."""
        end_piped(self.guard)

    def log_bytes(self) -> int:
        """How much is in its log; servers of the same model share one."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, written: int) -> str:
        """What its log has after so many bytes."""
        return self.log.read_bytes()[written:].decode(errors="replace")

    @contextlib.contextmanager
    def frozen(self, at_most_s: float) -> Iterator[None]:
        """Its processes are stopped, as SIGSTOP does it, until the context ends.

        The guard stops them and lets them go on, so that none stays stopped however the bench ends, nor for longer than
        `at_most_s`. Raises BenchError where they cannot be stopped, or went on before the context ended.
        """
        stopped = self._told(f"freeze {at_most_s}").get("frozen")
        if not stopped:
            raise BenchError(f"{self.name} cannot be stopped for a while: it has ended, or this system is not Linux")
        try:
            yield
        finally:
            in_time = self._told("continue").get("continued")
        if not in_time:
            raise BenchError(f"{self.name} was to be stopped for {at_most_s:g} s at most, and that was too short")

    def _told(self, order: str) -> dict[str, object]:
        """What the guard answers to an order."""
        assert self.guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended with its command, and answers so
            self.guard.stdin.write(order.encode() + b"\n")
            self.guard.stdin.flush()
        return first_answer(self.guard)

    def log_tail(self) -> str:
        """The last lines that the command wrote."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_LINES_SHOWN:])

    def explained(self, reason: str) -> str:
        """A reason, and the last lines of the log beneath it."""
        return f"{reason}; the last lines of {self.log}:\n{self.log_tail() or '(nothing)'}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
