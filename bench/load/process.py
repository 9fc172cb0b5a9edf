"""How does the bench have a generator's process on this machine, and talk to it?"""

import contextlib
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator

from bench.files import ROOT
from bench.load.together import GeneratorError
from bench.testbed.processes.piped import end_piped, start_piped
from bench.testbed.processes.process import clean_environment

__all__ = ["Worker"]

READ_BYTES = 1_048_576  # two million samples are a line of 64 MB
MESSAGE_BYTES = 2_000  # so much of what a failed worker wrote to stderr is read


class Worker:
    """The worker's process and its pipes. Its stderr is a file, so that it never waits for somebody to read it."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.killed_after_s: float | None = None
        self._received: list[bytes] = []
        self._lines: deque[str] = deque()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # `end` closes it
        environment = {**clean_environment(), "PYTHONPATH": path}
        self.process = start_piped(["-m", "bench.load.worker"], environment=environment, stderr=self._errors)

    @property
    def ended(self) -> bool:
        """Whether it takes no further job."""
        return self.process.poll() is not None

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `result` finds that it has ended, and says why
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def result(self, mid: Callable[[int], None] | None = None) -> str:
        """The JSON of its next result. Raises GeneratorError if it ends instead."""
        while True:
            kind, _, text = self._line().partition(" ")
            if kind == "result":
                return text
            if mid is not None:
                mid(int(text))

    def mid(self) -> int:
        """The number in its next line, which is no result. Raises GeneratorError if it ends instead."""
        return int(self._line().partition(" ")[2])

    @contextlib.contextmanager
    def limited(self, limit_s: float) -> Iterator[None]:
        """Kills the worker when the context takes longer, which ends every wait for the worker."""
        timer = threading.Timer(limit_s, self._expire, [limit_s])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def end(self) -> None:
        """Kills the worker: it keeps nothing that has to be saved first."""
        self.process.kill()
        end_piped(self.process)
        self._errors.close()

    def fileno(self) -> int:
        """Where its lines come from."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def receive(self) -> list[str]:
        """The lines that have come, which may be none yet; blocks until something has. Raises GeneratorError."""
        # Not stdout's readline(), which loses the beginning of a line when Ctrl-C comes between two of its reads.
        data = os.read(self.fileno(), READ_BYTES)
        if not data:
            raise GeneratorError(self._obituary())
        self._received.append(data)
        if b"\n" not in data:
            return []
        *lines, rest = b"".join(self._received).split(b"\n")
        self._received = [rest]
        return [line.decode() for line in lines]

    def _line(self) -> str:
        while not self._lines:
            self._lines.extend(self.receive())
        return self._lines.popleft()

    def _expire(self, limit_s: float) -> None:
        self.killed_after_s = limit_s
        self.process.kill()

    def _obituary(self) -> str:
        status = self.process.wait()
        if self.killed_after_s is not None:
            return f"the load generator hung and was killed after {self.killed_after_s:.0f} s"
        self._errors.seek(max(self._errors.seek(0, os.SEEK_END) - MESSAGE_BYTES, 0))
        return f"the load generator failed with status {status}: {self._errors.read().decode(errors='replace').strip()}"
