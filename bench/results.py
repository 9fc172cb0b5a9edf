"""The results file: one JSON document a run, complete after every server that was measured."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.files import write_whole
from bench.judging.validity import Judgement, State, judge_rounds

SCHEMA = 2
FILE = "results.json"


@dataclass(frozen=True)
class Question:
    """What a scenario asked in this run, as far as one must know it to judge its cells."""

    text: str
    figure: str
    """The figure that cells are ranked by."""
    higher_is_better: bool
    compared: bool
    """Whether every model was measured in every round, so that rounds can be paired; else each cell stands alone."""
    spread_limit: float | None
    """How far a cell's rounds may be apart before it is UNSTABLE, as a share of their median; None: any."""
    workloads: tuple[str, ...]
    """Their names, in the order in which a reader meets them."""


@dataclass(frozen=True)
class ModelFacts:
    """What a run says of a model beside its figures; of an A/A twin, the same as of its model."""

    framework: str
    """`Flask`, or the other framework that its application is written for; empty for none."""
    group: str
    """Where it stands in the registry's list."""
    situation: str
    """What blocks, in a few words."""
    python_waits_overlap: bool
    database_waits_overlap: bool
    trap: bool
    """Whether it looks concurrent and is not, or breaks under load."""


@dataclass(frozen=True)
class Observation:
    """One measurement of a cell: one workload on one server in one round."""

    round: int
    state: State
    reason: str
    figures: Mapping[str, Any]
    """By name, which ends with the unit; None for what could not be measured."""
    raw: Mapping[str, Any]
    """What the figures come from: the load, each request's times, the server's cost, the checks before it."""


