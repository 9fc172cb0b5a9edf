"""Runs one command and ends it, whole process group and all, as soon as the bench is gone.

Its standard input is a pipe whose other end only the bench holds. The kernel closes that end however the bench ends,
`kill -9` included, so end-of-file here means: stop the command. It is run as a script, without site-packages, so that
it starts in some 20 ms and holds little memory.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from typing import Any

PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Read the job from the command line, run it, print its process id, and wait for it or for the bench to end."""
    job: dict[str, Any] = json.loads(sys.argv[1])
    if job["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job["cores"])
    raise_file_limit()
    adopt_orphans()
    account = {"user": job["account"][0], "group": job["account"][1], "extra_groups": []} if job["account"] else {}
    try:
        with open(job["log"], "ab") as log:
            child = subprocess.Popen(
                job["command"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                pass_fds=job["inherited"],
                **account,
            )
    except OSError as error:
        answer({"error": str(error)})
        return 1
    answer({"pid": child.pid})
    threading.Thread(target=stop_at_end_of_file, args=(child, job), daemon=True).start()
    code = child.wait()
    signal_group(child.pid, signal.SIGKILL)
    wait_for_group(child.pid)
    return code if code >= 0 else 128 - code


def answer(content: dict[str, Any]) -> None:
    """Tell the bench, which may be gone already."""
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(content).encode() + b"\n")


def raise_file_limit() -> None:
    """As many open files as the system lets this user have: the usual soft limit of 1,024 would end every scale test.

    macOS calls its hard limit infinite and refuses it, so there the soft one stays.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (soft, resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def adopt_orphans() -> None:
    """Become the parent of workers whose own parent has ended, so that they can be waited for; on Linux only."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for_group(group: int) -> None:
    """Wait until every process of the group that is a child of this one has ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def stop_at_end_of_file(child: "subprocess.Popen[bytes]", job: dict[str, Any]) -> None:
    """Ask the command to end once the bench has closed the pipe, and kill it after the grace time."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    signal_group(child.pid, job["stop_signal"])
    try:
        child.wait(job["grace_s"])
    except subprocess.TimeoutExpired:
        signal_group(child.pid, signal.SIGKILL)


def signal_group(group: int, number: int) -> None:
    """Signal every process of the group that is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    # A handler that does nothing, since the command would inherit "ignored" and could then not be asked to end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    sys.exit(main())
