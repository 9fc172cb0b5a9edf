"""How does the bench start a Python process of its own? On a pipe, which the kernel closes however the bench ends.

The process ends when it has read the pipe to its end. It is in a session of its own, because the terminal's Ctrl-C is
for the bench, which then ends it.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

SCRIPT = ("-I", "-S")
"""What a script of the standard library alone is run with: it starts in some 20 ms and holds little memory."""


def start_piped(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stderr: IO[bytes] | None = None,
    inherited: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start Python with these arguments; `inherited` are file descriptors that it keeps open until it ends."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment,
        cwd=cwd,
        pass_fds=inherited,
        start_new_session=True,
    )


def first_answer(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """The JSON object that the process writes first, or next; an `error` in it says why there is nothing else."""
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline() or '{"error": "it ended at once"}')
    return answer


def close_pipe(process: "subprocess.Popen[bytes]") -> None:
    """Have the process end; a second time does nothing."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def end_piped(process: "subprocess.Popen[bytes]") -> None:
    """Close the pipe and wait for the process to end."""
    assert process.stdout is not None
    close_pipe(process)
    process.wait()
    process.stdout.close()
