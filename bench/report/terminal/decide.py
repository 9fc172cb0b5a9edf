"""How do predictions, and a check of them, look in the terminal?"""

from collections.abc import Sequence
from statistics import median

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.prediction.advice import not_measured, notes
from bench.prediction.check import FEWEST, SHARE, TOLERANCE, Checked
from bench.prediction.costs import Unmeasured
from bench.prediction.figures import OWN, Demand
from bench.prediction.layers import LAYERS
from bench.prediction.rank import Decision
from bench.prediction.sentences import LIMITS, MARKS, Sentence, figure, say, texts
from bench.prediction.verdict import Row
from bench.report.terminal.scenario import empty

# If a request takes more than so many times as long as in the run, the machine counts as busy.
BUSY = 1.5
# Behind a limit that gevent does not reach, and what it means.
CONVOY_MARK = "*"
CONVOY = (
    "with all connections in use, gevent answers fewer requests than is predicted, because it passes a connection on "
    "to several requests in a row, and the others wait meanwhile."
)


def demand_line(demand: Demand) -> str:
    """The demand in a sentence."""
    parts = [f"{demand.queries} × {milliseconds(demand.db_wait_s)} in the database"] if demand.queries else []
    parts += [f"{milliseconds(demand.upstream_wait_s)} upstream"] if demand.upstream_wait_s else []
    parts.append(f"{milliseconds(demand.cpu_s)} of your Python")
    parts += [f"its connection {demand.connection} during calls"] if demand.connection != OWN else []
    parts += [f"on {LAYERS[demand.data_layer]}"] if demand.data_layer != OWN else []
    return f"{load(demand)}, each with {', '.join(parts)}; {machine(demand)}"


def app_line(demand: Demand) -> str:
    """The same of an application whose requests were measured."""
    return f"{load(demand)}, as in the trial; {machine(demand)}"


def load(demand: Demand) -> str:
    """How many requests there are."""
    return f"{demand.concurrency:,} requests at once" if demand.rate_rps is None else f"{demand.rate_rps:,g} requests/s"


def machine(demand: Demand) -> str:
    """What the requests may use."""
    return (
        f"{demand.db_connections:,} connections, {demand.cores:,} core{'s' if demand.cores > 1 else ''}, "
        f"{demand.memory_bytes / 1e6:,.0f} MB, p99 below {milliseconds(demand.slo_s)}"
    )


def report(
    decision: Decision, demand: Demand, unmeasured: Sequence[Unmeasured], advice: Sequence[Sentence]
) -> RenderableType:
    """Verdict, tables, advice, and what was not measured."""
    blocks: list[RenderableType] = [Text(decision.verdict.text, "bold"), ""]
    if decision.rows:
        blocks += [capacity_table(decision), "", needs_table(decision)]
        blocks += [Text(" ".join(texts(notes(decision, demand))), "dim"), ""]
    blocks += [Text(f"· {text}") for text in texts(advice)]
    blocks += [Text(f"· {text}", "yellow") for text in texts(not_measured(unmeasured))]
    blocks.append(Text(say("caveats").text, "dim"))
    return Group(*blocks)


def app_report(decision: Decision, demand: Demand, unmeasured: Sequence[Unmeasured]) -> RenderableType:
    """The same of an application that was tried; which model to take its trial has said, so none is ranked."""
    marks = [one for one in notes(decision, demand) if one.code in ("late", "too_large")]
    return Group(
        Text(decision.verdict.text, "bold"), "", app_table(decision), "", needs_table(decision),
        *(Text(text, "dim") for text in texts(marks)), "",
        *(Text(f"· {one.name}: {one.reason}", "yellow") for one in unmeasured),
        Text(say("trial_caveats").text, "dim"),
    )  # fmt: skip


def app_table(decision: Decision) -> Table:
    """What each model does, and what prevents more."""
    table = empty("model")
    for heading in ("answers/s", "/core"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("limit", no_wrap=True)
    for found in (row.prediction for row in decision.rows):
        table.add_row(found.model, figure(found.capacity_rps), figure(found.per_core_rps), LIMITS[found.limit])
    return table


def capacity_table(decision: Decision) -> Table:
    """What each model does, and how that compares."""
    table = empty("model")
    for heading in ("answers/s", "/core", "× best (95 %)", "rank"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("limit", no_wrap=True)
    for row in decision.rows:
        found = row.prediction
        table.add_row(
            found.model, figure(found.capacity_rps), figure(found.per_core_rps), ratio(row),
            str(row.rank or MARKS["unranked"]),
            LIMITS[found.limit],
        )  # fmt: skip
    return table


def needs_table(decision: Decision) -> Table:
    """What each model needs, and how long users wait."""
    table = empty("model")
    for heading in ("processes", "MB", "connections", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in decision.rows:
        found = row.prediction
        table.add_row(
            found.model, f"{found.processes:,}", figure(found.memory_bytes / 1e6) + marked(found.fits),
            f"{found.connections:,}", wait(found.p50_s), wait(found.p99_s) + marked(found.keeps_slo),
        )  # fmt: skip
    return table


def ratio(row: Row) -> str:
    """`0.87 (0.84–0.91)`."""
    if row.to_best is None:
        return MARKS["best"] if row.rank == 1 else ""
    interval = row.to_best
    return say("ratio", ratio=interval.ratio, low=interval.low, high=interval.high).text


def marked(kept: bool) -> str:
    """A mark behind a figure that is beyond what the reader allows."""
    return "" if kept else MARKS["exceeded"]


def milliseconds(seconds: float) -> str:
    """`50 ms`, `2.5 ms`."""
    return f"{seconds * 1e3:,g} ms"


def wait(seconds: float | None) -> str:
    """In milliseconds; ∞ for a response time that grows for as long as the rate lasts."""
    return MARKS["endless"] if seconds is None else figure(seconds * 1e3)


def check_table(found: Sequence[Checked]) -> Table:
    """Every load as predicted and as measured, below its model's name."""
    table = empty("cell", "limit")
    for heading in ("predicted", "measured", "÷", "unscaled ÷"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.padding = (0, 1, 0, 0)
    table.columns[0].no_wrap = False
    for number, one in enumerate(found):
        if not number or found[number - 1].model != one.model:
            table.add_row(Text(one.model, "bold"))
        verdict = Text(f"{one.ratio:.2f}", "" if one.near else "yellow") if one.state == "VALID" else one.state
        values = MARKS["endless"] if one.predicted is None else figure(one.predicted), figure(one.measured)
        limit = LIMITS[one.limit] + CONVOY_MARK * one.convoy
        table.add_row(one.workload, limit, *values, verdict, f"{one.unscaled_ratio:.2f}")
    return table


def check_summary(found: Sequence[Checked]) -> str:
    """How many predictions hold, and whether the machine was quiet enough to say so."""
    counted = [one for one in found if one.counts]
    near, unscaled = sum(one.near for one in counted), sum(one.near_unscaled for one in counted)
    text = (
        f"{near} of {len(counted)} predictions are within {TOLERANCE:.0%} of what was measured; {SHARE:.0%} of them "
        f"have to be. Without scaling them to the machine's speed now, {unscaled} are."
    ).replace("%", " %")
    if any(one.convoy for one in found):
        text += f" {CONVOY_MARK} Not counted: {CONVOY}"
    if len(counted) < FEWEST:
        text += f" The check needs at least {FEWEST} cells that count."
    drift = median(one.drift for one in found)
    if drift > BUSY:
        text += (
            f" A request takes {drift:.1f} times as long as in the run, so something else keeps this machine busy, and "
            "waits are longer than predicted too. Check again when the machine is quiet."
        )
    return text
