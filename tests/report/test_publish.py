"""What is published follows from the committed runs: publishing again changes nothing, and texts quote nothing else."""

import json
import lzma
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.judging import judge
from bench.report.publication import BEGIN, END, FIGURES, answer
from bench.results import load_run
from tests.in_process import Bench
from tests.report_runs import sample_run, without

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
# The run that the answer is about comes first.
RUNS = sorted(RESULTS.glob("*.json.xz"), key=lambda path: (path.name != "all.json.xz", path.name))
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# A number that was measured, as a text quotes it.
MEASURED = re.compile(r"\d[\d,.]*\s?(?:µs|ms|s|kB|MB|req/s|times|%)(?!\w)")
# Units that only what was measured has.
NEVER_BY_HAND = re.compile(r"\d\s?(?:µs|kB|req/s)(?!\w)")


def sample(folder: Path, command: str = "all") -> str:
    """The path of a saved sample run of that command."""
    folder.mkdir()
    run = without(sample_run(folder), "pairs")
    run.arguments = {"command": command, **run.arguments}
    run.save()
    return str(folder)


def marked(folder: Path, text: str = f"# Title\n\n{BEGIN}\nold\n{END}\n\nkept\n") -> Path:
    """A file with marks."""
    path = folder / "README.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_publishing_the_committed_runs_again_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    """If this fails: `python -m bench publish docs/results/all.json.xz`, with any other run there after it."""
    out, readme = tmp_path / "docs" / "results", tmp_path / "README.md"
    shutil.copy(ROOT / "README.md", readme)
    assert bench("publish", *map(str, RUNS), "--out", str(out), "--readme", str(readme)).returncode == 0
    assert readme.read_text(encoding="utf-8") == (ROOT / "README.md").read_text(encoding="utf-8")
    committed = {path.name for path in RESULTS.iterdir() if path.name != "report.html"}
    assert {path.name for path in out.iterdir()} == committed
    for path in out.iterdir():
        before, after = ((folder / path.name).read_bytes() for folder in (RESULTS, out))
        if path.suffix == ".xz":
            before, after = map(lzma.decompress, (before, after))
        assert after == before, path.name


def test_what_is_committed_names_no_folder_of_a_machine() -> None:
    for path in RUNS:
        text = lzma.decompress(path.read_bytes()).decode()
        assert re.findall(r"/(?:home|root|Users|tmp|work)/", text) == []


def regions(text: str) -> list[str]:
    """What stands between marks."""
    return re.findall(rf"{BEGIN}(.*?){END}", text, re.DOTALL)


def quoted(text: str) -> set[str]:
    """The numbers with units of a text, without its code and its links."""
    return {
        " ".join(found.split())
        for found in MEASURED.findall(re.sub(r"```.*?```|`[^`]*`|<img.*?>", "", text, flags=re.DOTALL))
    }


def test_every_figure_between_marks_is_one_of_the_run() -> None:
    figures = json.loads((RESULTS / FIGURES).read_text(encoding="utf-8"))
    known = quoted("\n".join(f"{name}\n{text}" for name, text in figures.items()))
    between = [region for path in TEXTS for region in regions(path.read_text(encoding="utf-8"))]
    assert between
    for region in between:
        assert quoted(region) <= known


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_figure_is_typed_by_hand(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for region in regions(text):
        text = text.replace(region, "")
    assert NEVER_BY_HAND.findall(text) == []


def test_a_number_that_is_in_no_run_is_noticed() -> None:
    assert quoted("It took 12 µs, 3.5 s\nand 1,000 kB; `5 s` and 15 connections.") == {"12 µs", "3.5 s", "1,000 kB"}


def test_the_first_screen_tells_a_synchronous_app_what_to_do() -> None:
    """Its commands, what asyncio would take, and to commit before a call; with the models' links to what is there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (region,) = regions(text)
    assert text.index(BEGIN) < 600
    for words in ("Take gevent", 'gunicorn --worker-class gevent "yourapp:create_app()"', "patch_psycopg()",
                  "`async def` views", "one request at a time", "db.session.commit()", "$ make bench"):  # fmt: skip
        assert words in region
    links = re.findall(r"\[`([\w-]+)`\]\((bench/models/\w+\.py)\)", region)
    assert len(links) > 8
    for model, file in links:
        assert f'"{model}"' in (ROOT / file).read_text(encoding="utf-8")


