"""A run for pull requests, spreadsheets and programs: what the page says, as Markdown, CSV and JSON."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from bench.judging.answers import spread
from bench.judging.judged import Field, family, fields, first_baseline
from bench.report.page.sections import columns
from bench.report.terminal.summary import verdict
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS

# Never renamed: spreadsheets are built on them. A ratio is only in the row of the figure that models are ranked by.
CSV_COLUMNS = (
    "scenario", "workload", "model", "family", "state", "rounds", "figure", "median", "min", "max", "baseline",
    "ratio", "ratio_low", "ratio_high", "verdict", "rank", "reason",
)  # fmt: skip


def as_csv(run: Run) -> str:
    """A row for each cell and figure, in the figure's own unit: its name ends with it."""
    base = first_baseline(run)
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for field in fields(run):
        for cell in field.cells.values():
            writer.writerows(rows(field, cell, base))
    return text.getvalue()


def rows(field: Field, cell: Cell, base: str) -> Iterator[dict[str, Any]]:
    """A cell's figures; the one that models are ranked by comes first."""
    facts = {
        "scenario": field.scenario, "workload": field.workload, "model": cell.model, "family": family(cell.model),
        "state": cell.judgement.state, "rounds": len(cell.observations), "reason": reason(cell),
    }  # fmt: skip
    names = dict.fromkeys([field.column.value, *(column.value for column in columns(field))])
    for name in names:
        values = cell.values(name)
        summed = {"median": median(values), "min": min(values), "max": max(values)} if values else {}
        compared = comparison(field, cell.model, base) if name == field.column.value else {}
        yield {**facts, "figure": name, **summed, **compared}


def comparison(field: Field, model: str, base: str) -> dict[str, Any]:
    """How a model stands to the baseline; empty where models are not compared."""
    if field.standings is None:
        return {}
    standing, interval = field.standings.models[model], field.interval(model, base)
    return {
        "baseline": base,
        "ratio": interval.ratio if interval else None,
        "ratio_low": interval.low if interval else None,
        "ratio_high": interval.high if interval else None,
        "verdict": standing.comparison.verdict if standing.comparison else None,
        "rank": standing.rank,
    }


def as_json(run: Run) -> str:
    """The verdict, and every cell as it was judged; the raw rounds are in results.json."""
    base, found = first_baseline(run), verdict(run)
    content = {
        "started_utc": run.started_utc,
        "seed": run.seed,
        "environment": run.environment,
        "arguments": run.arguments,
        "verdict": {"sentences": found.sentences, "not_said": found.not_said},
        "findings": findings(run),
        "cells": [judged(field, cell, base) for field in fields(run) for cell in field.cells.values()],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def judged(field: Field, cell: Cell, base: str) -> dict[str, Any]:
    """A cell with its medians, its interval and its rank."""
    medians = {column.value: median(values) for column in columns(field) if (values := cell.values(column.value))}
    return {
        "scenario": field.scenario, "workload": field.workload, "model": cell.model, "family": family(cell.model),
        "state": cell.judgement.state, "reason": reason(cell), "rounds": len(cell.observations),
        "figure": field.column.value, "higher_is_better": field.higher_is_better,
        "values": cell.values(field.column.value), "medians": medians, **comparison(field, cell.model, base),
        "noise_floor": field.floor,
    }  # fmt: skip


def findings(run: Run) -> dict[str, str]:
    """What each scenario found."""
    return {name: scenario.finding(cells) for name, scenario in SCENARIOS.items() if (cells := run.of(name))}


def as_markdown(run: Run) -> str:
    """The verdict and a table of every compared workload, as a pull request shows them."""
    base, found = first_baseline(run), verdict(run)
    table = [[one.work, one.winner, one.ahead] for one in found.rows]
    parts = [
        "## gevent or asyncio?",
        *map(escaped, found.sentences),
        *([grid(("kind of work", "best", "by how much"), table)] if table else []),
        "\n".join(f"- {escaped(text)}" for text in found.not_said),
        *(section for field in fields(run) if (section := workload_section(field, base))),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def workload_section(field: Field, base: str) -> str:
    """A workload that models are compared on; empty for others."""
    if field.standings is None:
        return ""
    body = []
    for name in field.best_first(field.cells):
        cell, interval = field.cells[name], field.interval(name, base)
        rank = field.standings.models[name].rank
        ratio = spread(interval) if interval else ""
        state = cell.judgement.state
        shown = field.shown(name) if cell.judgement.valid else f"~~{field.shown(name)}~~ {state.lower()}"
        body.append([name, shown, ratio, str(rank or "–")])
    title = f"### {escaped(field.scenario)}: {escaped(field.workload)}"
    return f"{title}\n\n{grid(('model', field.column.heading, f'× {base}', 'rank'), body)}"


def grid(headings: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [headings, ["---"] * len(headings), *body]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else escaped(cell) for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """A text in which Markdown finds neither a table's edge nor a tag."""
    return text.replace("\n", " ").replace("|", "\\|").replace("&", "&amp;").replace("<", "&lt;")


def reason(cell: Cell) -> str:
    """The reason's first line."""
    return (cell.judgement.reason.splitlines() or [""])[0]
