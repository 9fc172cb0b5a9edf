"""The command that publishes runs: a page and pictures beside the code, and the short answer in README.md."""

import os
from pathlib import Path

import click

from bench.commands.results import DAMAGE, damaged, sound_run
from bench.errors import BenchError
from bench.files import write_whole
from bench.judging import judge
from bench.report.pictures import pictures
from bench.report.publication import answer, figures, files, with_answer
from bench.results import Run, published_name, write_published


# fmt: off
@click.command(epilog="Example: python -m bench publish results/2026-11-20T12.00.00Z")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/results"),
              show_default=True, help="Where runs, pictures, figures and their page go.")
@click.option("--readme", type=click.Path(dir_okay=False, path_type=Path), default=Path("README.md"),
              show_default=True, help="The file whose marked part becomes the short answer.")
def publish(results: tuple[Path, ...], out: Path, readme: Path) -> None:
    """Publish the runs in RESULTS, folders of runs or their files: the first is what the page and the answer are about.

    Writes each run compressed, which report, compare and decide read as it is; pictures in light and dark; a page;
    every figure by its name; and the part of README.md between its marks. All of it follows from the runs alone.
    """
    runs = [sound_run(path) for path in results]
    check_apart(runs)
    marked = marked_text(readme)
    out.mkdir(parents=True, exist_ok=True)
    judged = [judge(sound_run(write_published(run, out))) for run in runs]
    try:
        found, drawn = figures(judged), pictures(judged)
        folder = os.path.relpath(out, readme.parent) + "/"
        texts = {out / name: text for name, text in files(judged, found, drawn).items()}
        texts[readme] = with_answer(marked, answer(judged[0], found, drawn, folder), str(readme))
    except DAMAGE as error:
        raise damaged(judged[0].run, error) from None
    for path, text in texts.items():
        write_whole(path, text)
    for path in (*(one.run.path for one in judged), *texts):
        click.echo(str(path))
# fmt: on


def check_apart(runs: list[Run]) -> None:
    """Raises BenchError for a run without a measurement, and for two of the same command, which have one name."""
    names = list(map(published_name, runs))
    for run, name in zip(runs, names, strict=True):
        if not (run.cells or run.faults):
            raise BenchError(f"{run.path} has no measurements in it; the run ended before its first one")
        if names.count(name) > 1:
            raise BenchError(f"{names.count(name)} of the runs would be {name}, after their command; name one of them")


def marked_text(path: Path) -> str:
    """The text of a file that has marks. Raises BenchError if it cannot be read, or has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}; name the file with --readme") from None
    with_answer(text, "", str(path))
    return text
