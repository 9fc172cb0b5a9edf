"""What has each of several generators to send, so that together they send what one would have sent?

Connections are divided, and what goes with them. Of an open loop each share draws the whole seeded schedule and keeps
its lot (see bench/load/pacing.py), so that every request is in one share. What differs from one generator: a request
of an open loop waits for a connection of its own share, though another may have one free.
"""

from dataclasses import replace

from bench.load.job import LoadJob, Lot
from bench.load.slices import SlicesJob, Target
from bench.load.stream_job import StreamJob

__all__ = ["cut", "cut_slices", "cut_streams", "shares_of", "split"]


def split(count: int, of: int) -> list[int]:
    """A number in so many shares, which differ by 1 at most."""
    return [count // of + (number < count % of) for number in range(of)]


def shares_of(job: LoadJob, generators: int) -> int:
    """Into how many shares a load can be cut: each must have a connection, and of a closed loop a request."""
    requests = job.max_requests if job.rate_rps is None else None
    return min(generators, job.connections, requests or generators)


def cut(job: LoadJob, generators: int) -> list[LoadJob]:
    """The shares of a load, for as many generators or fewer; the load itself if it is the only one."""
    of = shares_of(job, generators)
    if of == 1:
        return [job]
    connections, waiting = split(job.connections, of), split(job.queue_limit, of)
    requests: list[int | None] = [job.max_requests] * of
    if job.rate_rps is None and job.max_requests is not None:
        requests = list(split(job.max_requests, of))
    return [
        replace(
            job,
            connections=connections[number],
            queue_limit=waiting[number],
            max_requests=requests[number],
            lot=Lot(number, of),
        )
        for number in range(of)
    ]


def cut_streams(job: StreamJob, generators: int) -> list[StreamJob]:
    """The shares of event streams."""
    return [replace(job, streams=streams) for streams in split(job.streams, min(generators, job.streams))]


def cut_slices(job: SlicesJob, generators: int) -> list[SlicesJob]:
    """The shares of slices.

    Of a target with fewer shares, the last generators have one too, but are never told to take part in its slices.
    """
    shares = [cut(target.job, generators) for target in job.targets]
    of = max(map(len, shares))
    return [
        replace(
            job,
            targets=tuple(
                Target(job=own[min(number, len(own) - 1)], pids=target.pids)
                for target, own in zip(job.targets, shares, strict=True)
            ),
        )
        for number in range(of)
    ]
