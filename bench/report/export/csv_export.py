"""A run for spreadsheets: a row for each cell and figure, in the figure's own unit, which its name ends with."""

import csv
import io
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.judging import JudgedCell, JudgedWorkload, judge
from bench.judging.faults import JudgedCell as JudgedFaultCell
from bench.judging.watched import watched
from bench.report.columns import columns_of, compared_figures
from bench.report.families import family
from bench.results import Run

# Never renamed: spreadsheets are built on them. Ratios are in the rows of the figures that models are
# compared by, verdict and rank only in that of the figure that they are ranked by, which comes first.
CSV_COLUMNS = (
    "scenario", "workload", "model", "family", "state", "generations", "figure", "median", "min", "max", "baseline",
    "ratio", "ratio_low", "ratio_high", "verdict", "rank", "reason",
)  # fmt: skip


def as_csv(run: Run) -> str:
    """The rows, scenario by scenario in the run's order."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for workload in judge(run).workloads:
        for cell in workload.cells.values():
            writer.writerows(rows(workload, cell))
    writer.writerows(map(fault_row, judge(run).faults.cells))
    return text.getvalue()


def fault_row(one: JudgedFaultCell) -> dict[str, Any]:
    """What a fault did to a model: how many requests failed that cannot simply be sent again, and what it is called."""
    cell = one.cell
    workload = f"{cell.fault} with {cell.cure}" if cell.cure else cell.fault
    measured = {"figure": "lost", "median": len(watched(cell).lost)} if cell.state == "measured" else {}
    return {"scenario": "faults", "workload": workload, "model": cell.model, "state": cell.state, **measured,
            "verdict": one.found.text, "reason": one.found.sentence}  # fmt: skip


def rows(workload: JudgedWorkload, cell: JudgedCell) -> Iterator[dict[str, Any]]:
    """A cell's figures; the one that models are ranked by comes first."""
    facts = {
        "scenario": workload.scenario, "workload": workload.name, "model": cell.model, "family": family(cell.facts),
        "state": cell.judgement.state, "generations": len(cell.observations), "reason": cell.reason,
    }  # fmt: skip
    columns = [column.value for column in columns_of(workload)]
    for name in dict.fromkeys([*compared_figures(workload), *columns]):
        values = cell.values(name)
        summed = {"median": median(values), "min": min(values), "max": max(values)} if values else {}
        compared = comparison(workload, cell.model, name) if name in compared_figures(workload) else {}
        yield {**facts, "figure": name, **summed, **compared}


def comparison(workload: JudgedWorkload, model: str, figure: str) -> dict[str, Any]:
    """How a model stands to the baseline in a figure; empty where models are not compared."""
    if not workload.compared:
        return {}
    base, interval = workload.baseline, workload.interval(model, workload.baseline, figure)
    found = {
        "baseline": base,
        "ratio": interval.ratio if interval else None,
        "ratio_low": interval.low if interval else None,
        "ratio_high": interval.high if interval else None,
    }
    if figure != workload.figure:
        return found
    return {
        **found,
        "verdict": workload.outcome(model, base).kind if model != base else None,
        "rank": workload.ranks.get(model),
    }
