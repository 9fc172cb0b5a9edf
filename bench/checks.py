"""Before anything is timed: does this server keep the contract, and do its waits overlap as the registry says?"""

from dataclasses import dataclass
from typing import Any

import httpx

from bench.bed import POOL
from bench.burst import send_at_once
from bench.scenarios.classic import POSTGRES, PYTHON
from bench.server.life import Server
from bench.validity import VALID, Judgement

SLEEPERS = 4
SLEEP_S = 0.06
# One after the other takes 4 waits and all at once takes 1: the limits leave a wait and a half for a slow machine.
SERIAL_AT_LEAST = 3.5
TOGETHER_AT_MOST = 2.5
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Overlap:
    """Waits that took place one after the other when four were asked for at once: 1 is full overlap, 4 is none."""

    python: float
    database: float


def check_contract(server: Server, pool: int = POOL) -> Judgement:
    """Whether the answers are what every model must answer, the 50 todos and rows of them, from a pool of that size."""
    with httpx.Client(base_url=server.url, timeout=TIMEOUT_S, trust_env=False) as client:
        try:
            todos = ask(client, "/todos/")
            wrong = [
                path
                for path, right in (
                    ("/", isinstance(ask(client, "/"), dict)),
                    ("/todos/", isinstance(todos, list) and len(todos) == 50),
                    ("/todos/1", ask(client, "/todos/1") == todos[0]),
                    ("/queries/?count=2", all(row in todos for row in ask(client, "/queries/?count=2"))),
                    ("/sleep/postgres/?seconds=0", ask(client, "/sleep/postgres/?seconds=0") == todos),
                )
                if not right
            ]
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            return Judgement("ERRORS", f"the contract check failed: {error or type(error).__name__}")
    if wrong:
        return Judgement("ERRORS", f"the contract check failed: {', '.join(wrong)} did not answer what it must")
    if server.info.get("pool") != pool:
        return Judgement("ERRORS", f"the server says it has {server.info.get('pool')} connections, not {pool}")
    return VALID


def ask(client: httpx.Client, path: str) -> Any:
    """The JSON body of a 200; raises httpx.HTTPStatusError for anything else."""
    return client.get(path).raise_for_status().json()


def probe_overlap(server: Server) -> Overlap:
    """Four sleepers at once, in Python and in the database."""
    waits = []
    for endpoint in (PYTHON, POSTGRES):
        answers = send_at_once(server.url, f"{endpoint}?seconds={SLEEP_S}", SLEEPERS, TIMEOUT_S, lambda _: None)
        waits.append(max(answer.end_s for answer in answers) / SLEEP_S)
    return Overlap(*waits)


def judge_overlap(server: Server, overlap: Overlap) -> Judgement:
    """Whether the probe agrees with the registry."""
    model = server.model
    claims = (
        ("python", overlap.python, model.python_waits_overlap),
        ("database", overlap.database, model.database_waits_overlap),
    )
    for name, waits, together in claims:
        if together and waits > TOGETHER_AT_MOST:
            return Judgement("ERRORS", f"{SLEEPERS} {name} waits at once took {waits:.1f} waits; they should overlap")
        if not together and waits < SERIAL_AT_LEAST:
            return Judgement(
                "ERRORS", f"{SLEEPERS} {name} waits at once took {waits:.1f} waits; they should not overlap"
            )
    return VALID
