"""A plan is carried out on real servers: all of a generation up at once, and what fails does not stop the others."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.errors import BenchError
from bench.judging.standings import TWIN_SUFFIX
from bench.load import Generator, SlicesJob, SlicesResult
from bench.load.calibration import Calibration
from bench.measuring import generators as generators_module
from bench.measuring import run as run_module
from bench.measuring.plan import Step, expected_s, make_plan
from bench.measuring.run import execute, is_needless, left_s
from bench.measuring.session import Inquiry, Place, Session
from bench.measuring.subjects import model_facts, questions
from bench.models import Model, find_models
from bench.results import Cell, Run, load_run, new_run
from bench.scenarios import SCENARIOS, throughput
from bench.scenarios.base import Options, Reading, Scenario, Workload
from bench.scenarios.generation import Generation
from bench.scenarios.schedule import Slices
from bench.testbed.testbed import TestBed
from tests.judged_runs import rates
from tests.listeners import Heard

THROUGHPUT = SCENARIOS["throughput"]
EMPTY, ONE_READ = throughput.workloads(Options())[:2]
SHORT = replace(THROUGHPUT, workloads=lambda options: [EMPTY, ONE_READ])
OPTIONS = Options(generations=1, cycles=5, slice_s=0.03, seed=7, budget_s=0)
GEVENT, ASYNCIO = find_models("gevent,asyncio-bridge")
TWIN = f"gevent{TWIN_SUFFIX}"
CALIBRATION = Calibration(
    rounds=1, duration_s=0.1, generator_cores=(), server_cores=(), closed_connections=1, closed_rps=1.0,
    closed_cpu_share=0.1, open_offered_rps=1.0, open_rps=1.0, open_cpu_share=0.1, open_start_lag_p50_s=None,
    open_start_lag_p99_s=None, wrk_rps=None, closed_to_wrk=None,
)  # fmt: skip
BELIEVED = ("VALID", "UNSTABLE", "GENERATOR-LIMITED")


@pytest.fixture(scope="module")
def generator() -> Iterator[Generator]:
    """One process for all loads of this file."""
    with Generator() as one:
        yield one


def empty_run(folder: Path, scenario: Scenario, models: Sequence[Model]) -> Run:
    """A run that has measured nothing yet, and can be judged."""
    run = new_run(folder / "run", {}, {}, seed=OPTIONS.seed)
    run.scenarios, run.models = questions([scenario], OPTIONS), model_facts(models)
    return run


def carried_out(
    scenario: Scenario, models: Sequence[Model], test_bed: TestBed, generator: Generator, folder: Path, heard: Heard
) -> Run:
    """One generation."""
    run = empty_run(folder, scenario, models)
    execute(make_plan([scenario], models, OPTIONS), test_bed, OPTIONS, run, generator, heard)
    return load_run(run.folder)


def states(run: Run) -> dict[tuple[str, str], str]:
    """By model and workload."""
    return {(cell.model, cell.workload["name"]): cell.observations[0].state for cell in run.cells.values()}


def reason(run: Run, model: str, workload: Workload) -> str:
    """Why a cell is not valid."""
    return run.cells[THROUGHPUT.name, model, workload.name].observations[0].reason


def test_all_servers_of_a_generation_are_up_at_once_and_take_turns(
    test_bed: TestBed, generator: Generator, tmp_path: Path
) -> None:
    up: list[int] = []

    def measure(generation: Generation, workload: Workload) -> Mapping[str, Reading]:
        up.append(sum(psutil.pid_exists(context.server.process.pid) for context in generation.contexts.values()))
        return throughput.measure(generation, workload)

    heard = Heard()
    scenario = replace(SHORT, schedule=Slices(measure))
    run = carried_out(scenario, [GEVENT, ASYNCIO], test_bed, generator, tmp_path, heard)
    assert up == [3, 3]
    assert heard.names == ["step 1 of 1", "6 cell"]
    assert sorted(heard.loads) == ["GET / on 3", "GET /queries/?count=1 on 3"]
    assert {cell.model for cell in run.cells.values()} == {"gevent", TWIN, "asyncio-bridge"}
    for cell in run.cells.values():
        (one,) = cell.observations
        assert (one.round, one.state in BELIEVED) == (0, True), one.reason
        assert one.figures["throughput_rps"] > 0
        assert one.figures["cpu_per_request_s"] > 0
        assert one.figures["rss_bytes"] > 10_000_000
        slices = one.raw["slices"]
        assert len(slices["good"]) == OPTIONS.cycles
        assert (slices["servers"], slices["slice_s"], slices["connections"]) == (3, 0.03, 16)
        assert sum(slices["errors"]) == 0
        assert set(one.raw["overlap"]) == {"python", "database"}
        assert one.raw["job"]["path"] == cell.workload["path"]
    assert 0 < run.window_s <= run.measuring_s <= run.generations_s <= run.elapsed_s


def test_the_order_of_the_workloads_is_drawn_for_each_generation_by_the_seed(test_bed: TestBed, tmp_path: Path) -> None:
    def order(step: Step, seed: int) -> list[str]:
        options = replace(OPTIONS, seed=seed)
        run = empty_run(tmp_path / f"{seed}{step.id.replace('/', '-')}", THROUGHPUT, [GEVENT])
        measurement = run_module.Measurement(step, test_bed, options, run, Generator(), Heard())
        return [workload.name for _, workloads in measurement.workloads() for workload in workloads]

    steps = make_plan([THROUGHPUT], [GEVENT], replace(OPTIONS, generations=6))
    first = [order(step, 1) for step in steps]
    assert len({tuple(each) for each in first}) > 3
    assert [order(replace(step, title="x"), 2) for step in steps] != first


def test_a_server_that_does_not_start_or_fails_its_check_has_errors_and_the_others_go_on(
    test_bed: TestBed, generator: Generator, tmp_path: Path
) -> None:
    absent = replace(ASYNCIO, name="absent", arguments=("-c", "raise SystemExit('no such app')"))
    liar = replace(ASYNCIO, name="liar", loop="uvloop")
    heard = Heard()
    run = carried_out(SHORT, [GEVENT, absent, liar], test_bed, generator, tmp_path, heard)
    assert sorted(heard.loads) == ["GET / on 2", "GET /queries/?count=1 on 2"]
    found = states(run)
    assert len(found) == 2 * 4
    for workload in (EMPTY, ONE_READ):
        assert {found[name, workload.name] for name in ("absent", "liar")} == {"ERRORS"}
        assert {found[name, workload.name] for name in ("gevent", TWIN)} <= set(BELIEVED)
        assert "no such app" in reason(run, "absent", workload)
        assert "event loop is asyncio, not uvloop" in reason(run, "liar", workload)


@pytest.mark.parametrize("after_s", [0.0, 0.4])
def test_a_server_that_dies_in_the_middle_has_errors_and_the_others_go_on(
    after_s: float, test_bed: TestBed, generator: Generator, tmp_path: Path
) -> None:
    def measure(generation: Generation, workload: Workload) -> Mapping[str, Reading]:
        pid = generation.contexts["asyncio-bridge"].server.process.pid
        if psutil.pid_exists(pid):
            killer = threading.Timer(after_s, os.kill, [pid, signal.SIGKILL])
            killer.start()
            if not after_s:
                killer.join()
        return throughput.measure(generation, workload)

    scenario = replace(SHORT, schedule=Slices(measure))
    run = carried_out(scenario, [GEVENT, ASYNCIO], test_bed, generator, tmp_path, Heard())
    for workload in (EMPTY, ONE_READ):
        assert states(run)["asyncio-bridge", workload.name] == "ERRORS"
        assert "the server ended with exit code 137; the last lines of" in reason(run, "asyncio-bridge", workload)
        for name in ("gevent", TWIN):
            assert states(run)[name, workload.name] in BELIEVED, reason(run, name, workload)


def test_a_generator_that_fails_is_an_error_of_all(
    test_bed: TestBed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slices(job: SlicesJob) -> SlicesResult:
        with own._working("slices of nothing", 5.0) as worker:
            return SlicesResult.from_json(worker.result())

    with Generator() as own:
        monkeypatch.setattr(own, "slices", slices)
        run = carried_out(SHORT, [GEVENT], test_bed, own, tmp_path, Heard())
    assert set(states(run).values()) == {"ERRORS"}
    assert "the load generator failed" in reason(run, "gevent", EMPTY)


class MadeUp:
    """In place of a measurement on servers: one that has nothing to measure."""

    def __init__(self, step: Step, *rest: Any) -> None:
        self.step = step

    def carry_out(self) -> list[Cell]:
        return [rates(each.name, (1000.0,), EMPTY.name, numbers=[self.step.round]) for each in self.step.contestants]


@pytest.mark.parametrize(("sure_after", "budget_s", "measured"), [(99, 1e9, 6), (4, 1e9, 4), (0, 1e9, 3), (99, 0.0, 3)])
def test_generations_go_on_until_the_run_is_sure_or_its_time_is_up(
    sure_after: int, budget_s: float, measured: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    test_bed: TestBed,
) -> None:  # fmt: skip
    options = replace(OPTIONS, generations=6, budget_s=budget_s)
    run = empty_run(tmp_path, THROUGHPUT, [GEVENT, ASYNCIO])
    monkeypatch.setattr(run_module, "Measurement", MadeUp)
    monkeypatch.setattr(run_module, "sure_enough", lambda scenarios: len(run.steps_done) >= sure_after)
    heard = Heard()
    execute(make_plan([THROUGHPUT], [GEVENT, ASYNCIO], options), test_bed, options, run, Generator(), heard)
    assert len(run.steps_done) == measured
    assert heard.names == [line for number in range(measured) for line in (f"step {number + 1} of 6", "3 cell")]


class Limited(MadeUp):
    """A step whose load is limited by fewer than four generators."""

    def __init__(
        self, step: Step, testbed: TestBed, options: Options, run: Run, generator: Generator, heard: Heard
    ) -> None:
        super().__init__(step)
        self.state = "GENERATOR-LIMITED" if generator.processes < 4 else "VALID"

    def carry_out(self) -> list[Cell]:
        cells = super().carry_out()
        return [
            replace(cell, observations=tuple(replace(one, state=self.state) for one in cell.observations))
            for cell in cells
        ]


@pytest.mark.parametrize(
    ("cores", "asked", "calibrations", "valid"),
    [(9, None, [2, 4], True), (4, None, [2, 3], False), (2, None, [], False), (9, 2, [], False), (9, 4, [], True)],
)
def test_a_step_is_measured_again_by_more_generators_if_they_were_the_limit_and_there_are_cores(
    cores: int, asked: int | None, calibrations: list[int], valid: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, test_bed: TestBed,
) -> None:  # fmt: skip
    options = replace(OPTIONS, generators=asked)
    run = empty_run(tmp_path, THROUGHPUT, [GEVENT])
    calibrated: list[int] = []

    def calibrate(generator: Generator, wrk: None) -> Calibration:
        calibrated.append(generator.processes)
        return CALIBRATION

    monkeypatch.setattr(run_module, "Measurement", Limited)
    monkeypatch.setattr(run_module, "calibrate", calibrate)
    monkeypatch.setattr(generators_module, "other_cores", lambda workers: tuple(range(cores)))
    generator, heard = Generator(asked or 1), Heard()
    execute(make_plan([THROUGHPUT], [GEVENT], options), test_bed, options, run, generator, heard)
    assert {one.state for cell in run.cells.values() for one in cell.observations} == (
        {"VALID"} if valid else {"GENERATOR-LIMITED"}
    )
    assert calibrated == calibrations
    assert generator.processes == max([asked or 1, *calibrations])
    assert run.generators == max([1, *calibrations])
    assert [name for name in heard.names if "load generator" in name][:1] == (
        ["one load generator was the limit of what was just measured; 2 measure it again, and all that follows"]
        if calibrated else []
    )  # fmt: skip


def test_a_further_generation_begins_only_if_it_would_be_over_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "sure_enough", lambda scenarios: False)
    options = replace(OPTIONS, generations=4, budget_s=100.0)
    *_, last = plan = make_plan([THROUGHPUT], [GEVENT], options)
    run = empty_run(tmp_path, THROUGHPUT, [GEVENT])
    takes_s = expected_s(last, options)
    for spent_s, needless in ((100 - takes_s - 0.1, False), (100 - takes_s + 0.1, True)):
        run.generations_s = spent_s
        assert is_needless(last, run, options) is needless
        assert not is_needless(plan[2], run, options)


def test_what_is_left_counts_further_generations_only_up_to_the_budget() -> None:
    options = replace(OPTIONS, generations=100, budget_s=60.0)
    plan = make_plan([THROUGHPUT, SCENARIOS["fanout"]], [GEVENT], options)
    run = Run(Path("nowhere"), "", {}, {}, 1)
    once_s = expected_s(plan[-1], options)
    assert left_s(plan, run, options) == pytest.approx(60.0 + once_s)
    run.generations_s = 50.0
    assert left_s(plan[50:], run, options) == pytest.approx(10.0 + once_s)


@pytest.fixture
def on_test_bed(test_bed: TestBed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions find the tests' databases, and need not start their own."""
    monkeypatch.setattr("bench.measuring.session.open_testbed", lambda *_, **__: nullcontext(test_bed))


