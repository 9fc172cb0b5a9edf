"""Several requests at once, each timed on its own: what the original example's client did.

httpx is too slow for a load generator, but it suits a handful of requests that wait for seconds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Answer:
    """One request of a burst; times count from the start of the burst."""

    endpoint: str
    start_s: float
    end_s: float
    status: int | None
    """None if there was no answer."""
    error: str | None
    """Why this is no good answer; None for a 200."""

    @property
    def ok(self) -> bool:
        """Whether the answer was a 200."""
        return self.error is None


OnAnswer = Callable[[Answer], None]


def send_at_once(url: str, endpoint: str, count: int, timeout_s: float, on_answer: OnAnswer) -> Sequence[Answer]:
    """Send `count` requests at once, each on a connection of its own; give their answers in the order of arrival.

    `endpoint` is a path with its query, `timeout_s` how long each may take, `on_answer` is called as each arrives.
    """
    return asyncio.run(_send(url, endpoint, count, timeout_s, on_answer))


async def _send(url: str, endpoint: str, count: int, timeout_s: float, on_answer: OnAnswer) -> Sequence[Answer]:
    answers: list[Answer] = []
    limits = httpx.Limits(max_connections=None)
    certificates = url.startswith("https:")  # to read them takes 27 ms of a core
    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=timeout_s, trust_env=False, verify=certificates
    ) as client:
        origin = time.perf_counter()

        async def one() -> None:
            answer = await _ask(client, endpoint, origin)
            answers.append(answer)
            on_answer(answer)

        await asyncio.gather(*(one() for _ in range(count)))
    return answers


async def _ask(client: httpx.AsyncClient, endpoint: str, origin: float) -> Answer:
    start_s = time.perf_counter() - origin
    status, error = None, None
    try:
        response = await client.get(endpoint)
    except httpx.TimeoutException:
        error = f"no answer within {client.timeout.read:g} s"
    except httpx.ConnectError:
        error = "connection refused"
    except httpx.HTTPError as failure:
        error = f"{type(failure).__name__}: {failure}".rstrip(": ")
    else:
        status = response.status_code
        error = None if status == 200 else f"status {status}"
    return Answer(endpoint, start_s, time.perf_counter() - origin, status, error)
