"""What was measured, and nothing that follows from it: a run, its file and schema, and whether it can go on."""

from bench.results.file import load_run
from bench.results.published import published_name, write_published
from bench.results.resume import check_same, flat
from bench.results.run import (
    FILE,
    RESULTS,
    SCHEMA,
    TWIN_SUFFIX,
    Cell,
    ModelFacts,
    Observation,
    Question,
    Run,
    State,
    new_run,
)

__all__ = [
    "FILE",
    "RESULTS",
    "SCHEMA",
    "TWIN_SUFFIX",
    "Cell",
    "ModelFacts",
    "Observation",
    "Question",
    "Run",
    "State",
    "check_same",
    "flat",
    "load_run",
    "new_run",
    "published_name",
    "write_published",
]
