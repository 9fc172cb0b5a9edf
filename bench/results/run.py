"""A run and what was measured in it, as it stands in its file. docs/schema.md says what every field is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError
from bench.files import write_whole
from bench.results.faults import Faults
from bench.results.tried import Tried

SCHEMA = 3
FILE = "results.json"
RESULTS = Path("results")
# What follows a model's name where it is measured a second time, as the other half of an A/A pair.
TWIN_SUFFIX = " (again)"

State = Literal["VALID", "GENERATOR-LIMITED", "SATURATED", "ERRORS", "UNSTABLE"]


@dataclass(frozen=True)
class Question:
    """What a scenario asked in this run, as far as one must know it to judge its cells."""

    text: str
    figure: str
    """The figure that cells are ranked by."""
    compared: bool
    """Whether models were measured in turn, so that they can be compared; else each cell stands alone."""
    workloads: tuple[str, ...]
    """Their names, in the order in which a reader meets them."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """By workload, the kind of work in words; a verdict is about these workloads only."""
    where_idle: str = ""
    """The figure that takes the other's place in a workload where a server did not fill its core; empty: none."""


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
    app: str = ""
    """The package or file whose views answer."""
    floor: bool = False
    """Whether it is no way to serve, but shows the least that a request costs."""
    layer: str = ""
    """What its views talk to the database with, where that is compared; empty elsewhere."""
    server_class: str = ""
    """`plain` or `best`, by its HTTP parser and event loop; empty where its server has no choice of both."""


@dataclass(frozen=True)
class Observation:
    """One measurement of a cell: one workload on one server."""

    round: int
    state: State
    reason: str
    figures: Mapping[str, Any]
    """By name, which ends with the unit; None for what could not be measured."""
    raw: Mapping[str, Any]
    """What the figures come from: every slice, or the load and the server's cost, and the checks before it."""


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
    """The command line of the last server."""
    info: Mapping[str, Any]
    """What the server said of itself at /info; empty if it never answered."""
    observations: tuple[Observation, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the model sets for its server on purpose."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other cell of a run."""
        return self.scenario, self.model, self.workload["name"]

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
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By scenario, what one generation of servers found out for the later ones."""
    servers_at_once: int | None = None
    """The most servers that are up together, fewer than asked for where a database has not the connections; None for
    a run without slices, and before the databases are there."""
    generators: int = 1
    """How many load generators shared the last loads; a run begins with one, unless it is told how many."""
    calibration: Mapping[str, Any] | None = None
    elapsed_s: float = 0.0
    generations_s: float = 0.0
    """Those of them that were spent on servers which are loaded in slices."""
    measuring_s: float = 0.0
    """Seconds spent measuring: all but starting, checking and ending databases and servers."""
    window_s: float = 0.0
    """Those of them inside a measured window, without warm-ups and what comes between loads."""
    traps: list[dict[str, Any]] = field(default_factory=list)
    """What was seen of the traps that were tried, as bench/traps/ reports it."""
    tried: Tried | None = None
    """What was seen of somebody's own application; None for every run but a trial."""
    faults: Faults | None = None
    """What was seen of the faults that were inflicted; None without any."""
    file: str = FILE
    """The name of its file in the folder; another one if it was published."""

    @property
    def path(self) -> Path:
        """The results file."""
        return self.folder / self.file

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
        elsewhere = ("folder", "file", "scenarios", "models", "tried", "faults")
        return {
            "schema": SCHEMA,
            **{name: value for name, value in vars(self).items() if name not in elsewhere},
            "scenarios": {name: asdict(question) for name, question in self.scenarios.items()},
            "models": {name: asdict(model) for name, model in self.models.items()},
            "cells": [cell_content(cell) for cell in self.cells.values()],
            **({"tried": self.tried.content()} if self.tried else {}),
            **({"faults": self.faults.content()} if self.faults else {}),
        }

    def save(self) -> None:
        """Write the results file. Raises BenchError."""
        write_whole(self.path, json.dumps(self.content(), ensure_ascii=False, allow_nan=False) + "\n")


def cell_content(cell: Cell) -> dict[str, Any]:
    """A cell as it stands in the file."""
    return {**vars(cell), "observations": [vars(one) for one in cell.observations]}


def new_run(out: Path | None, environment: Mapping[str, Any], arguments: Mapping[str, Any], seed: int) -> Run:
    """An empty run in a folder of its own (default `results/<UTC time>/`), its file already there.

    Raises BenchError if the folder has results, those of a bench that runs now included, or cannot be written.
    """
    now = datetime.now(UTC)
    folder = out or Path(RESULTS, f"{now:%Y-%m-%dT%H.%M.%SZ}")
    try:
        if out is None:
            folder = next(path for path in with_numbers(folder) if claimed(path))
        elif not claimed(folder):
            raise BenchError(f"{folder} has results already, or a bench is writing them now; pass another --out, or "
                             f"--resume {folder} to go on with a run that was stopped")  # fmt: skip
    except OSError as error:
        raise BenchError(f"cannot write to {folder}: {error.strerror}; pass another --out") from None
    run = Run(folder, f"{now:%Y-%m-%dT%H:%M:%SZ}", environment, arguments, seed)
    run.save()
    return run


def claimed(folder: Path) -> bool:
    """Whether this process made the folder's results file, which of several benches only one can. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / FILE).open("x", encoding="utf-8").close()
    except FileExistsError:
        return False
    return True


def with_numbers(folder: Path) -> Iterator[Path]:
    """The folder, then others of its name with a number: two runs may begin in the same second."""
    return chain([folder], (folder.with_name(f"{folder.name}-{number}") for number in count(2)))
