"""How many times as much do two generators send as one, if each has a core? A program, for machines with few cores too.

A generator and the server that does nothing need about as much CPU time for a request as each other, so that one
generator with a whole core is at that server's limit already. Here each generator may use a tenth of a core, which the
kernel sees to (control groups, version 1 or 2; as root), and the server has a core: what is compared is how many
requests so much of a core sends.

    python -m tests.load.limited_generators [generators]
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.load import Generator, LoadJob
from bench.load.null_server import null_server

QUOTA_US, PERIOD_US = 1_000, 10_000  # so much of a core in each period; the kernel takes no quota below 1 ms
LIMITS = {
    "cpu.cfs_period_us": str(PERIOD_US),
    "cpu.cfs_quota_us": str(QUOTA_US),
    "cpu.shares": "100000",
    "cpu.max": f"{QUOTA_US} {PERIOD_US}",
    "cpu.weight": "10000",
}
"""By the file of a control group, of version 1 or 2: its limit, and its weight beside whatever else there is."""
FIRST = -20  # of the server's priority: it is to have its core whatever else the machine does
TURNS = 5


def group_root() -> Path:
    """Where control groups that limit CPU time are made."""
    return next(path for path in (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")) if path.is_dir())


@contextmanager
def limited(pids: Sequence[int]) -> Iterator[None]:
    """Each of these processes may use its share of a core. Raises OSError where that cannot be had."""
    if not pids:
        yield
        return
    group = group_root() / f"bench-{pids[0]}"
    group.mkdir()
    try:
        files = [group / name for name in LIMITS if (group / name).exists()]
        if not files:
            raise OSError(f"{group} cannot limit CPU time")
        for file in files:
            file.write_text(LIMITS[file.name], encoding="utf-8")
        (group / "cgroup.procs").write_text(str(pids[0]), encoding="utf-8")
        with limited(pids[1:]):
            yield
    finally:
        if Path(f"/proc/{pids[0]}").exists():
            (group_root() / "cgroup.procs").write_text(str(pids[0]), encoding="utf-8")
        group.rmdir()


@contextmanager
def generators(count: int, job: LoadJob) -> Iterator[Generator]:
    """So many limited generators, which have sent a load before."""
    with Generator(count) as made:
        made.run(replace(job, duration_s=0.05, warmup_s=0.0))
        with limited([worker.process.pid for worker in made._workers()]):
            yield made


def ratio(count: int = 2, duration_s: float = 1.0, turns: int = TURNS) -> float:
    """How many times as much they send as one does; the median of some turns, because the machine's speed moves."""
    *others, last = sorted(os.sched_getaffinity(0))
    with null_server((last,)) as server:
        os.setpriority(os.PRIO_PROCESS, server.pid, FIRST)
        one_job = LoadJob(
            host="127.0.0.1", port=server.port, connections=4, duration_s=duration_s, warmup_s=0.1, cores=tuple(others)
        )
        jobs = one_job, replace(one_job, connections=4 * count)
        with generators(1, jobs[0]) as one, generators(count, jobs[1]) as several:
            return median(several.run(jobs[1]).throughput_rps / one.run(jobs[0]).throughput_rps for _ in range(turns))


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    print(f"{wanted} generators send {ratio(wanted):.2f} times as many requests a second as one")
