"""A run that is kept beside the code: compressed, without folders of its machine, and read as any other."""

import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError
from bench.results import load_run, write_published
from bench.results.published import without_folders
from tests.report_runs import sample_run


def published(folder: Path) -> Path:
    """The sample run, published."""
    run = sample_run(folder)
    run.arguments = {"command": "all", **run.arguments}
    return write_published(run, folder)


def test_a_published_run_is_read_as_it_was_and_publishing_it_again_changes_nothing(tmp_path: Path) -> None:
    path = published(tmp_path)
    assert path.name == "all.json.xz"
    run = load_run(path)
    assert (run.path, run.seed) == (path, 7)
    whole = without_folders(json.loads(json.dumps({**sample_run(tmp_path).content(), "arguments": run.arguments})))
    assert json.loads(lzma.decompress(path.read_bytes())) == whole
    again = tmp_path / "again"
    again.mkdir()
    assert write_published(run, again).read_bytes() == path.read_bytes()


def test_commands_name_the_interpreter_and_not_its_folder(tmp_path: Path) -> None:
    assert {cell.command[0] for cell in load_run(published(tmp_path)).cells.values()} == {"python3.11"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/me/code/.venv/bin/python", "python"),
        ('File "/home/me/code/bench/run.py", line 3', 'File "run.py", line 3'),
        ("the last lines of /home/me/run/logs/gevent.log:\n/opt/a/b.py: no", "the last lines of gevent.log:\nb.py: no"),
        ("/sleep/python/?seconds=0.5", "/sleep/python/?seconds=0.5"),
        ("GET /queries/?count=1", "GET /queries/?count=1"),
        ("https://github.com/a/b/issues/1", "https://github.com/a/b/issues/1"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_of_a_path_its_last_part_is_left(text: str, left: str) -> None:
    assert without_folders({"a": [text]}) == {"a": [left]}


def half(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (half, "it is not a whole compressed file"),
        (lambda content: b"{}", "it is not a whole compressed file"),
        (lambda content: b"", "it is not a whole compressed file"),
        (lambda content: lzma.compress(b"\xff"), "it is not UTF-8 text"),
        (lambda content: lzma.compress(b"{}"), "is no results file of this bench"),
    ],
)
def test_a_damaged_compressed_file_is_refused_in_one_line(tmp_path: Path, spoil: Any, says: str) -> None:
    path = published(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BenchError, match=says) as caught:
        load_run(path)
    assert "\n" not in str(caught.value)


def test_a_run_says_which_file_it_is_from(tmp_path: Path) -> None:
    run = load_run(published(tmp_path))
    assert replace(run, seed=8).content().keys() == sample_run(tmp_path).content().keys()
