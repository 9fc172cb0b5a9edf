"""Does a server keep the contract, does it answer at once, and do its waits overlap as the registry says?

Asked before anything is timed.
"""

import time
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Any

import httpx

from bench.judging.validity import VALID, Judgement
from bench.load.burst import send_at_once
from bench.models import Model
from bench.scenarios.classic import PYTHON
from bench.testbed.processes.local_http import local_client
from bench.testbed.servers.life import Server

SLEEPERS = 4
# Seconds of one probe after the other. Another process may spoil a short probe; a longer one then tells the truth.
SLEEPS_S = (0.06, 0.06, 0.12, 0.24, 0.48)
# Four sleepers take 4 waits one after the other, and 1 if they overlap. A slow machine may add a wait and a half.
SERIAL_AT_LEAST = 3.5
TOGETHER_AT_MOST = 2.5
TIMEOUT_S = 30.0
# Requests on a kept connection, and as many on new ones. Linux delays an acknowledgement by 40 ms and more; a client
# that is kept from its core sees less of that.
PROBES = 15
DELAYED_S = 0.02
NO_DELAY = "https://github.com/Kludex/uvicorn/issues/3149"
# Threads that a process may have beside those that answer: for name look-ups, watchers, a loop's thread pool.
HELPER_THREADS = 8


@dataclass(frozen=True)
class Overlap:
    """How many waits it takes to serve four sleepers in each process: 1 if all of them overlap, 4 if none do."""

    python: float
    database: float


def check_contract(server: Server, pool: int | None = None) -> Judgement:
    """Whether the server is what the registry says of its model, and answers what every model must.

    `pool` is how many connections its set-up gives each process; None: as many as the model has.
    """
    sleep = f"{server.model.database_sleep}?seconds=0"
    with local_client(server.url, timeout=TIMEOUT_S) as client:
        try:
            todos = ask(client, "/todos/")
            wrong = [
                path
                for path, right in (
                    ("/", isinstance(ask(client, "/"), dict)),
                    ("/todos/", isinstance(todos, list) and len(todos) == 50),
                    ("/todos/1", ask(client, "/todos/1") == todos[0]),
                    ("/queries/?count=2", all(row in todos for row in ask(client, "/queries/?count=2"))),
                    (sleep, ask(client, sleep) == todos),
                )
                if not right
            ]
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            return Judgement("ERRORS", f"the contract check failed: {error or type(error).__name__}")
    if wrong:
        return Judgement("ERRORS", f"the contract check failed: {', '.join(wrong)} did not answer what it must")
    return judge_info(server, server.model.pool if pool is None else pool)


def judge_info(server: Server, pool: int) -> Judgement:
    """Whether what the server says of itself is what the registry says of it."""
    model, info = server.model, server.info
    loop = info["loop"].partition(".")[0] if info["loop"] else None
    most = model.threads + HELPER_THREADS if model.threads else inf
    wrong = [
        f"{name} is {found}, not {right}"
        for name, found, right in (
            ("app", info["app"], model.app),
            ("server", info["server"].partition(" ")[0], model.distribution),
            ("driver", info["driver"], model.driver or info["driver"]),
            ("processes", info["processes"], model.workers),
            ("event loop", loop, model.loop),
            ("connections of each process", info["pool"], pool),
            ("connections of all processes", info["pool_total"], pool * model.workers),
        )
        if found != right
    ]
    wrong += [f"{info['threads']} threads, not {most:g} at most"] if info["threads"] > most else []
    return Judgement("ERRORS", f"/info and the registry disagree: {'; '.join(wrong)}") if wrong else VALID


def ask(client: httpx.Client, path: str) -> Any:
    """The JSON body of a 200; raises httpx.HTTPStatusError for anything else."""
    return client.get(path).raise_for_status().json()


def check_delay(server: Server) -> Judgement:
    """Whether answers on a kept connection wait until the client acknowledges what came before.

    Without TCP_NODELAY the body of an answer, sent after its head, waits until the client acknowledges the head, and
    the client delays that. The first answer on a connection does not wait: uvicorn's issue 3149 measures both, with
    several processes of uvicorn on asyncio's own loop.

    What is timed is how long after its head a body comes, which a busy machine seldom lengthens, and requests on the
    kept connection and on new ones take turns. A third of them must have waited, because a client that is kept from its
    core sees some heads late; with three busy loops on each core, a server without the defect had 2 of 9 at most.
    """
    with (
        local_client(server.url, timeout=TIMEOUT_S) as kept,
        local_client(server.url, timeout=TIMEOUT_S, headers={"Connection": "close"}) as new,
    ):
        try:
            body_after_s(kept)
            pairs = [(body_after_s(kept), body_after_s(new)) for _ in range(PROBES)]
        except httpx.HTTPError as error:
            return Judgement("ERRORS", f"the check of delayed answers failed: {error or type(error).__name__}")
    on_kept, on_new = ([wait_s for wait_s in waits_s if wait_s >= DELAYED_S] for waits_s in zip(*pairs, strict=True))
    if len(on_kept) * 3 < PROBES or len(on_new) * 3 >= PROBES:
        return VALID
    return Judgement(
        "UNSTABLE",
        f"{len(on_kept)} of {PROBES} bodies came {median(on_kept) * 1e3:.0f} ms after their heads on a connection that "
        f"is kept open, and {len(on_new)} on new ones: TCP_NODELAY is not set on the server's connections, so that a "
        f"body waits for the client's delayed acknowledgement; {NO_DELAY}",
    )


def body_after_s(client: httpx.Client) -> float:
    """How long after its head the body of `/` has come."""
    with client.stream("GET", "/") as answer:
        began = time.perf_counter()
        answer.read()
        return time.perf_counter() - began


def sleepers(model: Model, together: bool) -> int:
    """How many requests to send at once: four for each process where waits do not overlap, so that one gets four."""
    return SLEEPERS if together else SLEEPERS * model.workers


def check_overlap(server: Server) -> tuple[Judgement, Overlap]:
    """Whether waits overlap as the registry says. The first probe that agrees with it decides, or else the longest."""
    for seconds in SLEEPS_S:
        overlap = probe_overlap(server, seconds)
        judgement = judge_overlap(server, overlap)
        if judgement.valid:
            break
    return judgement, overlap


def probe_overlap(server: Server, seconds: float) -> Overlap:
    """Send sleepers of so many seconds at once, first in Python and then in the database."""
    waits = []
    for endpoint, together in claims(server.model).values():
        path, count = f"{endpoint}?seconds={seconds}", sleepers(server.model, together)
        answers = send_at_once(server.url, path, count, TIMEOUT_S, lambda _: None)
        waits.append(max(answer.end_s for answer in answers) / seconds)
    return Overlap(*waits)


def claims(model: Model) -> dict[str, tuple[str, bool]]:
    """By the kind of wait: the endpoint that waits, and whether the model says that such waits overlap."""
    return {
        "python": (PYTHON, model.python_waits_overlap),
        "database": (model.database_sleep, model.database_waits_overlap),
    }


def judge_overlap(server: Server, overlap: Overlap) -> Judgement:
    """Whether the probe agrees with the registry."""
    for name, (_, together) in claims(server.model).items():
        waits, count = getattr(overlap, name), sleepers(server.model, together)
        took = f"{count} {name} waits at once took {waits:.1f} waits"
        if together and waits > TOGETHER_AT_MOST:
            return Judgement("ERRORS", f"{took}; they should overlap")
        if not together and waits < SERIAL_AT_LEAST:
            return Judgement("ERRORS", f"{took}; they should not overlap")
    return VALID
