"""The command line, called as a function: starting an interpreter for each command takes a second of a busy machine."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bench.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def said(self) -> tuple[int, str]:
        """The exit code, and everything that it printed."""
        return self.returncode, self.stdout + self.stderr


Bench = Callable[..., Done]


@pytest.fixture(name="bench")
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """A command in the current folder; its input is no terminal, and 80 columns are what it prints into."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)  # which every command adds to

    def run(*arguments: str) -> Done:
        monkeypatch.setattr("sys.argv", ["bench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run
