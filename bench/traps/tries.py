"""Does a trap behave as stated, and its cure as it should? Both are tried on real servers."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from bench.errors import BenchError
from bench.load import Generator
from bench.measuring.checks import judge_info
from bench.models import find_models
from bench.results import Run
from bench.scenarios import pool
from bench.scenarios.base import Contestant, MeasurementContext, Options
from bench.scenarios.schedule import Setup
from bench.testbed.servers.life import Server, ServerFailed, serving
from bench.testbed.testbed import TestBed
from bench.traps.known import TRAPS
from bench.traps.trap import CURED, Expected, Seen, Trap

# Another process on the machine may spoil one try of a load that is timed, but hardly three.
TRIES = 3
# A server's start and end, and a load that takes less than a second.
TRAP_S = 2.0


def find_traps(models: str | None, names: Sequence[str] = ()) -> tuple[Trap, ...]:
    """The traps of these names that these models fall into; without either all of them. Raises BenchError."""
    known = [trap.name for trap in TRAPS]
    for name in names:
        if name not in known:
            raise BenchError(f"there is no trap {name!r}; there are {', '.join(known)}")
    named = tuple(trap for trap in TRAPS if not names or trap.name in names)
    if models is None:
        return named
    falling = {model.name for model in find_models(models)}
    return tuple(trap for trap in named if trap.model in falling)


def try_trap(trap: Trap, testbed: TestBed, generator: Generator) -> Seen:
    """What the model that falls into it does under its load."""
    return tried(trap, trap.model, trap.setup, trap.expected, testbed, generator)


def try_cure(trap: Trap, testbed: TestBed, generator: Generator) -> Seen:
    """What the model that avoids it does under the same load."""
    return tried(trap, trap.cured_by, trap.cured_setup, CURED, testbed, generator)


def tried(
    trap: Trap, name: str, setup: Setup | None, expected: Expected, testbed: TestBed, generator: Generator
) -> Seen:
    """What a fresh server of that model does under the trap's load."""
    (model,) = find_models(name)
    if model.unavailable:
        return Seen(0, 0, not_tried=model.unavailable)
    environment = testbed.environment(model) | dict(setup.environment if setup else {})
    log = testbed.logs / f"{name}.log"
    written = pool.log_bytes(log)
    try:
        with serving(model, environment, testbed.logs, machine=testbed.machine) as server:
            check_info(server, int(environment["POOL_SIZE"]) + int(environment["MAX_OVERFLOW"]))
            contestant = Contestant(name, model)
            context = MeasurementContext(
                contestant, server, testbed, Options(), Random(0), generator, lambda _: None, setup=setup
            )
            seen = sent(trap, context, expected)
    except ServerFailed:
        seen = Seen(requests=1, failed=1)  # the one for /info, with which every server begins
    return replace(seen, error=named_error(log, written, trap.expected.error)) if seen.failed else seen


def sent(trap: Trap, context: MeasurementContext, expected: Expected) -> Seen:
    """Send the trap's load; a few times if only the timing is not as expected, because another process may be why."""
    for _ in range(TRIES):
        seen = trap.load(context)
        if not seen.timed or seen.failed or expected.agrees(seen):
            break
    return seen


def check_info(server: Server, pool: int) -> None:
    """Raises BenchError unless the server is what the registry says of its model."""
    judgement = judge_info(server, pool)
    if not judgement.valid:
        raise BenchError(f"{server.model.name}: {judgement.reason}; correct its entry in bench/models/")


def named_error(log: Path, written: int, pattern: str) -> str:
    """The last error that the pattern finds in a log after so many bytes, with the error's class."""
    text = log.read_bytes()[written:].decode(errors="replace")
    found = re.findall(rf"^(?:\w+\.)*(\w+): .*?({pattern})", text, re.MULTILINE) if pattern else []
    return ": ".join(found[-1]) if found else ""


def try_all(
    traps: Sequence[Trap],
    testbed: TestBed,
    generator: Generator,
    run: Run,
    on_trap: Callable[[int, int, str, float], None],
    *,
    cures: bool,
) -> None:
    """Try the traps that the run has not tried yet, and with `cures` also what cures them.

    `on_trap` hears of each trap before it is tried: its number, how many there are, what it is, and the seconds left.
    The results file is complete after each.
    """
    began = time.monotonic() - run.elapsed_s
    for number, trap in enumerate(traps, start=1):
        step = f"traps/{trap.name}"
        if step in run.steps_done:
            continue
        left_s = TRAP_S * (2 if cures else 1) * (len(traps) - number + 1)
        on_trap(number, len(traps), f"trap {trap.name}: {trap.model}", left_s)
        seen = try_trap(trap, testbed, generator)
        run.traps.append(report(trap, seen, try_cure(trap, testbed, generator) if cures else None))
        run.steps_done.append(step)
        run.elapsed_s = time.monotonic() - began
        run.save()


def report(trap: Trap, seen: Seen, cured: Seen | None) -> dict[str, Any]:
    """A trap and what was seen of it, as the results file has it.

    `holds` and `cure_holds` are None for what was not tried.
    """
    return {
        "name": trap.name,
        "model": trap.model,
        "expected": trap.expected.words(),
        "seen": seen.words(),
        "holds": trap.expected.agrees(seen) if not seen.not_tried else None,
        "cause": trap.cause,
        "cure": trap.cure,
        "cured_by": trap.cured_by,
        "cure_seen": cured.words() if cured else "",
        "cure_holds": CURED.agrees(cured) if cured and not cured.not_tried else None,
        "source": trap.sources[0],
        "sources": list(trap.sources),
    }
