"""How often are intervals right, and how much do they find, with the noise that slices on a real machine have?

    python -m tests.judging.interval_simulation RESULTS.json...

takes the slices of `throughput` in these runs, makes thousands of runs of them whose true ratio is known, and prints
what becomes of them: the figures in the docstring of bench/judging/statistics.py. With `--record` it also writes the
slices of its A/A pairs to interval_noise.json, from which a test repeats a part of it.

A made-up generation is one of the measured ones, drawn at random, with cycles drawn from it at random in stretches of
five that follow each other; the slices of two models are kept together cycle by cycle, so that whatever disturbed them
both is in it. Then one model's times are multiplied so that the true ratio is what was asked for.
"""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.judging.statistics import PRACTICAL_MARGIN, ratio_interval, trimmed_mean
from bench.results import load_run

RECORDED = Path(__file__).with_name("interval_noise.json")
PAIRS = (("gevent (again)", "gevent"), ("asyncio-bridge", "gevent"), ("quart", "gevent"), ("fastapi", "gevent"))
STRETCH = 5
COLUMNS = {"cpu": "cpu_s", "rps": "wall_s"}
Numbers = NDArray[np.float64]
Pool = Sequence[Numbers]
"""Generations of a pair: an array of (cycles, 4), the time and the good answers of both."""


@dataclass(frozen=True)
class Found:
    """Shares of the made-up runs, and how wide their intervals were."""

    covered: float
    better_by_15_percent: float
    falsely_better: float
    equal: float
    half_width: float


def simulated(pools: Sequence[Pool], generations: int, cycles: int, sets: int, seed: int = 1) -> Found:
    """What becomes of so many made-up runs, the pools taking turns."""
    rng = np.random.default_rng(seed)
    found = [ratio_interval(made_up(pools[place % len(pools)], generations, cycles, rng)) for place in range(sets)]
    margin = PRACTICAL_MARGIN
    return Found(
        covered=share(one.low <= 1 <= one.high for one in found),
        better_by_15_percent=share(one.low * 1.15 > margin for one in found),
        falsely_better=share(one.low > margin or one.high < 1 / margin for one in found),
        equal=share(one.low >= 1 / margin and one.high <= margin for one in found),
        half_width=float(np.median([one.half_width for one in found])),
    )


def share(held: object) -> float:
    """Of so many yes and no, the share of yes."""
    return float(np.mean(list(held)))  # type: ignore[call-overload]


def made_up(pool: Pool, generations: int, cycles: int, rng: np.random.Generator) -> list[list[float]]:
    """The logarithms of the cycles' ratios in so many made-up generations, whose true ratio is 1."""
    true = trimmed_mean(np.concatenate([ratios(one) for one in pool]))
    made = []
    for _ in range(generations):
        logs = ratios(pool[rng.integers(len(pool))]) - true
        starts = rng.integers(len(logs) - STRETCH + 1, size=cycles // STRETCH)
        made.append([float(log) for start in starts for log in logs[start : start + STRETCH]])
    return made


def ratios(cycles: Numbers) -> Numbers:
    """The logarithms of time for each answer of the one model ÷ the other's."""
    result: Numbers = np.log(cycles[:, 0] / cycles[:, 1]) - np.log(cycles[:, 2] / cycles[:, 3])
    return result


def pools_of(paths: Sequence[Path], pairs: Sequence[tuple[str, str]] = PAIRS) -> dict[str, dict[str, list[Pool]]]:
    """By pair and figure, a pool for each run and workload that has enough generations."""
    found: dict[str, dict[str, list[Pool]]] = {}
    for path in paths:
        cells = {(cell.workload["name"], cell.model): cell for cell in load_run(path).of("throughput")}
        for one, other in pairs:
            for name in dict.fromkeys(name for name, _ in cells):
                sides = [{each.round: each.raw["slices"] for each in cells[name, model].observations}
                         for model in (one, other) if (name, model) in cells]  # fmt: skip
                if len(sides) < 2 or len(common := sorted(sides[0].keys() & sides[1].keys())) < 3:
                    continue
                for figure, column in COLUMNS.items():
                    pool = [np.array([side[each][what] for side in sides for what in (column, "good")], float).T
                            for each in common]  # fmt: skip
                    found.setdefault(f"{one} ÷ {other}", {}).setdefault(figure, []).append(pool)
    return found


def recorded() -> Mapping[str, list[Pool]]:
    """By figure, the A/A pools that were recorded."""
    content = json.loads(RECORDED.read_text(encoding="utf-8"))
    return {figure: [[np.array(each, float) for each in pool] for pool in pools] for figure, pools in content.items()}


def record(pools: Mapping[str, list[Pool]]) -> None:
    """Keep them for the test."""
    content = {figure: [[np.round(each, 6).tolist() for each in pool] for pool in every]
               for figure, every in pools.items()}  # fmt: skip
    RECORDED.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def estimators(pools: Sequence[Pool], generations: int, cycles: int, sets: int) -> dict[str, float]:
    """The standard deviation of three means over made-up runs."""
    rng = np.random.default_rng(1)
    means: Mapping[str, Callable[[Numbers], object]] = {"mean": np.mean, "median": np.median, "trimmed": trimmed_mean}
    values: dict[str, list[float]] = {name: [] for name in means}
    for place in range(sets):
        logs = np.concatenate(made_up(pools[place % len(pools)], generations, cycles, rng))
        for name, mean in means.items():
            values[name].append(float(mean(logs)))  # type: ignore[arg-type]
    return {name: math.sqrt(float(np.mean(np.square(found)))) for name, found in values.items()}


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    paths = [Path(one) for one in arguments if one != "--record"]
    pools = pools_of(paths)
    if "--record" in arguments:
        record(pools["gevent (again) ÷ gevent"])
    for pair, by_figure in pools.items():
        for figure, every in by_figure.items():
            spread = estimators(every, 5, 15, 1_000)
            print(f"{pair}, {figure}: sd " + ", ".join(f"{name} {value:.4f}" for name, value in spread.items()))
            for generations, cycles in ((3, 15), (4, 15), (5, 15), (6, 15), (10, 15)):
                print(f"  {generations} generations of {cycles} cycles: {simulated(every, generations, cycles, 1_000)}")


if __name__ == "__main__":
    main(sys.argv[1:])
