"""The page: everything of a run in the order in which a team decides, as one file of HTML."""

import re
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.files import write_whole
from bench.judging.judged import FAMILIES, Field, fields, first_baseline, models_of
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN
from bench.prediction import page as calculator_page
from bench.report.page import code_view, embed, matrix, sections
from bench.report.page.charts import Palette
from bench.report.terminal.run import calibration_line
from bench.report.terminal.summary import verdict
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
    found, models, base = fields(run), models_of(run), first_baseline(run)
    palette = Palette(models)
    shown = sections.sections(run, found, base, palette)
    raw, whole = embed.packed_results(run)
    calculator = calculator_page.section(run)
    scripts = [*(Markup((STATIC / name).read_text(encoding="utf-8")) for name in SCRIPTS)]
    return environment().get_template("page.html.j2").render(
        run=run,
        verdict=verdict(run),
        models=models,
        base=base,
        families=matrix.families(models),
        family_names=FAMILIES,
        scenarios=scenario_counts(found),
        fields=found,
        own_sections=sections.own_sections(found),
        matrix=matrix.rows(found, models, base),
        invalid=[cell for field in found for cell in field.cells.values() if not cell.judgement.valid],
        sections=shown,
        files=code_view.files(),
        bridge_lines=code_view.bridge_lines(),
        traps=run.traps,
        calculator=calculator,
        calculates="<form" in calculator,
        commands=commands(run),
        floors=[field for field in found if field.floor],
        calibration=calibration(run),
        min_rounds=MIN_ROUNDS,
        margin=PRACTICAL_MARGIN,
        raw=raw,
        raw_whole=whole,
        plotly=embed.packed_plotly(),
        data={"matrix": matrix.data(found, models), "charts": chart_data(shown), "base": base},
        css=Markup((STATIC / "page.css").read_text(encoding="utf-8")),
        scripts=scripts,
        policy=policy([*scripts, *inline_scripts(calculator)]),
    )  # fmt: skip


@cache
def environment() -> Environment:
    """The templates; whatever they are given is text unless it says that it is markup."""
    found = Environment(
        loader=PackageLoader("bench.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"slug": slug, "first_line": first_line, "sortable": matrix.finite, "backticks": backticks}
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


def scenario_counts(found: Sequence[Field]) -> dict[str, int]:
    """The scenarios in order, with how many workloads each has."""
    names = [field.scenario for field in found]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def commands(run: Run) -> dict[str, str]:
    """The command line of each model's server; the last one where scenarios set it up differently."""
    return {cell.model: shlex.join(readable(cell)) for cell in run.cells.values()}


def readable(cell: Cell) -> list[str]:
    """The command with `python` for the interpreter that ran it."""
    first, *rest = cell.command or ("",)
    return ["python" if Path(first).name.startswith("python") else first, *rest]


def calibration(run: Run) -> str:
    """What the load generator can do on that machine."""
    return calibration_line(run.calibration) if run.calibration else ""


def slug(text: str) -> str:
    """A name as part of an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def first_line(text: str) -> str:
    """Of a reason with a server's log beneath it, the reason."""
    return (text.splitlines() or [""])[0]


def backticks(text: str) -> Markup:
    """`name` as code."""
    parts = [Markup.escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if odd % 2 else part
                           for odd, part in enumerate(parts))  # fmt: skip
