"""Is this file a run? It is read, and checked once: whatever reads a run afterwards may trust its types."""

import json
import lzma
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

from bench.errors import BenchError
from bench.results.faults import faults_of, odd_faults
from bench.results.run import FILE, SCHEMA, TWIN_SUFFIX, Cell, ModelFacts, Observation, Question, Run
from bench.results.tried import tried_of

SCHEMA_FILE = "schema.json"
# How the name of a compressed results file ends.
COMPRESSED = ".xz"
LONGEST_INTEGER = 18  # digits that fit into 64 bits
REASON_LENGTH = 150


def load_run(folder: Path) -> Run:
    """A run as its file has it, which may be compressed: `all.json.xz`.

    Raises BenchError, in one line, if there is none or it is not what it should be.
    """
    path = folder / FILE if folder.is_dir() else folder
    content = parsed(path)
    check_version(path, content)
    if problem := next(problems(content), None):
        raise BenchError(f"{path} is damaged: {problem}")
    del content["schema"]
    cells = [cell_of(one) for one in content.pop("cells")]
    content["scenarios"] = {name: question_of(question) for name, question in content["scenarios"].items()}
    content["models"] = {name: ModelFacts(**model) for name, model in content["models"].items()}
    content["tried"] = tried_of(content["tried"]) if content.get("tried") else None
    content["faults"] = faults_of(content["faults"]) if content.get("faults") else None
    return Run(folder=path.parent, file=path.name, **content, cells={cell.key: cell for cell in cells})


def parsed(path: Path) -> dict[str, Any]:
    """The file's JSON object. Raises BenchError."""
    try:
        text = text_of(path)
        content = json.loads(text, parse_float=finite, parse_int=whole, parse_constant=refused)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(content, ensure_ascii=False).encode()  # fails for half a character, which no terminal shows
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}") from None
    except (lzma.LZMAError, EOFError):
        raise BenchError(f"{path} is damaged: it is not a whole compressed file") from None
    except UnicodeError:
        raise BenchError(f"{path} is no results file: it is not UTF-8 text") from None
    except OverflowError as error:
        raise BenchError(f"{path} is damaged: {error}") from None
    except (ValueError, RecursionError):
        raise BenchError(f"{path} is no results file: it is not JSON") from None
    if not isinstance(content, dict) or "schema" not in content:
        raise BenchError(f"{path} is no results file of this bench")
    return content


def text_of(path: Path) -> str:
    """What the file says. Raises OSError, UnicodeError, and LZMAError or EOFError for half a compressed file."""
    content = path.read_bytes()
    return (lzma.decompress(content) if path.suffix == COMPRESSED else content).decode()


def check_version(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse files of another schema by its name. Raises BenchError."""
    found = content["schema"]
    if type(found) is int and found == SCHEMA:
        return
    which = "an older" if type(found) is int and found < SCHEMA else "another"
    raise BenchError(f"{path} has schema {shortened(json.dumps(found))}, {which} one than this bench's {SCHEMA}; "
                     "measure again, or read it with the version of the bench that wrote it")  # fmt: skip


def finite(text: str) -> float:
    """A number, but not one like 1e999, which Python would read as infinite."""
    if math.isinf(value := float(text)):
        raise OverflowError(f"{shortened(text)} is larger than any number that was measured")
    return value


def whole(text: str) -> int:
    """A whole number that a float can stand for as well."""
    if len(text) > LONGEST_INTEGER:
        raise OverflowError(f"{shortened(text)} is larger than any number that was measured")
    return int(text)


def refused(text: str) -> float:
    """Refuses NaN and Infinity, which are no JSON, though Python would read them."""
    raise OverflowError(f"{text} is no number")


@cache
def schema() -> dict[str, Any]:
    """The schema that every results file keeps, as this package ships it."""
    found: dict[str, Any] = json.loads(files("bench.results").joinpath(SCHEMA_FILE).read_text(encoding="utf-8"))
    return found


@cache
def validator() -> Draft202012Validator:
    """A validator of the schema."""
    return Draft202012Validator(schema())


def problems(content: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a file's content, in the order of the file."""
    for error in validator().iter_errors(content):
        yield f"{place_of(error.instance_path)}: {shortened(error.message)}"
    yield from strangers(content)
    yield from odd_trial(content.get("tried"))
    yield from odd_faults(content)
    yield from repeated(content["cells"])
    yield from uneven_slices(content["cells"])


def place_of(path: Sequence[str | int]) -> str:
    """Where in a file something is: `$.cells[3].model`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def strangers(content: Mapping[str, Any]) -> Iterator[str]:
    """Cells of a scenario or a model that the run says nothing of."""
    for place, cell in enumerate(content["cells"]):
        if cell["scenario"] not in content["scenarios"]:
            yield f"$.cells[{place}]: nothing is said of its scenario"
        if cell["model"].removesuffix(TWIN_SUFFIX) not in content["models"]:
            yield f"$.cells[{place}]: nothing is said of its model"


def odd_trial(tried: Mapping[str, Any] | None) -> Iterator[str]:
    """Requests or models of a trial that are there twice, and what is said of requests that nobody was asked."""
    if not tried:
        return
    requests = [one["name"] for one in tried["requests"]]
    for part, names in (("requests", requests), ("models", [one["name"] for one in tried["models"]])):
        if len(set(names)) < len(names):
            yield f"$.tried.{part}: a name is there twice"
    for place, model in enumerate(tried["models"]):
        if unknown := model["waits"].keys() - set(requests):
            yield f"$.tried.models[{place}].waits: nobody was asked for {min(unknown)}"


def repeated(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Cells, and rounds of a cell, that are there more than once."""
    seen = set()
    for place, cell in enumerate(cells):
        key = cell["scenario"], cell["model"], cell["workload"]["name"]
        if key in seen:
            yield f"$.cells[{place}]: the cell is there twice"
        seen.add(key)
        rounds = [one["round"] for one in cell["observations"]]
        if len(set(rounds)) < len(rounds):
            yield f"$.cells[{place}]: a round is there twice"


def uneven_slices(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Slices of which some have no value of a kind."""
    for place, cell in enumerate(cells):
        for one in cell["observations"]:
            columns = [value for value in one["raw"].get("slices", {}).values() if isinstance(value, list)]
            if len(set(map(len, columns))) > 1:
                yield f"$.cells[{place}]: the slices of round {one['round']} do not fit together"
                return


def cell_of(content: dict[str, Any]) -> Cell:
    """A cell from what stands in the file."""
    observations = tuple(Observation(**one) for one in content["observations"])
    return Cell(**{**content, "command": tuple(content["command"]), "observations": observations})


def question_of(content: dict[str, Any]) -> Question:
    """A question from what stands in the file."""
    return Question(**{**content, "workloads": tuple(content["workloads"])})


def shortened(text: str) -> str:
    """A message of one line, and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= REASON_LENGTH else f"{line[:REASON_LENGTH]}…"
