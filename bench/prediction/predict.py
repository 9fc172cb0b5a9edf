"""What would a model do with the reader's requests? bench/prediction/__init__.py says what this is calculated from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.prediction.costs import Measured
from bench.prediction.figures import Demand
from bench.prediction.queueing import NEGLIGIBLE, Queue, closed_rps, queue_of, variation
from bench.prediction.station import Station, station_of

ENOUGH = 0.98  # of the highest throughput: fewer processes that reach this are as good
P99_DEVIATIONS = 2.326  # from the mean of a normal distribution to its 99th percentile
NEARLY = 0.9  # of the most processes that are possible: from here on their number counts as the limit
MOST_PROCESSES = 1_000  # bounds the calculation; machines that hold more processes are not asked about here


# Restarting a server changes its capacity by up to 25 %, and a rate must be kept all the same.
RESTART_MARGIN = 0.75


@dataclass(frozen=True)
class Prediction:
    """What a model would do with the reader's requests."""

    model: str
    processes: int
    capacity_rps: float
    """Answers a second: with so many requests at once if these are given, else the most that is possible."""
    per_core_rps: float
    limit: str
    """What prevents more answers a second: load, connections, cpu, threads, blocking or memory."""
    p50_s: float | None
    """None if response times grow for as long as the rate lasts."""
    p99_s: float | None
    """None as above."""
    memory_bytes: float
    connections: int
    fits: bool
    """Whether the requests fit into the memory, and the rate is kept if one is given."""
    keeps_slo: bool
    """Whether p99 stays below the reader's limit."""


def predict(model: Measured, demand: Demand) -> Prediction:
    """The prediction from the mean costs of all generations."""
    return predicted(model, station_of(model, model.costs, demand), demand)


def predicted(model: Measured, station: Station, demand: Demand) -> Prediction:
    """The prediction for requests of which that is known."""
    rates = rates_of(model, station, demand)
    peak = peak_of(rates)
    if demand.rate_rps is not None:
        for count, rate in enumerate(rates, start=1):
            if has_spare(rate, demand.rate_rps):
                found = described(model, station, demand, count, peak)
                if found.fits and found.keeps_slo:
                    return found
    return described(model, station, demand, peak, peak)


def has_spare(capacity_rps: float, rate_rps: float) -> bool:
    """Whether the rate would be kept by a server that a restart made slower."""
    return rate_rps <= RESTART_MARGIN * capacity_rps


def capacities(model: Measured, demand: Demand) -> list[float]:
    """Answers a second from the costs of each generation; models are ranked by these."""
    peak = peak_of(rates_of(model, station_of(model, model.costs, demand), demand))
    return [throughput(model, station_of(model, costs, demand), demand, peak) for costs in model.generations]


def rates_of(model: Measured, station: Station, demand: Demand) -> list[float]:
    """Answers a second with one process, with two, and so on."""
    most = most_processes(model, station, demand)
    return [throughput(model, station, demand, count) for count in range(1, most + 1)]


def peak_of(rates: Sequence[float]) -> int:
    """The fewest processes that come close to the highest throughput."""
    return next(count for count, rate in enumerate(rates, start=1) if rate >= ENOUGH * max(rates))


