"""The command that shows a finished run: as a page, or as text for pull requests and spreadsheets."""

import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from bench.commands.results import DAMAGE, damaged, newest_run, sound_run
from bench.errors import BenchError
from bench.report.export import as_csv, as_json, as_markdown
from bench.report.page.page import write_page
from bench.results import Run

TEXTS: dict[str, Callable[[Run], str]] = {"md": as_markdown, "csv": as_csv, "json": as_json}


@click.command()
@click.argument("results", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", *TEXTS]),
    default="html",
    show_default=True,
    help="html writes the page; the others print text for a pull request, a spreadsheet, a program.",
)
@click.option("--open", "opened", is_flag=True, help="Open the page in your browser.")  # fmt: skip
def report(results: Path | None, form: str, opened: bool) -> None:
    """Report the run in RESULTS, a run's folder or its results.json; without RESULTS the newest in results/.

    Writes report.html beside it, which needs no network and no other file, and prints its path; the other formats go
    to the terminal.
    """
    if opened and form != "html":
        raise BenchError(f"--open is for the page; leave it out, or --format {form}")
    run = sound_run(results) if results else newest()
    if not has_results(run):
        raise BenchError(f"{run.path} has no measurements in it; the run ended before its first one")
    try:
        if form != "html":
            click.echo(TEXTS[form](run), nl=False)
            return
        path = write_page(run)
    except DAMAGE as error:
        raise damaged(run, error) from None
    click.echo(str(path))
    if opened:
        webbrowser.open(path.resolve().as_uri())


def has_results(run: Run) -> bool:
    """Whether it measured, tried or inflicted anything."""
    return bool(run.cells or run.traps or run.faults or run.tried)


def newest() -> Run:
    """The last run in results/ that measured anything. Raises BenchError if there is none."""
    run = newest_run(has_results)
    if run is None:
        raise BenchError("no run in results/ has measurements; run python -m bench all, or name a run's folder")
    return run