def test_the_configuration_in_the_answer_makes_psycopg2_wait_cooperatively() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(from psycogreen.*?)```", text, re.DOTALL)
    asked = (
        "import psycopg2.extensions as e; print(e.get_wait_callback()); post_fork(0, 0); print(e.get_wait_callback())"
    )
    done = subprocess.run([sys.executable, "-c", f"{code}\n{asked}"], check=True, timeout=60, capture_output=True)
    before, after = done.stdout.decode().splitlines()
    assert before == "None"
    assert "gevent_wait_callback" in after


def test_another_run_is_published_elsewhere_and_says_only_what_it_has(bench: Bench, tmp_path: Path) -> None:
    """No pairs, so no sentence and no picture of them; the rest of the file is left."""
    readme = marked(tmp_path)
    code, said = bench(
        "publish", sample(tmp_path / "run"), "--out", str(tmp_path / "out"), "--readme", str(readme)
    ).said
    assert code == 0
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"# Title\n\n{BEGIN}\n**The short answer**, measured on A processor")
    assert text.endswith(f"{END}\n\nkept\n")
    assert "](out/README.md)" in text
    assert "out/waits-light.svg" in text
    assert "pairs-light.svg" not in text
    assert "same data layer" not in text
    assert said.splitlines() == [*(str(tmp_path / "out" / name) for name in (
        "all.json.xz", "README.md", FIGURES, *(f"{name}-{scheme}.svg" for name in ("waits", "memory", "waves")
                                               for scheme in ("light", "dark")))), str(readme)]  # fmt: skip


def test_the_answer_says_of_waits_what_the_run_says(tmp_path: Path) -> None:
    """Without the classic in a run, that is what it claims of its models; here it is turned round."""
    run = without(sample_run(tmp_path), "classic")
    said = {"gevent": "Take gevent", "asyncio-bridge": "loopbridge]", "asyncio-adapter": "one request at a time"}
    for name, sentence in said.items():
        for overlap in (False, True):
            run.models[name] = replace(run.models[name], python_waits_overlap=overlap, database_waits_overlap=overlap)
            assert (sentence in answer(judge(run), {}, [], "")) == (overlap != (name == "asyncio-adapter"))


def test_every_command_reads_a_published_run(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "all.json.xz"
    shutil.copy(RESULTS / "all.json.xz", path)
    assert bench("report", str(path)).said == (0, f"{tmp_path / 'report.html'}\n")
    for command in (("compare", str(path), str(path)), ("decide", "--results", str(path))):
        code, said = bench(*command).said
        assert (code, str(path) in said) == (0, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no marks", f"must have the lines {BEGIN} and {END} once"),
        (f"{BEGIN}\n{BEGIN}\n{END}", f"must have the lines {BEGIN} and {END} once"),
        (f"{END}\n{BEGIN}", f"must have the lines {BEGIN} and {END} once"),
        (None, "No such file or directory; name the file with --readme"),
    ],
)
def test_a_file_without_its_marks_is_refused_before_anything_is_written(
    bench: Bench, tmp_path: Path, text: str | None, says: str
) -> None:
    readme = tmp_path / "README.md" if text is None else marked(tmp_path, text)
    code, said = bench(
        "publish", sample(tmp_path / "run"), "--out", str(tmp_path / "out"), "--readme", str(readme)
    ).said
    assert code == 2
    assert says in said
    assert not (tmp_path / "out").exists()


def test_runs_that_cannot_be_published_are_refused(bench: Bench, tmp_path: Path) -> None:
    options = ("--out", str(tmp_path / "out"), "--readme", str(marked(tmp_path)))
    one, other = sample(tmp_path / "one"), sample(tmp_path / "other")
    assert bench("publish", one, other, *options).said == (
        2, "bench: 2 of the runs would be all.json.xz, after their command; name one of them\n",
    )  # fmt: skip
    nameless = sample(tmp_path / "nameless", "../all")
    code, said = bench("publish", nameless, *options).said
    assert (code, "does not say which command measured it; measure again" in said) == (2, True)
    run = load_run(Path(other))
    run.cells = {}
    run.save()
    code, said = bench("publish", other, *options).said
    assert (code, "has no measurements in it" in said) == (2, True)
    assert not (tmp_path / "out").exists()
