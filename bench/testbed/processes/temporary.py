"""A folder for the bench's own files that is removed when the bench ends, `kill -9` included."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError
from bench.testbed.processes.piped import SCRIPT, close_pipe, end_piped, first_answer, start_piped

GUARD = Path(__file__).with_name("folder_guard.py")


@dataclass(frozen=True)
class TemporaryFolder:
    """A temporary folder's path, and the pipe that keeps the folder in place."""

    path: Path
    pipe: int
    """The folder is there as long as a process has this file descriptor open."""
    users: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    """The guards that have it open. An interrupt may come before anybody could have asked one of them to end."""


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[TemporaryFolder]:
    """A new folder in `parent` (None: the system's for temporary files), removed at the end of the context.

    It is made and removed by a process of its own, so there is no moment at which a killed bench would leave it.

    Raises BenchError if it cannot be made.
    """
    guard = start_piped([*SCRIPT, str(GUARD), prefix, str(parent or "")])
    assert guard.stdin is not None
    try:
        made = first_answer(guard)
        if "error" in made:
            raise BenchError(f"cannot make a folder for temporary files: {made['error']}; make room, or set TMPDIR")
        folder = TemporaryFolder(Path(made["folder"]), guard.stdin.fileno())
        try:
            yield folder
        finally:
            for user in folder.users:
                close_pipe(user)
    finally:
        end_piped(guard)
