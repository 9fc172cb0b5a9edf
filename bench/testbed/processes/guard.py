"""Runs one command and ends it, whole process group and all, as soon as the bench is gone.

Its standard input is a pipe whose other end only the bench holds. The kernel closes that end however the bench ends,
`kill -9` included, so end-of-file here means: stop the command. It is run as a script, without site-packages, so that
it starts in some 20 ms and holds little memory.

The bench may also write `freeze SECONDS` to the pipe. Then every process beneath this one is stopped (SIGSTOP), in
whatever group it is, and goes on when the bench writes `continue`, when the time is over, or when the pipe closes.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform == "linux"
# Held while processes are stopped. The main thread takes it before it ends, so that none is left so.
FREEZING = threading.Lock()


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
    threading.Thread(target=obey, args=(child, job), daemon=True).start()
    code = child.wait()
    FREEZING.acquire()
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


def obey(child: "subprocess.Popen[bytes]", job: dict[str, Any]) -> None:
    """Freeze the command's processes when told to; end the command once the bench has closed the pipe."""
    while order := os.read(sys.stdin.fileno(), 1024).decode().split():
        if order[0] == "freeze":
            freeze(float(order[1]))
        else:
            answer({"continued": False})
    end(child, job)


def freeze(for_s: float) -> None:
    """Stop all processes for so long, or until the bench says or does anything; tell it whether that came in time."""
    with FREEZING:
        answer({"frozen": stop_all()})
        told, _, _ = select.select([sys.stdin], [], [], for_s)
        carry_on()
    if told and os.read(sys.stdin.fileno(), 1024):
        answer({"continued": True})


def stop_all() -> list[int]:
    """Stop every process beneath this one, and those that one of them started before it was stopped."""
    stopped: set[int] = set()
    while fresh := beneath() - stopped:
        signal_each(fresh, signal.SIGSTOP)
        stopped |= fresh
    return sorted(stopped)


def carry_on() -> None:
    """Let every process beneath this one go on."""
    signal_each(beneath(), signal.SIGCONT)


def beneath() -> set[int]:
    """All processes that descend from this one; none where the system has no /proc."""
    parents = {int(name): parent(name) for name in os.listdir("/proc") if name.isdigit()} if LINUX else {}
    found, above = set[int](), {os.getpid()}
    while above := {pid for pid, its in parents.items() if its in above}:
        found |= above
    return found


def parent(pid: str) -> int:
    """A process's parent, 0 if it has ended. The name before it may have blanks and brackets in it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def signal_each(pids: set[int], number: int) -> None:
    """Signal these processes as far as they are left."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end(child: "subprocess.Popen[bytes]", job: dict[str, Any]) -> None:
    """Ask the command to end, and kill it after the grace time."""
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
