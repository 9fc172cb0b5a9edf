"""What all commands that measure have in common: options, --quick, progress, and the line that goes on with a run."""

import io
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
from click.testing import CliRunner
from rich.console import Console

from bench.cli import cli
from bench.commands import measure
from bench.measuring.plan import make_plan
from bench.measuring.session import Inquiry, Session
from bench.models import find_models
from bench.report.terminal.run import RunReport
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options
from bench.scenarios.throughput import ONE_READ, workloads

ROOT = Path(__file__).parents[2]
MEASURE = ("all", "try", *SCENARIOS, "faults", "traps", "layers", "bridge", "decide")


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The bench in that folder, its output read by nobody until it ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def steps_done(folder: Path) -> list[str]:
    """The steps in the results file so far."""
    path = folder / "o" / "results.json"
    text = path.read_text() if path.exists() else ""  # empty when it is begun
    found: list[str] = json.loads(text)["steps_done"] if text else []
    return found


@pytest.mark.parametrize("name", MEASURE)
def test_every_command_that_measures_can_be_quick(name: str) -> None:
    assert any("--quick" in parameter.opts for parameter in cli.commands[name].params)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["throughput"], {}),
        (["throughput", "--quick"], {"generations": 3, "cycles": 10, "budget_s": 0.0}),
        (
            ["all", "--quick", "--cycles", "4", "--budget-s", "20"],
            {"generations": 3, "cycles": 4, "budget_s": 20.0, "brief": True},
        ),
        (
            ["latency", "--generations", "5", "--slice-s", "0.1", "--lead-in-s", "0.01", "--servers-at-once", "4"],
            {"generations": 5, "slice_s": 0.1, "lead_in_s": 0.01, "servers_at_once": 4},
        ),
        (["bridge", "--quick", "--generations", "2"], {"generations": 2, "cycles": 10, "budget_s": 0.0}),
    ],
)
def test_options_are_as_given_and_quick_changes_only_what_nobody_has_chosen(
    arguments: list[str], expected: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Options] = []

    def note(session: Session, inquiry: Inquiry, *rest: object, **more: object) -> None:
        asked.append(inquiry.options)
        raise SystemExit(0)

    monkeypatch.setattr(measure, "carry_out", note)
    monkeypatch.setattr(measure, "available_models", lambda names: find_models("gevent"))
    monkeypatch.setattr(measure, "left_out", lambda names: "")
    done = CliRunner().invoke(cli, arguments)
    assert (done.exit_code, done.output) == (0, "")
    (options,) = asked
    quick = {"quick": "--quick" in arguments, "seed": options.seed}
    usual = {name: value for name, value in vars(Options()).items() if name != "chosen"}
    assert {name: getattr(options, name) for name in usual} == {**usual, **quick, **expected}


@pytest.mark.parametrize("terminal", [True, False])
def test_the_progress_line_says_what_is_loaded_now_and_a_pipe_has_one_line_a_step(terminal: bool) -> None:
    scenario = SCENARIOS["throughput"]
    plan = make_plan([scenario], find_models("gevent"), Options())
    printed = io.StringIO()
    report = RunReport(Console(file=printed, force_terminal=terminal, width=200), lambda run, complete: None)
    report.run_started([scenario], Options())
    report.noticed("3 servers at once and not 12")
    report.step_started(1, len(plan), plan[0], 75.0)
    (read,) = (workload for workload in workloads(Options()) if workload.name == ONE_READ)
    report.workload_started(read, 6)
    (task,) = report.progress.live.tasks
    assert task.description == f"1 of {len(plan)}: throughput, generation 1: GET /queries/?count=1 on 6 servers"
    report.progress.stop()
    if not terminal:
        assert printed.getvalue().splitlines() == [
            "3 servers at once and not 12",
            f"[1/{len(plan)}] throughput, generation 1; 0:00 elapsed, about 1:15 left",
        ]


def test_the_error_of_another_command_says_which_can_be_quick(tmp_path: Path) -> None:
    done = started(tmp_path, "list", "--quick")
    _, errors = done.communicate(timeout=60)
    assert done.returncode == 2
    assert "No such option" in errors
    assert errors.splitlines()[-1] == f"The commands that have --quick are {', '.join(MEASURE)}."


def test_ctrl_c_prints_the_line_that_goes_on_with_the_run(tmp_path: Path) -> None:
    arguments = ("--seconds", "0.5", "--models", "gevent,asyncio-bridge,sync", "--seed", "3")
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
    assert not others & {"--slo-ms", "--seconds", "--requests", "--connections", "--generations"}
