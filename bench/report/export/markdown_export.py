"""A run for a pull request: the verdict, and a table for every workload that models are compared on."""

from collections.abc import Sequence

from bench.judging import JudgedCell, JudgedWorkload, judge
from bench.judging.faults import JudgedFaults
from bench.judging.phrases import spread
from bench.report.columns import compared_figures, own_column, text
from bench.report.terminal.scenario import note
from bench.results import Run


def as_markdown(run: Run) -> str:
    """Sentences and tables as GitHub shows them."""
    judged = judge(run)
    found = judged.verdict
    table = [[one.work, one.winner, " ".join(filter(None, (one.ahead, one.value)))] for one in found.rows]
    parts = [
        f"## Which model for {escaped(run.tried.app.target)}?" if run.tried else "## gevent or asyncio?",
        *([f"**{escaped(found.noise)}**"] if found.noise else []),
        *map(escaped, found.sentences),
        *([grid(found.matched[0], found.matched[1:])] if found.matched else []),
        *([grid(("kind of work", "best", "by how much"), table)] if table else []),
        "\n".join(f"- {escaped(text)}" for text in found.not_said),
        *(section(workload) for workload in judged.workloads if workload.compared),
        faults_section(judged.faults),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def faults_section(judged: JudgedFaults) -> str:
    """What each fault did to each model, with the cures beneath; empty without faults."""
    return f"### Faults\n\n{faults_grid(judged)}" if judged.faults else ""


def faults_grid(judged: JudgedFaults) -> str:
    """The same without a heading: a row for each fault, and beneath it one for each cure."""
    rows = [
        [f"with {cure}" if cure else fault.facts.name,
         *(one.found.text if (one := fault.cells.get((model, cure))) else "" for model in judged.models)]
        for fault in judged.faults for cure in ("", *fault.cures)
    ]  # fmt: skip
    return grid(("fault", *judged.models), rows)


def section(workload: JudgedWorkload) -> str:
    """A workload that models are compared on: each compared figure with its ratio, the one that ranks them first."""
    figures = compared_figures(workload)
    headings = [heading for figure in figures for heading in (own_column(figure).heading, f"× {workload.baseline}")]
    body = []
    for name in workload.best_first():
        cell = workload.cells[name]
        entries = [entry for figure in figures for entry in (shown(cell, figure), ratio(workload, name, figure))]
        body.append([name, *entries, workload.place(cell)])
    title = f"### {escaped(workload.scenario)}: {escaped(workload.name)}"
    return f"{title}\n\n{grid(('model', *headings, 'rank'), body)}\n\n{escaped(note(workload))}"


def shown(cell: JudgedCell, figure: str) -> str:
    """The median; of a cell that is not valid struck out, with its state."""
    found = text(cell, own_column(figure))
    return found if cell.valid else f"~~{found}~~ {cell.judgement.state.lower()}"


def ratio(workload: JudgedWorkload, model: str, figure: str) -> str:
    """The ratio to the baseline and its interval."""
    interval = workload.interval(model, workload.baseline, figure)
    return spread(interval) if interval else ""


def grid(headings: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [headings, ["---"] * len(headings), *body]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else escaped(cell) for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """A text in which Markdown finds neither a table's edge nor a tag."""
    return text.replace("\n", " ").replace("|", "\\|").replace("&", "&amp;").replace("<", "&lt;")
