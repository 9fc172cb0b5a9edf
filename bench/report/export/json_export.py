"""A run for programs: the verdict, and every cell as it was judged; the raw results are in results.json."""

import json
from dataclasses import asdict
from typing import Any

from bench.judging import Judged, JudgedCell, JudgedWorkload, judge
from bench.judging.faults import JudgedCell as JudgedFaultCell
from bench.judging.statistics import RatioInterval
from bench.judging.watched import watched
from bench.report.columns import columns_of, value_of
from bench.report.export.csv_export import comparison
from bench.report.families import family
from bench.results import Run
from bench.scenarios import APART, SCENARIOS


def as_json(run: Run) -> str:
    """The whole run but for its raw results."""
    found = judge(run)
    content = {
        "started_utc": run.started_utc,
        "seed": run.seed,
        "environment": run.environment,
        "arguments": run.arguments,
        "verdict": {name: getattr(found.verdict, name) for name in ("noise", "sentences", "matched", "not_said")},
        **({"trial": asdict(found.trial)} if found.trial else {}),
        "findings": findings(found),
        **({"faults": [of_fault(one) for one in found.faults.cells]} if found.faults.faults else {}),
        "cells": [judged(workload, cell) for workload in found.workloads for cell in workload.cells.values()],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def judged(workload: JudgedWorkload, cell: JudgedCell) -> dict[str, Any]:
    """A cell with its medians, its interval and its rank."""
    medians = {
        column.value: value for column in columns_of(workload) if (value := value_of(cell, column.value)) is not None
    }
    return {
        "scenario": workload.scenario, "workload": workload.name, "model": cell.model, "family": family(cell.facts),
        "state": cell.judgement.state, "reason": cell.reason, "generations": len(cell.observations),
        "figure": workload.figure, "higher_is_better": workload.higher_is_better,
        "values": cell.values(workload.figure), "medians": medians, **comparison(workload, cell.model, workload.figure),
        **because(workload, cell.model), "beside": beside(workload, cell.model), "figure_because": workload.why,
        "a_a": interval_content(workload.aa_interval()), "method_failed": workload.method_failed,
    }  # fmt: skip


def of_fault(one: JudgedFaultCell) -> dict[str, Any]:
    """What a fault did to a model, as it is or with a cure."""
    cell, found, seen = one.cell, one.found, watched(one.cell)
    return {
        "fault": cell.fault, "model": cell.model, "cure": cell.cure, "setting": cell.setting, "state": cell.state,
        "reason": cell.reason, **asdict(found), "cures": one.cures, "lost": len(seen.lost),
        "retryable": len(seen.retryable), "failed_after": len(seen.failed_after), "back_s": seen.back_s,
        "facts": dict(cell.facts),
    }  # fmt: skip


def beside(workload: JudgedWorkload, model: str) -> dict[str, Any] | None:
    """The other figure that models are compared by, and not ranked; None without one."""
    return {"figure": workload.beside, **comparison(workload, model, workload.beside)} if workload.beside else None


def interval_content(interval: RatioInterval | None) -> dict[str, float] | None:
    """An interval by the names of its parts."""
    return {"ratio": interval.ratio, "low": interval.low, "high": interval.high} if interval else None


def because(workload: JudgedWorkload, model: str) -> dict[str, str]:
    """Why the comparison with the baseline says what it does."""
    if not workload.compared or model == workload.baseline:
        return {}
    return {"because": workload.outcome(model, workload.baseline).reason}


def findings(found: Judged) -> dict[str, str]:
    """What each scenario found."""
    known = SCENARIOS | APART
    return {
        scenario.name: known[scenario.name].finding(scenario) for scenario in found.scenarios if scenario.name in known
    }