def by_memory(model: Measured, demand: Demand) -> int:
    """How many processes fit into the memory; at least one."""
    return max(1, min(MOST_PROCESSES, int(demand.memory_bytes // model.memory_bytes)))


def most_processes(model: Measured, station: Station, demand: Demand) -> int:
    """How many processes memory, connections and cores allow; more than cores only where that helps."""
    most = by_memory(model, demand)
    if demand.queries:
        most = min(most, demand.db_connections)
    cores = min(most, demand.cores)
    found = limits(model, station, demand, cores)
    threads_bind = "threads" in found and found["threads"] <= min(found.values())
    return most if station.blocked_s or threads_bind else cores


def throughput(model: Measured, station: Station, demand: Demand, processes: int) -> float:
    """Answers a second of so many processes: with the given requests at once, or with any number of them."""
    each = in_flight(model, demand, processes) / processes
    inside = min(each, model.threads or math.inf)
    rate = closed_rps(station.service_s, station.wait_s, inside)
    if demand.queries:
        pool = demand.db_connections // processes
        rate = min(rate, closed_rps(station.service_s, station.held_wait_s, min(inside, pool)))
    return min(processes * rate, on_cores(station, demand, processes, inside))


def on_cores(station: Station, demand: Demand, processes: int, inside: float) -> float:
    """Answers a second that the cores allow where several processes share each of them."""
    if processes <= demand.cores:
        return math.inf
    inside = min(1.0, inside) if station.blocked_s else inside
    wait_s = station.blocked_s or station.wait_s
    return demand.cores * closed_rps(station.busy_s, wait_s, processes * inside / demand.cores)


def in_flight(model: Measured, demand: Demand, processes: int) -> float:
    """How many requests are being served: as many as there are, or as fit into the memory.

    Threads bound the requests by themselves, because one that waits for a thread takes no memory in the process yet.
    """
    room = math.inf
    if model.request_bytes and model.threads is None:
        room = max(1.0, (demand.memory_bytes - processes * model.memory_bytes) / model.request_bytes)
    return min(room, math.inf if demand.concurrency is None else float(demand.concurrency))


def limits(model: Measured, station: Station, demand: Demand, processes: int) -> dict[str, float]:
    """How many answers a second each limit would allow if it were the only one; of equal ones the first counts."""
    found = {"load": (demand.concurrency or math.inf) / station.alone_s}
    if demand.queries:
        found["connections"] = processes * (demand.db_connections // processes) / station.held_s
    shared = bool(station.blocked_s) or model.threads is not None
    found["cpu"] = (demand.cores if shared else min(processes, demand.cores)) / station.busy_s
    if model.threads is not None:
        found["threads"] = processes * model.threads / station.alone_s
    elif station.blocked_s:
        found["blocking"] = processes / station.service_s
    found["memory"] = in_flight(model, replace(demand, concurrency=None), processes) / station.alone_s
    return found


def limit_of(model: Measured, station: Station, demand: Demand, processes: int) -> str:
    """The lowest limit; where more processes would raise it, what forbids more processes."""
    found = limits(model, station, demand, processes)
    name = next(name for name, rate in found.items() if rate <= min(found.values()) / ENOUGH)
    if name in ("threads", "blocking") and processes >= NEARLY * most_processes(model, station, demand):
        fewer = demand.queries and demand.db_connections <= by_memory(model, demand)
        return "connections" if fewer else "memory"
    return name


def described(model: Measured, station: Station, demand: Demand, processes: int, peak: int) -> Prediction:
    """The prediction for so many processes; `peak` is the number of them that answers most."""
    capacity_rps = throughput(model, station, demand, peak)
    if demand.rate_rps is None:
        response = closed_response(model, station, demand, processes, capacity_rps)
        waiting = float(demand.concurrency or 0)
    else:
        response = open_response(model, station, demand, processes, demand.rate_rps)
        waiting = math.inf if response.mean_s is None else demand.rate_rps * response.mean_s
    begun = waiting if model.threads is None else min(waiting, processes * model.threads)
    room = (demand.memory_bytes - processes * model.memory_bytes) / (model.request_bytes or NEGLIGIBLE)
    each = demand.db_connections // processes
    return Prediction(
        model=model.name,
        processes=processes,
        capacity_rps=capacity_rps,
        per_core_rps=capacity_rps / min(demand.cores, peak),
        limit=limit_of(model, station, demand, peak),
        p50_s=response.p50_s,
        p99_s=response.p99_s,
        memory_bytes=processes * model.memory_bytes + min(begun, max(0.0, room)) * (model.request_bytes or 0.0),
        connections=processes * min(each, model.threads or each) if demand.queries else 0,
        fits=response.p99_s is not None and begun <= room,
        keeps_slo=response.p99_s is not None and response.p99_s <= demand.slo_s,
    )


@dataclass(frozen=True)
class Response:
    """Response times; all are None if they grow for as long as the rate lasts."""

    p50_s: float | None = None
    p99_s: float | None = None
    mean_s: float | None = None


def closed_response(model: Measured, station: Station, demand: Demand, processes: int, rate_rps: float) -> Response:
    """Response times of N requests at once: the mean is N / throughput, and the services ahead vary independently."""
    count = float(demand.concurrency or 0)
    mean_s = count / rate_rps
    ahead = max(0.0, count - rate_rps * station.alone_s)
    on_cpu = limit_of(model, station, demand, processes) == "cpu"
    varies = 1.0 if on_cpu else variation(station.busy_s, station.alone_s if model.threads else station.held_s)
    return Response(mean_s, mean_s + P99_DEVIATIONS * math.sqrt(ahead * varies) / rate_rps, mean_s)


def open_response(model: Measured, station: Station, demand: Demand, processes: int, rate_rps: float) -> Response:
    """Response times at a rate: the request's own time, the worst queue's percentile, and the other queues' means."""
    means, queues = [], queues_of(model, station, demand, processes, rate_rps)
    for queue in queues:
        if queue.mean_s is None:
            return Response()
        means.append(queue.mean_s)
    p50_s, p99_s = (
        station.alone_s + sum(means) + max(queue.percentile_s(share) - (queue.mean_s or 0.0) for queue in queues)
        for share in (0.5, 0.99)
    )
    return Response(p50_s, p99_s, station.alone_s + sum(means))


def queues_of(model: Measured, station: Station, demand: Demand, processes: int, rate_rps: float) -> list[Queue]:
    """The queues for the process or the cores, for the threads, and for the connections.

    The list ends with the first queue that grows without end.
    """
    mine_rps = rate_rps / processes
    if rate_rps * station.busy_s >= demand.cores:
        return [Queue(1.0, None)]
    if model.threads is None:
        first = queue_of(1, mine_rps, station.service_s, variation(station.busy_s, station.service_s))
    elif processes * model.threads <= demand.cores:
        first = Queue(0.0, 0.0)
    else:
        first = queue_of(min(processes, demand.cores), rate_rps, station.busy_s, 1.0)
    found = [first]
    if first.mean_s is not None and model.threads is not None:
        taken_s = station.alone_s + first.mean_s
        shared = model.loop is None and model.threads == 1
        servers, its_rps = (processes, rate_rps) if shared else (model.threads, mine_rps)
        found.append(queue_of(servers, its_rps, taken_s, variation(station.busy_s, taken_s)))
    if first.mean_s is not None and demand.queries and station.held_wait_s:
        held_s = station.held_s + first.mean_s
        pool = demand.db_connections // processes
        found.append(queue_of(pool, mine_rps, held_s, variation(station.busy_s, held_s)))
    return found
