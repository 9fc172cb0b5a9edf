"""The results file: one JSON document a run, complete after every cell."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.errors import BenchError

SCHEMA = 1
FILE = "results.json"


@dataclass(frozen=True)
class Cell:
    """One model under one workload, and its rounds."""

    scenario: str
    model: str
    command: tuple[str, ...]
    workload: Mapping[str, Any]
    ideal: Mapping[str, float]
    info: Mapping[str, Any]
    """What the server said of itself at /info; empty if it never answered."""
    failure: str | None
    """Why the cell counts for nothing; None if it counts."""
    rounds: tuple[Mapping[str, Any], ...]


@dataclass
class Run:
    """One invocation of the bench."""

    folder: Path
    started_utc: str
    environment: Mapping[str, Any]
    arguments: Mapping[str, Any]
    seed: int
    cells: list[Cell] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The results file."""
        return self.folder / FILE

    def add(self, cell: Cell) -> None:
        """Add a cell and rewrite the file, so that nothing measured is lost whatever happens next."""
        self.cells.append(cell)
        self.save()

    def save(self) -> None:
        """Write the file beside the old one and put it in its place, so that a reader never sees half of it."""
        content = {"schema": SCHEMA, **{name: value for name, value in asdict(self).items() if name != "folder"}}
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        os.replace(new, self.path)


def new_run(out: Path | None, environment: Mapping[str, Any], arguments: Mapping[str, Any], seed: int) -> Run:
    """An empty run in a folder of its own (default `results/<UTC time>/`), its file already there.

    Raises BenchError if the folder holds results or cannot be written.
    """
    now = datetime.now(UTC)
    folder = out or Path("results", f"{now:%Y-%m-%dT%H.%M.%SZ}")
    if (folder / FILE).exists():
        raise BenchError(f"{folder} has results already; pass another --out")
    run = Run(folder, f"{now:%Y-%m-%dT%H:%M:%SZ}", environment, arguments, seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        run.save()
    except OSError as error:
        raise BenchError(f"cannot write to {folder}: {error.strerror}; pass another --out") from None
    return run
