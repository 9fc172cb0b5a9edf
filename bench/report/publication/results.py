"""What stands in the folder of published results, beside the runs themselves?"""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bench.judging import Judged
from bench.report.export.markdown_export import escaped, faults_grid, grid
from bench.report.pictures import SCHEMES, Picture, svg
from bench.report.publication.answer import environment
from bench.report.terminal.traps import conclusion
from bench.results import Run
from bench.scenarios import SCENARIOS

PAGE, FIGURES = "README.md", "figures.json"
# Of the packages, those that a reader asks for first; the results file has them all.
PACKAGES = (
    "flask", "gevent", "gunicorn", "psycopg2-binary", "psycogreen", "uvicorn", "h11", "httptools", "uvloop", "asgiref",
    "asyncpg", "databases", "sqlalchemy", "flask-sqlalchemy",
)  # fmt: skip


def files(runs: Sequence[Judged], found: Mapping[str, str], drawn: Sequence[Picture]) -> dict[str, str]:
    """By name, every file but the runs: the page, the figures, and the pictures."""
    return {
        PAGE: page(runs, drawn),
        FIGURES: json.dumps(found, ensure_ascii=False, indent=0) + "\n",
        **{picture.file(scheme): svg(picture, scheme) for picture in drawn for scheme in SCHEMES},
    }


def page(runs: Sequence[Judged], drawn: Sequence[Picture]) -> str:
    """Where the figures come from, what the first run says, and the pictures."""
    first = runs[0]
    rows = [[one.work, one.winner, " ".join(filter(None, (one.ahead, one.value)))] for one in first.verdict.rows]
    matched = first.verdict.matched
    return environment().get_template("results.md.j2").render(
        runs=[facts(judged.run) for judged in runs],
        sentences=[*map(escaped, first.verdict.sentences)],
        table=grid(("kind of work", "best", "by how much"), rows) if rows else "",
        matched=grid(matched[0], matched[1:]) if matched else "",
        not_said=[*map(escaped, first.verdict.not_said)],
        pictures=drawn,
        findings=findings(runs),
        faults=next((faults_grid(judged.faults) for judged in runs if judged.faults.faults), ""),
        traps=str(conclusion(first.run.traps)) if first.run.traps else "",
    )  # fmt: skip


def facts(run: Run) -> dict[str, Any]:
    """Where and how a run was measured."""
    environment = run.environment
    versions = environment.get("packages", {})
    given = run.arguments.get("given", [run.arguments["command"]])
    seeded = given if "--seed" in given else [*given, "--seed", str(run.seed)]
    return {
        "file": run.file,
        "measured": f"{run.started_utc[:10]}, {run.started_utc[11:16]} UTC, in {run.elapsed_s / 60:.0f} minutes",
        "machine": f"{environment.get('cpu') or 'unknown'}, {environment.get('cores')} cores, "
                   f"{environment.get('system')} {environment.get('kernel')}",
        "python": f"{environment.get('implementation')} {environment.get('python')}",
        "postgres": environment.get("postgres"),
        "packages": ", ".join(f"{name} {versions[name]}" for name in PACKAGES if name in versions),
        "commit": environment.get("commit"),
        "command": f"python -m bench {shlex.join(seeded)}",
    }  # fmt: skip


def findings(runs: Sequence[Judged]) -> list[tuple[str, str]]:
    """What each scenario found, in sentences."""
    return [
        (scenario.name, escaped(said))
        for judged in runs for scenario in judged.scenarios
        if scenario.name in SCENARIOS and (said := SCENARIOS[scenario.name].finding(scenario))
    ]  # fmt: skip
