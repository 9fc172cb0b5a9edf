"""The page: everything of a run in the order in which a team decides, as one file of HTML."""

import re
import shlex
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from bench.files import write_whole
from bench.judging import Judged, judge
from bench.judging.statistics import FEWEST_GENERATIONS, PRACTICAL_MARGIN
from bench.prediction import page as calculator_page
from bench.report.families import families, family
from bench.report.page import code_view, embed, faults, layout, matrix, sections, tried
from bench.report.page.charts import Palette
from bench.report.templates import templates
from bench.report.terminal.run import calibration_line
from bench.results import Cell, Run

FILE = "report.html"
STATIC = Path(__file__).with_name("static")
SCRIPTS = ("page.js", "matrix.js", "charts.js")


def write_page(run: Run) -> Path:
    """Write the page beside the results file. Raises BenchError if it cannot be written."""
    path = run.folder / FILE
    write_whole(path, page(run))
    return path


def page(run: Run) -> str:
    """The page of a run."""
    judged = judge(run)
    shown = sections.sections(judged, Palette(list(judged.models)))
    raw, whole = embed.packed_results(run)
    calculator = Markup("") if run.tried else calculator_page.section(run)
    scripts = [*(Markup((STATIC / name).read_text(encoding="utf-8")) for name in SCRIPTS)]
    return environment().get_template("page.html.j2").render(
        run=run,
        trial=tried.values(judged),
        verdict=judged.verdict,
        models=list(judged.models),
        base=judged.baseline,
        families=families(judged.models.values()),
        scenarios=matrix.scenario_counts(judged.workloads),
        compared=[scenario.name for scenario in judged.scenarios if scenario.compared],
        once=[scenario.name for scenario in judged.scenarios if not scenario.compared],
        generations=max((workload.generations for workload in judged.workloads if workload.compared), default=0),
        fields=judged.workloads,
        own_sections=sections.own_sections(judged),
        matrix=matrix.rows(judged, judged.baseline),
        invalid=[cell for cell in judged.cells if not cell.valid],
        sections=shown,
        files=code_view.files(),
        bridge_lines=code_view.bridge_lines(),
        traps=run.traps,
        judged_faults=judged.faults,
        shown_faults=faults.shown(judged.faults),
        calculator=calculator,
        calculates="<form" in calculator,
        commands=commands(run),
        checked=[(workload, found) for workload in judged.workloads if (found := workload.aa_interval())],
        calibration=calibration(run),
        layout=layout.drawing(run),
        fewest_generations=FEWEST_GENERATIONS,
        margin=PRACTICAL_MARGIN,
        raw=raw,
        raw_whole=whole,
        plotly=embed.packed_plotly(),
        data=data(judged, shown),
        css=Markup((STATIC / "page.css").read_text(encoding="utf-8")),
        scripts=scripts,
        policy=policy([*scripts, *inline_scripts(calculator)]),
    )  # fmt: skip


def data(judged: Judged, shown: Sequence[sections.Section]) -> dict[str, Any]:
    """What the page's scripts work with."""
    return {
        "matrix": matrix.data(judged),
        "charts": chart_data(shown),
        "base": judged.baseline,
        "families": {name: family(facts) for name, facts in judged.models.items()},
    }


@cache
def environment() -> Environment:
    """The templates; whatever they are given is text unless it says that it is markup."""
    found = templates("bench.report.page", autoescape=True)
    filters: dict[str, Callable[..., str]] = {"sortable": matrix.finite, "backticks": backticks, "slug": slug}
    found.filters |= {**filters, "heading": matrix.heading}
    return found


def policy(scripts: Sequence[str]) -> str:
    """What the page may do: run these scripts and nothing from anywhere else."""
    hashes = " ".join([*map(embed.script_hash, scripts), embed.script_hash(embed.plotly_script())])
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"


def inline_scripts(markup: str) -> list[str]:
    """The scripts in a piece of a page."""
    return re.findall(r"<script>(.*?)</script>", markup, re.DOTALL)


def chart_data(shown: Sequence[sections.Section]) -> dict[str, Any]:
    """What charts.js draws, by the chart's id."""
    charts = [chart for section in shown for chart in section.charts]
    return {chart.id: {"traces": chart.traces, "layout": chart.layout, "height": chart.height_px} for chart in charts}


def commands(run: Run) -> dict[str, str]:
    """The command line of each model's server; the last one where scenarios set it up differently."""
    return {cell.model: shlex.join(readable(cell)) for cell in run.cells.values()}


def readable(cell: Cell) -> list[str]:
    """The command with `python` for the interpreter that ran it, the model's own variables before it."""
    first, *rest = cell.command or ("",)
    settings = [f"{name}={value}" for name, value in cell.environment.items()]
    return [*settings, "python" if Path(first).name.startswith("python") else first, *rest]


def calibration(run: Run) -> str:
    """What the load generator can do on that machine."""
    return calibration_line(run.calibration) if run.calibration else ""


def slug(text: str) -> str:
    """A name as part of an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def backticks(text: str) -> Markup:
    """`name` as code."""
    parts = [Markup.escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if odd % 2 else part
                           for odd, part in enumerate(parts))  # fmt: skip
