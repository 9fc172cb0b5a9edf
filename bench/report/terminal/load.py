"""A load and a calibration in the terminal: what was measured, and what each figure does not say."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.judging.validity import GENERATOR_CPU
from bench.load import Latency, LoadJob, LoadResult
from bench.load.calibration import Calibration
from bench.report.terminal.waterfall import bar

PERCENTILES = {"p50": "p50_s", "p90": "p90_s", "p95": "p95_s", "p99": "p99_s", "p99.9": "p999_s"}
OTHERS = {"mean": "mean_s", "min": "min_s", "max": "max_s"}
ROWS = 24  # of a histogram; above that, neighbouring bins share one
BINS_PER_DECADE = 10  # as in LoadResult.histogram
LABEL_WIDTH, COUNT_WIDTH = 11, 10

NOT_SHOWN = "–: fewer than 10 samples lie beyond this percentile, so single stragglers would decide it."
AT_LEAST = "≥: lies among the time-outs, whose true time nobody knows."
CLOSED = (
    "A closed loop sends the next request only after an answer. While the server stalls it sends nothing, so these "
    "latencies hide coordinated omission: they say how fast the server can be, not how long users wait. "
    "For that, load at a --rate."
)
OPEN = (
    "Response time counts from when a request was due, waiting for a free connection included; "
    "service time from when it was sent."
)


def load_report(result: LoadResult, job: LoadJob, width: int) -> RenderableType:
    """All there is to say about one load, at most `width` columns wide."""
    blocks: list[RenderableType] = [
        Text(heading(job), "bold"),
        "",
        facts(result, job),
        "",
        latencies(result),
        *(Text(note, "dim") for note in notes(result)),
        "",
        histogram(result.histogram, width),
    ]
    return Group(*blocks)


def calibration_report(calibration: Calibration) -> RenderableType:
    """The generator's ceiling, and wrk's beside it."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("against the null server", no_wrap=True)
    for name in ("requests/s", "CPU", "lag p50", "lag p99"):
        table.add_column(name, justify="right", no_wrap=True)
    c = calibration
    lag = (duration(c.open_start_lag_p50_s), duration(c.open_start_lag_p99_s))
    closed = f"closed loop, {c.closed_connections} connections"
    table.add_row(closed, f"{c.closed_rps:,.0f}", f"{c.closed_cpu_share:.0%}", "", "")
    table.add_row(f"open loop at {c.open_offered_rps:,g}/s", f"{c.open_rps:,.0f}", f"{c.open_cpu_share:.0%}", *lag)
    wrk = "–" if c.wrk_rps is None else f"{c.wrk_rps:,.0f}"
    table.add_row(f"wrk -t1 -c{c.closed_connections}", wrk, "", "", "")
    return Group(table, *(Text(note, "dim") for note in calibration_notes(c)))


def heading(job: LoadJob) -> str:
    """`closed loop, 32 connections: GET http://127.0.0.1:8000/, 10 s after 1 s of warm-up`."""
    host = f"[{job.host}]" if ":" in job.host else job.host
    if job.rate_rps is None:
        how = f"closed loop, {plural(job.connections, 'connection')}"
    else:
        how = f"open loop, {job.rate_rps:,g}/s ({job.arrival}), at most {plural(job.connections, 'connection')}"
    how += "" if job.keep_alive else ", a new one for each request"
    return (
        f"{how}: {job.method} http://{host}:{job.port}{job.path}, "
        f"{job.duration_s:g} s after {job.warmup_s:g} s of warm-up"
    )


def facts(result: LoadResult, job: LoadJob) -> Table:
    """Requests, errors and the generator's own state, each on a line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text, style in fact_rows(result, job):
        grid.add_row(name, Text(text, style))
    return grid


def fact_rows(result: LoadResult, job: LoadJob) -> Iterator[tuple[str, str, str]]:
    """Name, text, style."""
    if result.interrupted:
        yield "interrupted", f"after {result.window_s:.1f} s of the {job.duration_s:g} s asked for", "yellow"
    yield "requests", f"{result.requests:,}, {result.good:,} of them with a good answer", ""
    asked = "" if job.rate_rps is None else f" of {job.rate_rps:,g} asked for"
    yield "answers/s", f"{result.throughput_rps:,.1f}{asked}", "bold"
    yield "errors", errors(result) or "none", "red" if result.errors.total else ""
    if result.errors.total and result.error_example:
        yield "", f"for instance {result.error_example}", "red"
    if result.unsent:
        yield "unsent", f"{result.unsent:,} were not sent: no connection was free and the queue was full or over", "red"
    if result.unfinished:
        yield "unfinished", f"{result.unfinished:,} were under way at the end", "yellow"
    if result.warmup_errors:
        yield "warm-up", f"{result.warmup_errors:,} of its {result.warmup_requests:,} requests failed", "yellow"
    lag = result.start_lag
    late = f"; start lag p50 {duration(lag.p50_s)}, p99 {duration(lag.p99_s)}" if lag else ""
    yield from generator_rows(result, late)
    yield (
        "connections",
        f"{result.connects:,} opened or tried, {result.idle_closes:,} closed by the server while idle",
        "",
    )


def generator_rows(result: LoadResult, late: str) -> Iterator[tuple[str, str, str]]:
    """What the generator used, or the busiest of several, and whether it was the limit."""
    style = "yellow" if result.cpu_share > GENERATOR_CPU else ""
    if not result.generators:
        yield "generator", f"{result.cpu_share:.0%} of a core{late}", style
    else:
        count = len(result.generators)
        yield "generators", f"{count}, the busiest used {result.cpu_share:.0%} of a core{late}", style
        yield "", f"they began within {duration(result.start_spread_s)}", ""
    if style:
        more = 2 * max(1, len(result.generators))
        yield "", f"this may be what limits the rate; if cores are free, share the load with --generators {more}", style


def errors(result: LoadResult) -> str:
    """`12: 10 timeout, 2 bad status (2 × 503)`; empty without any."""
    kinds = [f"{count:,} {kind.replace('_', ' ')}" for kind, count in asdict(result.errors).items() if count]
    statuses = ", ".join(f"{count:,} × {status}" for status, count in result.unexpected_statuses)
    return f"{result.errors.total:,}: {', '.join(kinds)}{f' ({statuses})' if statuses else ''}" if kinds else ""


def latencies(result: LoadResult) -> Table:
    """Response and service time beside each other."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("latency")
    for name in ("response", "service"):
        table.add_column(name, justify="right", min_width=10)
    for name, field in {**PERCENTILES, **OTHERS}.items():
        table.add_row(name, *(figure(latency, field) for latency in (result.response, result.service)))
    return table


