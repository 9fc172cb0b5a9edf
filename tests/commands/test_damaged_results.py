"""Whatever has happened to a results file, a command says so in one line, or makes of it what is left."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.results import Run
from tests.fault_runs import eight, faults_of
from tests.in_process import Bench
from tests.observations import described
from tests.prediction.examples import throughput
from tests.report_runs import sample_run

DAMAGES = 60
# What may stand where something else should.
STRANGE = (None, True, -1, 0, 1e308, "", "strange", [], {}, [[]], {"a": {}})

Place = tuple[str | int, ...]
Content = dict[str, Any]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a value; of a list the first and the last member, which stand for the rest."""
    if at:
        yield at
    if isinstance(value, dict):
        for name, one in value.items():
            yield from places(one, (*at, name))
    elif isinstance(value, list):
        for number in sorted({0, len(value) - 1} if value else ()):
            yield from places(value[number], (*at, number))


def parent(content: Content, place: Place) -> Any:
    """What holds the place."""
    found: Any = content
    for step in place[:-1]:
        found = found[step]
    return found


def dropped(content: Content, place: Place, rng: random.Random) -> None:
    """Without what is there."""
    del parent(content, place)[place[-1]]


def retyped(content: Content, place: Place, rng: random.Random) -> None:
    """Something else in its place."""
    parent(content, place)[place[-1]] = rng.choice(STRANGE)


def nested(content: Content, place: Place, rng: random.Random) -> None:
    """The same, one level deeper."""
    holder, last = parent(content, place), place[-1]
    holder[last] = rng.choice([[holder[last]], {"value": holder[last]}])


def renamed(content: Content, place: Place, rng: random.Random) -> None:
    """The same under another name; of a list, twice."""
    holder, last = parent(content, place), place[-1]
    if isinstance(holder, dict):
        holder[f"{last}x"] = holder.pop(last)
    else:
        holder.append(holder[last])


KINDS: tuple[Callable[[Content, Place, random.Random], None], ...] = (dropped, retyped, nested, renamed)


def damaged_texts(whole: Run) -> Iterator[tuple[str, bytes]]:
    """What was done to the file, and the file."""
    rng = random.Random(3)
    content = json.loads(json.dumps(whole.content()))
    every = list(places(content))
    for number in range(DAMAGES):
        place, kind = rng.choice(every), KINDS[number % len(KINDS)]
        spoilt = copy.deepcopy(content)
        kind(spoilt, place, rng)
        yield f"{kind.__name__} {place}", json.dumps(spoilt).encode()
    text = json.dumps(content).encode()
    for _ in range(DAMAGES // 10):
        cut = rng.randrange(len(text))
        yield f"truncated at {cut}", text[:cut]
        yield f"a byte at {cut}", text[:cut] + bytes([rng.randrange(256)]) + text[cut + 1 :]
    yield "nested without end", text.replace(b'"traps": [', b'"traps": [' + b"[" * 50_000)
    yield "not a number", text.replace(b'"elapsed_s": ', b'"elapsed_s": NaN, "x": ')


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of every scenario that a prediction can be made of."""
    run = sample_run(tmp_path_factory.mktemp("whole"))
    for one in (*throughput("gevent"), *throughput("asyncio-bridge")):
        run.cells[one.key] = one
    described(run)
    run.faults = faults_of([one for one in eight(["deploy", "slow-readers"]) if one.model in ("sync", "gevent")])
    run.save()
    return run


def commands(path: str, whole: str) -> dict[str, tuple[str, ...]]:
    """Every command that reads a results file."""
    return {
        "compare": ("compare", whole, path),
        "decide": ("decide", "--results", path),
        "csv": ("report", path, "--format", "csv"),
        "page": ("report", path),
        "resume": ("throughput", "--resume", path),
    }


def test_the_undamaged_file_is_read_by_all(whole: Run, bench: Bench) -> None:
    """`--resume` refuses it for what it is: a run of another machine."""
    folder = str(whole.folder)
    codes = {name: bench(*command).returncode for name, command in commands(folder, folder).items()}
    assert codes == {"compare": 0, "decide": 0, "csv": 0, "page": 0, "resume": 2}


def test_damage_is_one_line_and_exit_code_2_or_does_no_harm(whole: Run, bench: Bench, tmp_path: Path) -> None:
    """Any exception but the end of the command fails this test: that would be a traceback."""
    refused = 0
    every = commands(str(tmp_path), str(whole.folder))
    others = [name for name in every if name != "csv"]
    for number, (what, text) in enumerate(damaged_texts(whole)):
        (tmp_path / "results.json").write_bytes(text)
        for name in ("csv", others[number // len(KINDS) % len(others)]):  # another one for every four kinds of damage
            try:
                done = bench(*every[name])
            except Exception as error:
                raise AssertionError(f"{name}, {what}: {type(error).__name__}: {error}") from error
            code, said = done.returncode, done.stderr
            assert code in (0, 2), (name, what, said)
            assert (code == 2) == bool(said), (name, what, said)
            assert len(said.splitlines()) == (1 if code else 0), (name, what, said)
            refused += code == 2 and name == "csv"
    assert refused > DAMAGES / 2
