"""A run for programs: the verdict, and every cell as it was judged; the raw results are in results.json."""

import json
from typing import Any

from bench.judging import Judged, JudgedCell, JudgedWorkload, judge
from bench.report.columns import columns_of
from bench.report.export.csv_export import comparison
from bench.report.families import family
from bench.results import Run
from bench.scenarios import SCENARIOS


def as_json(run: Run) -> str:
    """The whole run but for its raw results."""
    found = judge(run)
    content = {
        "started_utc": run.started_utc,
        "seed": run.seed,
        "environment": run.environment,
        "arguments": run.arguments,
        "verdict": {"sentences": found.verdict.sentences, "not_said": found.verdict.not_said},
        "findings": findings(found),
        "cells": [judged(workload, cell) for workload in found.workloads for cell in workload.cells.values()],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def judged(workload: JudgedWorkload, cell: JudgedCell) -> dict[str, Any]:
    """A cell with its medians, its interval and its rank."""
    medians = {
        column.value: value for column in columns_of(workload) if (value := cell.median(column.value)) is not None
    }
    return {
        "scenario": workload.scenario, "workload": workload.name, "model": cell.model, "family": family(cell.facts),
        "state": cell.judgement.state, "reason": cell.reason, "rounds": len(cell.observations),
        "figure": workload.figure, "higher_is_better": workload.higher_is_better,
        "values": cell.values(workload.figure), "medians": medians, **comparison(workload, cell.model),
        **because(workload, cell.model), "noise_floor": workload.floor,
    }  # fmt: skip


def because(workload: JudgedWorkload, model: str) -> dict[str, str]:
    """Why the comparison with the baseline says what it does."""
    if not workload.compared or model == workload.baseline:
        return {}
    return {"because": workload.outcome(model, workload.baseline).reason}


def findings(found: Judged) -> dict[str, str]:
    """What each scenario found."""
    return {
        scenario.name: SCENARIOS[scenario.name].finding(scenario)
        for scenario in found.scenarios
        if scenario.name in SCENARIOS
    }
