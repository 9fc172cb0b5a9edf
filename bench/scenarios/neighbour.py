"""How much do others suffer when one client burns CPU?

One process on one core has one interpreter: while a view computes, all other requests wait for their turn. Small
requests, and then requests that sleep, arrive as users do (open loop, Poisson, at a rate that leaves a server mostly
idle). They come first alone and then beside a neighbour, a client that makes one call of `/cpu/` after the other, each
of 50 ms of CPU time. The ratio compares the highest percentile for which both loads have the samples. Some servers
cannot carry a load even alone, for example one that serves a single request at a time and is asked by sleepers. Then
the load is not repeated beside the neighbour.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import httpx

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.validity import VALID, Judgement
from bench.models import Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload
from bench.scenarios.open_loop import P90_SAMPLES, WARMUP_S, open_loop, open_reading
from bench.scenarios.schedule import OnceOnSharedServer
from bench.testbed.processes.local_http import local_client

BURN = "/cpu/?milliseconds=50"
SLEEP = "/sleep/python/?seconds=0.05"
SMALL = "GET / 100/s"
SLEEPERS = "sleepers 50/s"
SLEEPER_SAMPLES = 51
# In multiples of the run's duration: 101 arrivals at 100/s take a second, and so do 51 at 50/s.
BOUNDS = (1.0, 3.0)
# A neighbour outlives its load by one call at most, so a call must not take longer than this. A busy server takes half
# a second for 50 ms of CPU time, and one that is overloaded with sleepers takes a few seconds.
CALL_TIMEOUT_S = 10.0
PERCENTILES = ("p99", "p90", "p50")
RATIO = "beside_per_alone"
FIGURES = ("throughput_rps", "p50_s", "p90_s", "p99_s", "service_p50_s", "unsent", "cpu_per_request_s")


class Neighbour:
    """A context manager: while it is open, a client in a thread makes one call of a URL after the other.

    Entering it waits for the first answer. `calls` counts the answers from then on, `elapsed_s` is the time they took,
    and `failure` says why the client stopped early; it is empty if it did not.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls = 0
        self.elapsed_s = 0.0
        self.failure = ""
        self._met = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._call_until_enough, name="neighbour", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._met.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._enough.set()
        self._thread.join()  # every call has a time-out

    def _call_until_enough(self) -> None:
        try:
            with local_client(timeout=CALL_TIMEOUT_S) as client:
                client.get(self.url).raise_for_status()
                self._met.set()
                began = time.perf_counter()
                while not self._enough.is_set():
                    client.get(self.url).raise_for_status()
                    self.calls += 1
                    self.elapsed_s = time.perf_counter() - began
        except httpx.HTTPError as error:
            self.failure = str(error) or type(error).__name__
        finally:
            self._met.set()


def workloads(options: Options) -> Sequence[Workload]:
    """Requests that cost next to nothing; a full run also has requests that sleep."""
    small, sleepers = (
        Workload(SMALL, {"path": "/", "rate_rps": 100, "samples": P90_SAMPLES, "neighbour": BURN}),
        Workload(SLEEPERS, {"path": SLEEP, "rate_rps": 50, "samples": SLEEPER_SAMPLES, "neighbour": BURN}),
    )
    return [small] if options.quick else [small, sleepers]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Send the load alone, then beside the neighbour."""
    alone = load(context, workload)
    if not alone.judgement.valid:
        return combined({"alone": alone})
    with Neighbour(context.server.url + workload.parameters["neighbour"]) as neighbour:
        beside = load(context, workload)
    reading = combined({"alone": alone, "beside": beside})
    if neighbour.failure:
        return replace(reading, judgement=Judgement("ERRORS", f"the neighbour failed: {neighbour.failure}"))
    calls_rps = neighbour.calls / neighbour.elapsed_s if neighbour.calls else 0.0
    return replace(reading, figures={**reading.figures, "neighbour_rps": calls_rps})


def load(context: MeasurementContext, workload: Workload) -> Reading:
    """Send the workload's load once."""
    parameters = workload.parameters
    job = open_loop(context, parameters["rate_rps"], parameters["samples"], BOUNDS, parameters["path"])
    return open_reading(context, job)


def combined(loads: Mapping[str, Reading]) -> Reading:
    """The loads as one reading. If several are not valid, the reason is that of the first.

    A load whose answers fall behind beside the neighbour is valid: all answers came, only later, and whether they do is
    the question.
    """
    doubts = [
        Judgement(one.judgement.state, f"{name}: {one.judgement.reason}")
        for name, one in loads.items()
        if not one.judgement.valid and (name, one.judgement.state) != ("beside", "SATURATED")
    ]
    values = {f"{name}_{figure}": one.figures[figure] for name, one in loads.items() for figure in FIGURES}
    return Reading(
        figures={"offered_rps": loads["alone"].figures["offered_rps"], **values, **suffering(values)},
        judgement=doubts[0] if doubts else VALID,
        raw={name: one.raw for name, one in loads.items()},
        window_s=sum(one.window_s for one in loads.values()),
    )


def suffering(values: Mapping[str, Any]) -> dict[str, Any]:
    """The highest percentile that both loads have, its value in each, and their ratio: at 1 nobody has noticed."""
    for name in PERCENTILES:
        alone_s, beside_s = values.get(f"alone_{name}_s"), values.get(f"beside_{name}_s")
        if alone_s and beside_s:
            return {"percentile": int(name[1:]), "alone_s": alone_s, "beside_s": beside_s,
                    "beside_per_alone": beside_s / alone_s}  # fmt: skip
    return {}


def finding(judged: JudgedScenario) -> str:
    """What the neighbour does to small requests. It was measured once, so the sentence names no winner."""
    rated = [
        (ratios[-1], cell)
        for cell in judged.cells
        if cell.workload["name"] == SMALL and cell.judgement.valid and (ratios := cell.values(RATIO))
    ]
    if not rated:
        return ""
    rated.sort(key=lambda pair: pair[0])
    (_, least), (_, most) = rated[0], rated[-1]
    said = [suffered(least)] if least is most else [suffered(least), suffered(most)]
    return f"Beside one client that calls {BURN}, small requests wait {' and '.join(said)}."


def suffered(cell: JudgedCell) -> str:
    """`24 times as long with sync (p90 2.1 → 51.3 ms)`."""
    ratio, percent, alone_s, beside_s = (cell.values(name)[-1] for name in (RATIO, "percentile", "alone_s", "beside_s"))
    return f"{ratio:.1f} times as long with {cell.model} (p{percent:.0f} {alone_s * 1e3:.1f} → {beside_s * 1e3:.1f} ms)"


def expected_s(options: Options, model: Model) -> float:
    """Two loads for each workload. A server that cannot carry one alone takes as long to answer what was sent."""
    return 2 * len(workloads(options)) * (WARMUP_S + 1.0 + 0.1)


SCENARIO = Scenario(
    name="neighbour",
    question="How much do others suffer when one client burns CPU?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure=RATIO,
    schedule=OnceOnSharedServer(),
    expected_s=expected_s,
)
