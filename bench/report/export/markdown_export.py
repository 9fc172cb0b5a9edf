"""A run for a pull request: the verdict, and a table for every workload that models are compared on."""

from collections.abc import Sequence

from bench.judging import JudgedWorkload, judge
from bench.judging.phrases import spread
from bench.judging.units import heading
from bench.results import Run


def as_markdown(run: Run) -> str:
    """Sentences and tables as GitHub shows them."""
    judged = judge(run)
    found = judged.verdict
    table = [[one.work, one.winner, " ".join(filter(None, (one.ahead, one.value)))] for one in found.rows]
    parts = [
        "## gevent or asyncio?",
        *map(escaped, found.sentences),
        *([grid(("kind of work", "best", "by how much"), table)] if table else []),
        "\n".join(f"- {escaped(text)}" for text in found.not_said),
        *(section(workload) for workload in judged.workloads if workload.compared),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def section(workload: JudgedWorkload) -> str:
    """A workload that models are compared on."""
    body = []
    for name in workload.best_first():
        cell, interval = workload.cells[name], workload.interval(name, workload.baseline)
        ratio = spread(interval) if interval else ""
        shown = workload.shown(name) if cell.valid else f"~~{workload.shown(name)}~~ {cell.judgement.state.lower()}"
        body.append([name, shown, ratio, workload.place(cell)])
    title = f"### {escaped(workload.scenario)}: {escaped(workload.name)}"
    return f"{title}\n\n{grid(('model', heading(workload.figure), f'× {workload.baseline}', 'rank'), body)}"


def grid(headings: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [headings, ["---"] * len(headings), *body]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else escaped(cell) for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """A text in which Markdown finds neither a table's edge nor a tag."""
    return text.replace("\n", " ").replace("|", "\\|").replace("&", "&amp;").replace("<", "&lt;")