def figure(latency: Latency, field: str) -> str:
    """A figure, `≥` before a lower bound, `–` for none."""
    bound = field.removesuffix("_s") in latency.at_least or (field == "max_s" and latency.timed_out)
    return ("≥ " if bound else "") + duration(getattr(latency, field))


def notes(result: LoadResult) -> Iterator[str]:
    """What a reader must know of the figures above."""
    response = result.response
    if result.too_short:
        yield "–: no request could begin in the window, for those of the warm-up took longer; give it more --duration."
    elif not response.count:
        yield "–: there was no good answer."
    elif any(getattr(response, field) is None for field in PERCENTILES.values()):
        yield NOT_SHOWN
    if response.timed_out:
        yield AT_LEAST
    if not response.exact:
        yield f"Percentiles are of a uniform random choice out of {response.count:,} samples."
    yield CLOSED if result.mode == "closed" else OPEN


def histogram(bins: Sequence[tuple[float, int]], width: int) -> RenderableType:
    """Response times, a line for each range of a logarithmic axis, empty ones included."""
    if not bins:
        return Text("no histogram: there was no good answer", "dim")
    counts = {round(math.log10(bound_s) * BINS_PER_DECADE): count for bound_s, count in bins}
    first, last = min(counts), max(counts)
    step = -(-(last - first + 1) // ROWS)
    rows = []
    for low in range(first, last + 1, step):
        count = sum(counts.get(index, 0) for index in range(low, low + step))
        rows.append((10 ** ((low + step - 1) / BINS_PER_DECADE), count))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", no_wrap=True, width=LABEL_WIDTH)
    grid.add_column(justify="right", no_wrap=True, width=COUNT_WIDTH)
    grid.add_column(no_wrap=True)
    most, columns = max(count for _, count in rows), max(10, width - LABEL_WIDTH - COUNT_WIDTH - 2)
    grid.add_row("response ≤", "requests", "")
    for bound_s, count in rows:
        grid.add_row(duration(bound_s), f"{count:,}", Text(bar(0, count, most, columns) if count else "", "cyan"))
    return grid


def calibration_notes(calibration: Calibration) -> Iterator[str]:
    """How it was measured, and whether the generator or the null server was the limit."""
    c = calibration
    yield "CPU: the generator's; 100 % is one core. lag: how late the generator acted on a request that was due."
    cores = f"generator on {named(c.generator_cores)}, null server on {named(c.server_cores)}"
    yield f"Medians of {plural(c.rounds, 'round')} of {c.duration_s:g} s, in turns; {cores}."
    if c.generators > 1:
        yield f"{c.generators} generators shared each load; CPU and cores: of the busiest, and of all."
    if c.closed_to_wrk is not None:
        yield f"The closed loop reaches {c.closed_to_wrk:.2f} of wrk (median of the rounds' ratios)."
    else:
        yield "wrk is not installed or was not asked for."
    yield "A server's rate near the closed loop's is the generator's limit, not the server's."


def named(cores: tuple[int, ...]) -> str:
    """`core 1`, `cores 0, 2`, `any core`."""
    if not cores:
        return "any core"
    return f"core{'s' if len(cores) > 1 else ''} {', '.join(map(str, cores))}"


def plural(count: int, noun: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float | None) -> str:
    """Three significant digits with their unit: `850 µs`, `1.23 ms`, `12.3 s`; `–` for None."""
    if seconds is None:
        return "–"
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 0.9995:
            return f"{digits(seconds * factor)} {unit}"
    return f"{digits(seconds * 1e6)} µs"


def digits(value: float) -> str:
    """Three of them, without an exponent."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
