"""What all commands that measure have in common: --quick, and the line that goes on with a run."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from bench.cli import cli
from bench.scenarios import SCENARIOS

ROOT = Path(__file__).parents[2]
MEASURE = ("all", *SCENARIOS, "traps", "bridge", "decide")


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The bench in that folder, its output read by nobody until it ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def steps_done(folder: Path) -> list[str]:
    """The steps in the results file so far."""
    path = folder / "o" / "results.json"
    found: list[str] = json.loads(path.read_text())["steps_done"] if path.exists() else []
    return found


@pytest.mark.parametrize("name", MEASURE)
def test_every_command_that_measures_can_be_quick(name: str) -> None:
    assert any("--quick" in parameter.opts for parameter in cli.commands[name].params)


def test_the_error_of_another_command_says_which_can_be_quick(tmp_path: Path) -> None:
    done = started(tmp_path, "list", "--quick")
    _, errors = done.communicate(timeout=60)
    assert done.returncode == 2
    assert "No such option" in errors
    assert errors.splitlines()[-1] == f"The commands that have --quick are {', '.join(MEASURE)}."


def test_ctrl_c_prints_the_line_that_goes_on_with_the_run(tmp_path: Path) -> None:
    arguments = ("--seconds", "0.5", "--models", "gevent,asyncio,sync", "--seed", "3")
    process = started(tmp_path, "classic", "--out", "o", *arguments)
    try:
        deadline = time.monotonic() + 60
        while not steps_done(tmp_path):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert output.splitlines()[-1] == "o/results.json"
    (line,) = (line for line in errors.splitlines() if "go on with: " in line)
    words = shlex.split(line.partition("go on with: ")[2])
    assert words[:4] == ["python", "-m", "bench", "classic"]
    assert words[-2:] == ["--resume", "o"]
    assert "--out" not in words
    done_before = steps_done(tmp_path)
    resumed = started(tmp_path, *words[3:])
    _, errors = resumed.communicate(timeout=60)
    assert (resumed.returncode, errors) == (0, "")
    assert steps_done(tmp_path)[: len(done_before)] == done_before
    assert len(steps_done(tmp_path)) == 3


def test_options_that_a_command_has_are_flags_of_click() -> None:
    """A scenario's own options stand in its command and in `all`, and nowhere else."""
    for name, scenario in SCENARIOS.items():
        flags = {option.flag for option in scenario.options}
        for command in (name, "all"):
            assert flags <= {flag for one in cli.commands[command].params for flag in one.opts}
    others = {flag for one in cli.commands["scale"].params for flag in one.opts if isinstance(one, click.Option)}
    assert not others & {"--slo-ms", "--seconds", "--requests", "--connections", "--rounds"}
