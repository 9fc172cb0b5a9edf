"""Which figures may a text quote? Every one of these runs that can be believed, by name, written as a reader sees it.

A name is `scenario/workload/model/figure`, or that of a figure of the short answer, as `answer/waits/gevent`. A test
looks up every number with a unit that stands between the marks of a text, so that none can be typed by hand.
"""

from collections.abc import Iterator, Sequence

from bench.judging import Judged, JudgedCell, JudgedWorkload
from bench.judging.matched import in_words, matched_pairs
from bench.judging.phrases import spread
from bench.judging.units import amount, unit_of
from bench.report.columns import columns_of, compared_figures, value_of
from bench.report.publication import shortly


def figures(runs: Sequence[Judged]) -> dict[str, str]:
    """By name, the figures of the runs; of one that several runs have, the first run's."""
    found = {name: text for run in reversed(runs) for name, text in of_run(run)}
    return {**shortly.figures(runs[0]), **dict(sorted(found.items()))}


def of_run(run: Judged) -> Iterator[tuple[str, str]]:
    """Every figure of a run's tables."""
    for workload in run.workloads:
        for cell in workload.cells.values():
            if cell.valid:
                yield from of_cell(workload, cell)
        for pair in matched_pairs(workload):
            if pair.interval:
                yield f"{workload.scenario}/{in_words(workload)}/{pair.layer}/asyncio ÷ gevent", spread(pair.interval)


def of_cell(workload: JudgedWorkload, cell: JudgedCell) -> Iterator[tuple[str, str]]:
    """The medians of a cell, and its ratios to the baseline."""
    before = f"{workload.scenario}/{workload.name}/{cell.model}"
    for column in columns_of(workload):
        value = value_of(cell, column.value)
        if value is not None:
            yield f"{before}/{column.value}", written(value, column.value)
    for figure in compared_figures(workload):
        if interval := workload.interval(cell.model, workload.baseline, figure):
            yield f"{before}/{figure} ÷ {workload.baseline}", spread(interval)


def written(value: float, figure: str) -> str:
    """A value with its unit; a count as a whole number."""
    return amount(value, figure) if unit_of(figure).name or value != int(value) else f"{value:,.0f}"