@pytest.mark.usefixtures("on_test_bed")
def test_a_run_that_stopped_within_a_generation_goes_on_with_that_generation(tmp_path: Path) -> None:
    def stop(number: int) -> None:
        if number == 4:  # the second load of the second generation
            raise KeyboardInterrupt

    def inquiry(seed: int) -> Inquiry:
        return Inquiry("throughput", [SHORT], [ASYNCIO], replace(OPTIONS, generations=2, seed=seed))

    stopped, session = Heard(stop), Session(Place(out=tmp_path / "o"))
    with pytest.raises(KeyboardInterrupt):
        session.carry_out(inquiry(session.seed), stopped)
    assert stopped.names == ["started 1", "step 1 of 2", "4 cell", "step 2 of 2", "not complete"]
    before = load_run(tmp_path / "o")
    assert (len(before.steps_done), before.servers_at_once) == (1, OPTIONS.servers_at_once)

    heard, resumed = Heard(), Session(Place(resume=tmp_path / "o"))
    after = resumed.carry_out(inquiry(resumed.seed), heard)
    assert heard.names == ["started 1", "step 2 of 2", "4 cell", "complete"]
    assert len(heard.loads) == 2
    for key, cell in after.cells.items():
        assert [one.round for one in cell.observations] == [0, 1]
        assert cell.observations[0].raw == before.cells[key].observations[0].raw

    damaged = load_run(tmp_path / "o")
    del damaged.steps_done[0]
    damaged.save()
    with pytest.raises(BenchError, match="is damaged: what it has measured is not what it says was done"):
        Session(Place(resume=tmp_path / "o")).carry_out(inquiry(resumed.seed), Heard())