@dataclass(frozen=True)
class Cell:
    """One model under one workload, and its observations."""

    scenario: str
    model: str
    """The name in the run: of a model, or of the A/A twin of one."""
    workload: Mapping[str, Any]
    """`name` and the scenario's own parameters."""
    figure: str
    """The figure that the cell is ranked by."""
    command: tuple[str, ...]
    """The server's command line in the last round."""
    info: Mapping[str, Any]
    """What the server said of itself at /info; empty if it never answered."""
    spread_limit: float | None
    """How far its rounds may be apart before the cell is UNSTABLE, as a share of their median; None: any."""
    observations: tuple[Observation, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other cell of a run."""
        return self.scenario, self.model, self.workload["name"]

    @property
    def judgement(self) -> Judgement:
        """Whether the cell may be ranked, and why not."""
        judgements = [Judgement(one.state, one.reason) for one in self.observations]
        return judge_rounds(judgements, self.values(self.figure), self.spread_limit)

    def values(self, name: str) -> list[float]:
        """A figure in every observation that has it."""
        return [one.figures[name] for one in self.observations if one.figures.get(name) is not None]


@dataclass
class Run:
    """One invocation of the bench."""

    folder: Path
    started_utc: str
    environment: Mapping[str, Any]
    arguments: Mapping[str, Any]
    seed: int
    scenarios: dict[str, Question] = field(default_factory=dict)
    """By name, in the order in which they are reported."""
    models: dict[str, ModelFacts] = field(default_factory=dict)
    """By name, in the order in which they were asked for."""
    cells: dict[tuple[str, str, str], Cell] = field(default_factory=dict)
    steps_done: list[str] = field(default_factory=list)
    prepared: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By scenario and contestant, what was found out before its rounds."""
    calibration: Mapping[str, Any] | None = None
    elapsed_s: float = 0.0
    measuring_s: float = 0.0
    """Seconds spent measuring: all but starting, checking and ending databases and servers."""
    window_s: float = 0.0
    """Those of them inside a measured window, without warm-ups and what comes between loads."""
    traps: list[dict[str, Any]] = field(default_factory=list)
    """What was seen of the traps that were tried, as bench/traps/ reports it."""

    @property
    def path(self) -> Path:
        """The results file."""
        return self.folder / FILE

    def add(self, cell: Cell) -> None:
        """Add a cell, or its further observations."""
        earlier = self.cells.get(cell.key)
        observations = (*(earlier.observations if earlier else ()), *cell.observations)
        self.cells[cell.key] = replace(cell, observations=observations)

    def of(self, scenario: str) -> list[Cell]:
        """The cells of a scenario."""
        return [cell for cell in self.cells.values() if cell.scenario == scenario]

    def content(self) -> dict[str, Any]:
        """The run as it stands in its file."""
        own = {name: value for name, value in vars(self).items() if name not in ("folder", "scenarios", "models")}
        return {
            "schema": SCHEMA,
            **own,
            "scenarios": {name: asdict(question) for name, question in self.scenarios.items()},
            "models": {name: asdict(model) for name, model in self.models.items()},
            "cells": [cell_content(cell) for cell in self.cells.values()],
        }

    def save(self) -> None:
        """Write the results file. Raises BenchError."""
        write_whole(self.path, json.dumps(self.content(), ensure_ascii=False) + "\n")


def cell_content(cell: Cell) -> dict[str, Any]:
    """A cell as it stands in the file, with what its observations say together."""
    judgement = cell.judgement
    observations = [vars(one) for one in cell.observations]
    return {**vars(cell), "observations": observations, "state": judgement.state, "reason": judgement.reason}


def new_run(out: Path | None, environment: Mapping[str, Any], arguments: Mapping[str, Any], seed: int) -> Run:
    """An empty run in a folder of its own (default `results/<UTC time>/`), its file already there.

    Raises BenchError if the folder holds results or cannot be written.
    """
    now = datetime.now(UTC)
    folder = out or unused(Path("results", f"{now:%Y-%m-%dT%H.%M.%SZ}"))
    if (folder / FILE).exists():
        raise BenchError(f"{folder} has results already; pass another --out, or --resume {folder} to go on with them")
    run = Run(folder, f"{now:%Y-%m-%dT%H:%M:%SZ}", environment, arguments, seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"cannot write to {folder}: {error.strerror}; pass another --out") from None
    run.save()
    return run


def unused(folder: Path) -> Path:
    """The folder, or the next one after it that is not there: two runs may begin in the same second."""
    following = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(path for path in chain([folder], following) if not path.exists())


def load_run(folder: Path) -> Run:
    """A run as its file has it. Raises BenchError if there is none, or it is of another kind or schema."""
    path = folder / FILE if folder.is_dir() else folder
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise BenchError(f"{path} is no results file: it is not JSON") from None
    if not isinstance(content, dict) or "schema" not in content:
        raise BenchError(f"{path} is no results file of this bench")
    if content.pop("schema") != SCHEMA:
        raise BenchError(f"{path} has another schema than this bench's {SCHEMA}; use the version that wrote it")
    try:
        for cell in content["cells"]:
            del cell["state"], cell["reason"]
            cell["observations"] = tuple(Observation(**one) for one in cell["observations"])
        cells = [Cell(**cell) for cell in content.pop("cells")]
        content["scenarios"] = {
            name: Question(**{**question, "workloads": tuple(question["workloads"])})
            for name, question in content["scenarios"].items()
        }
        content["models"] = {name: ModelFacts(**model) for name, model in content["models"].items()}
        run = Run(folder=path.parent, **content)
    except (KeyError, TypeError) as error:
        raise BenchError(f"{path} is damaged: {error}") from None
    run.cells = {cell.key: cell for cell in cells}
    return run


def check_same(run: Run, environment: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Refuse to go on with a run under other circumstances. Raises BenchError naming what differs."""
    for what, old, new in (("arguments", run.arguments, arguments), ("environment", run.environment, environment)):
        names = sorted(name for name in {*old, *new} if normal(old.get(name)) != normal(new.get(name)))
        if names:
            changes = "; ".join(f"{name}: {old.get(name)!r} then, {new.get(name)!r} now" for name in names)
            raise BenchError(f"cannot resume {run.folder}, its {what} differ ({changes}); start a new run")


def normal(value: Any) -> Any:
    """A value as it comes back from JSON."""
    return json.loads(json.dumps(value))
