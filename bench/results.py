"""The results file: one JSON document a run, complete after every server that was measured."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.files import write_whole
from bench.judging.validity import Judgement, judge_rounds

SCHEMA = 1
FILE = "results.json"
RESULTS = Path("results")


@dataclass(frozen=True)
class Cell:
    """One model under one workload, and its rounds."""

    scenario: str
    model: str
    """The name in the run: of a model, or of the A/A twin of one."""
    workload: Mapping[str, Any]
    """`name` and the scenario's own parameters."""
    figure: str
    """The value of a round that the cell is ranked by."""
    command: tuple[str, ...]
    """The server's command line in the last round."""
    info: Mapping[str, Any]
    """What the server said of itself at /info; empty if it never answered."""
    spread_limit: float | None
    """How far its rounds may be apart before the cell is UNSTABLE, as a share of their median; None: any."""
    rounds: tuple[Mapping[str, Any], ...]
    """A round has its number, its state and reason, its figures, and the raw results they come from."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other cell of a run."""
        return self.scenario, self.model, self.workload["name"]

    @property
    def judgement(self) -> Judgement:
        """Whether the cell may be ranked, and why not."""
        judgements = [Judgement(round_["state"], round_["reason"]) for round_ in self.rounds]
        return judge_rounds(judgements, self.values(self.figure), self.spread_limit)

    def values(self, name: str) -> list[float]:
        """A figure in every round that has it."""
        return [round_[name] for round_ in self.rounds if round_.get(name) is not None]


@dataclass
class Run:
    """One invocation of the bench."""

    folder: Path
    started_utc: str
    environment: Mapping[str, Any]
    arguments: Mapping[str, Any]
    seed: int
    cells: dict[tuple[str, str, str], Cell] = field(default_factory=dict)
    steps_done: list[str] = field(default_factory=list)
    prepared: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By scenario and entry, what was found out before its rounds."""
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
        """Add a cell, or its further rounds."""
        earlier = self.cells.get(cell.key)
        rounds = (*(earlier.rounds if earlier else ()), *cell.rounds)
        self.cells[cell.key] = Cell(**{**vars(cell), "rounds": rounds})

    def of(self, scenario: str) -> list[Cell]:
        """The cells of a scenario."""
        return [cell for cell in self.cells.values() if cell.scenario == scenario]

    def save(self) -> None:
        """Write the results file. Raises BenchError."""
        content = {"schema": SCHEMA} | {name: value for name, value in vars(self).items() if name != "folder"}
        content["cells"] = [cell_content(cell) for cell in self.cells.values()]
        write_whole(self.path, json.dumps(content, ensure_ascii=False) + "\n")


def cell_content(cell: Cell) -> dict[str, Any]:
    """A cell as it stands in the file, with what its rounds say together."""
    judgement = cell.judgement
    return {**vars(cell), "state": judgement.state, "reason": judgement.reason}


def new_run(out: Path | None, environment: Mapping[str, Any], arguments: Mapping[str, Any], seed: int) -> Run:
    """An empty run in a folder of its own (default `results/<UTC time>/`), its file already there.

    Raises BenchError if the folder holds results or cannot be written.
    """
    now = datetime.now(UTC)
    folder = out or unused(Path(RESULTS, f"{now:%Y-%m-%dT%H.%M.%SZ}"))
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
        cells = [Cell(**cell) for cell in content.pop("cells")]
        run = Run(folder=path.parent, **content)
    except (KeyError, TypeError) as error:
        raise BenchError(f"{path} is damaged: {error}") from None
    run.cells = {cell.key: cell for cell in cells}
    return run


def newest_run(usable: Callable[[Run], object]) -> Run | None:
    """The run in results/ that was started last, of those that can be read and are usable."""
    runs = []
    for path in RESULTS.glob(f"*/{FILE}"):
        with suppress(BenchError):
            runs.append(load_run(path))
    return max(filter(usable, runs), key=lambda run: run.started_utc, default=None)


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
