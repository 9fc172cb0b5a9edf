"""Files are written whole or not at all, and as UTF-8 whatever the locale."""

import ast
import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from processes import wait_until

from bench.errors import BenchError
from bench.files import write_whole
from bench.report.page.page import write_page
from tests.report_runs import sample_run

ROOT = Path(__file__).parents[1]
SHIPPED = ("bench", "gevent_app", "asyncio_app", "reference_apps", "entrypoints")
OPENING = ("read_text", "write_text", "open")
# No UTF-8 anywhere: what PEP 538 and PEP 540 would put right is switched off.
ASCII = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONPATH": str(ROOT),
    "COLUMNS": "80",
    "TERM": "dumb",
}

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")


@needs_full
def test_a_file_that_cannot_be_written_whole_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("whole")
    (tmp_path / "report.html.new").symlink_to("/dev/full")
    with pytest.raises(BenchError, match=r"cannot write .*report\.html: No space left on device; make room there"):
        write_page(sample_run(tmp_path))
    assert path.read_text() == "whole"
    assert not (tmp_path / "report.html.new").is_symlink()


@needs_full
def test_a_full_disk_names_the_results_file_first_and_the_page_second(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "classic", "--models", "gevent,sync", "--seconds", "0.2", "--out", "o"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    results = tmp_path / "o" / "results.json"
    bench = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: results.exists() and '"cells": [{' in results.read_text(), "a cell has been measured")
        for name in ("results.json", "report.html"):
            (tmp_path / "o" / f"{name}.new").symlink_to("/dev/full")
        _, errors = bench.communicate(timeout=60)
    finally:
        bench.kill()
        bench.communicate()
    assert bench.returncode == 2
    assert errors.splitlines() == [
        f"bench: cannot write o/{name}: No space left on device; make room there or use another folder"
        for name in ("results.json", "report.html")
    ]
    assert len(json.loads(results.read_text())["cells"]) == 1
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["logs", "results.json"]


def test_a_name_that_is_no_utf_8_keeps_its_bytes(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", os.fsdecode(b"\xc3\xa9 \xff"))
    assert (tmp_path / "file").read_bytes() == b"\xc3\xa9 \xff"


@pytest.mark.parametrize("package", SHIPPED)
def test_every_text_file_is_opened_with_its_encoding(package: str) -> None:
    calls = [
        (path, node)
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert calls
    for path, node in calls:
        if called(node) in OPENING and not opens_bytes(node):
            assert "encoding" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"


def called(call: ast.Call) -> str:
    """The function's or the method's own name; nothing for a method that is only named alike."""
    if isinstance(call.func, ast.Attribute):
        module = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
        return "" if module in ("webbrowser", "os") else call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def opens_bytes(call: ast.Call) -> bool:
    """Whether its mode says so."""
    return any(isinstance(given, ast.Constant) and given.value in ("rb", "ab", "wb") for given in call.args)


def bench(*arguments: str, cwd: Path) -> str:
    """What a command writes where the locale knows ASCII only."""
    command = [sys.executable, "-m", "bench", *arguments]
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **ASCII}, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_a_run_in_an_ascii_locale_is_the_same_as_in_any_other(tmp_path: Path) -> None:
    """Its folder's name, its characters beyond ASCII, its page and its texts."""
    folder = tmp_path / "Prüfung"
    folder.mkdir()
    shown = bench("classic", "--models", "gevent", "--seconds", "0.1", "--requests", "2", "--out", "läufe", cwd=folder)
    assert shown.endswith("läufe/report.html\nläufe/results.json\n")
    assert "█" in shown
    (cell,) = json.loads((folder / "läufe" / "results.json").read_text(encoding="utf-8"))["cells"]
    assert cell["workload"]["name"] == "2 × 0.1 s"
    assert "2 × 0.1 s" in (folder / "läufe" / "report.html").read_text(encoding="utf-8")
    assert "2 × 0.1 s" in bench("report", "läufe", "--format", "csv", cwd=folder)
    assert "▌ async def sleep_postgres" in bench("code", "/sleep/postgres/", cwd=folder)


def test_an_ascii_terminal_shows_a_question_mark_for_what_it_lacks() -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "bench", "code", "/sleep/postgres/"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **ASCII}, stdin=its, stdout=its, stderr=its) as bench:
        os.close(its)
        shown = b""
        with suppress(OSError):  # the end of a terminal that nobody has open any more
            while data := os.read(ours, 65_536):
                shown += data
    os.close(ours)
    assert bench.returncode == 0
    assert "? async def sleep_postgres" in shown.decode("ascii")
