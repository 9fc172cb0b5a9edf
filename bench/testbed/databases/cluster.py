"""A PostgreSQL cluster of the bench's own: started, and stopped, frozen and started again while its clients go on.

Its files, its port and its password stay the same from one start to the next.
"""

import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psycopg2

from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.processes.temporary import TemporaryFolder
from bench.testbed.servers.life import other_cores

# The server takes 0.1 s to start; a cold disk and a busy machine are given more than a hundred times that.
START_TIMEOUT_S = 15.0
Shutdown = Literal["fast", "immediate"]
# What PostgreSQL's documentation calls them: https://www.postgresql.org/docs/current/server-shutdown.html
SHUTDOWNS: dict[Shutdown, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@dataclass(frozen=True)
class ClusterFiles:
    """What every start of the same cluster has in common."""

    command: Sequence[str]
    url: str
    """Where it listens, and as whom the bench connects."""
    log: Path
    account: tuple[int, int] | None
    """The user and group ids to run it as; None: the bench's own."""
    folder: TemporaryFolder


class Cluster:
    """A cluster that runs while the context is open, except within `stopped`.

    Raises BenchError if it cannot be started, or does not answer.
    """

    def __init__(self, files: ClusterFiles) -> None:
        self.files = files
        self.version = ""
        self._process: GuardedProcess | None = None

    @property
    def process(self) -> GuardedProcess:
        """The server as it was started last."""
        assert self._process is not None, "it was never started"
        return self._process

    @property
    def pid(self) -> int:
        """Its first process, the postmaster; another one after each start."""
        return self.process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        files = self.files
        self._process = GuardedProcess(
            files.command,
            log=files.log,
            cores=other_cores(),
            stop_signal=SHUTDOWNS["fast"],
            account=files.account,
            folder=files.folder,
            cwd=Path("/"),
            name="the embedded PostgreSQL",
        )
        self.version = self._process.until(self._ask, START_TIMEOUT_S)

    def stop(self, shutdown: Shutdown = "fast") -> None:
        """End it. "fast" rolls back what is under way and tells the clients; "immediate" is like a crash.

        The latter loses commits of the last moments, because `synchronous_commit` is off in the bench's clusters.
        """
        if self.process.running:
            self.process.signal(SHUTDOWNS[shutdown])
        self.process.stop()

    @contextmanager
    def stopped(self, shutdown: Shutdown = "fast") -> Iterator[None]:
        """It does not run, and whoever connects is refused, until the context ends; then it answers again."""
        self.stop(shutdown)
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self, at_most_s: float) -> Iterator[None]:
        """All its processes are stopped: it takes connections and queries, and answers none until the context ends."""
        with self.process.frozen(at_most_s):
            yield

    def _ask(self) -> str:
        """PostgreSQL's version. Raises NotYet while it does not answer."""
        try:
            with closing(psycopg2.connect(self.files.url)) as connection:
                return str(connection.get_parameter_status("server_version"))
        except psycopg2.OperationalError as error:
            raise NotYet(str(error).strip()) from None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.stop()
