"""What do slices of load say of a server? Figures over many slices, and in each cycle.

The slices of one server in one generation come as columns: lists by name, one value for each slice (the names are those
of `bench.load.slices.Slice`), and `slice_s`, `servers` (how many were up), `cores` and `error` for all of them.

What a request costs has two parts. Most slices of a server cost the same for each answer, but for what neighbours on
the machine do to them; some cost twice as much and more, because the server collected its garbage in them: a pause of
60 ms after every 1,600 to 5,000 requests. A run sees such a pause once or twice in a generation, so that a mean over
all slices is mostly about how many it has happened to see. So models are compared by what a request *usually* costs,
cycle by cycle, with a mean that neither the pauses nor the neighbours move; and what the pauses add to it is counted
over all slices and stands beside it (`pauses`). No slice is left out of both.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from bench.load.summary import percentile

Columns = Mapping[str, Any]
# A slice that costs so many times the median for each answer has a pause in it. A neighbour on the same physical core
# makes everything 1.6 times as slow at most.
PAUSE = 1.85


def total(columns: Columns, name: str) -> float:
    """The sum of a column; what a slice does not know counts as nothing."""
    return sum(value or 0 for value in columns[name])


def answered(columns: Columns, name: str) -> list[tuple[float, int]]:
    """A column's values and the good answers, of slices that had any."""
    return [(value, good) for value, good in zip(columns[name], columns["good"], strict=True) if good]


def ratio(above: float, below: float) -> float | None:
    """A quotient; None where nothing can be divided by."""
    return above / below if below else None


def time(percent: float, column: str) -> Callable[[Columns], float | None]:
    """The response (or service) time in seconds that so many per cent of all requests took at most."""

    def found(columns: Columns) -> float | None:
        found_us = percentile(sorted(us for slice_us in columns[column] for us in slice_us), percent)
        return None if found_us is None else found_us / 1e6

    return found


def core_idle(columns: Columns) -> float | None:
    """The share of the time that the server's cores were idle; None where the system does not tell."""
    known = [(idle_s, wall_s) for idle_s, wall_s in zip(columns["idle_s"], columns["wall_s"], strict=True)
             if idle_s is not None]  # fmt: skip
    if not known:
        return None
    idle_s, wall_s = (sum(values) for values in zip(*known, strict=True))
    share = ratio(idle_s, wall_s * columns["cores"])
    return None if share is None else min(1.0, share)


def usual(above: str, below: str) -> Callable[[Columns], float | None]:
    """The median over slices of one column ÷ another."""

    def found(columns: Columns) -> float | None:
        quotients = [one / other for one, other in zip(columns[above], columns[below], strict=True) if other]
        return median(quotients) if any(quotients) else None

    return found


def pauses(columns: Columns) -> float | None:
    """What slices with a pause in them cost beyond the usual, as a share of all the rest."""
    usual_s = usual("cpu_s", "good")(columns)
    if usual_s is None:
        return None
    slices = zip(columns["cpu_s"], columns["good"], strict=True)
    beyond_s = sum(cpu_s - usual_s * good for cpu_s, good in slices if cpu_s > PAUSE * usual_s * good)
    return ratio(beyond_s, total(columns, "cpu_s") - beyond_s)


FIGURES: Mapping[str, Callable[[Columns], float | None]] = {
    "throughput_rps": usual("good", "wall_s"),
    "cpu_per_request_s": usual("cpu_s", "good"),
    "pauses": pauses,
    "database_cpu_per_request_s": lambda all_: ratio(total(all_, "database_cpu_s"), total(all_, "good")),
    "core_use": lambda all_: ratio(total(all_, "cpu_s"), total(all_, "wall_s") * all_["cores"]),
    "core_idle": core_idle,
    "generator_use": lambda all_: ratio(total(all_, "generator_cpu_s"), total(all_, "wall_s")),
    "mean_s": lambda all_: ratio(sum(mean_s * good for mean_s, good in answered(all_, "response_mean_s")),
                                 total(all_, "good")),
    "max_s": lambda all_: max((max_s for max_s, _ in answered(all_, "response_max_s")), default=None),
    "longest_per_mean": lambda all_: median(
        longest / mean for (longest, _), (mean, _) in
        zip(answered(all_, "response_max_s"), answered(all_, "response_mean_s"), strict=True)
    ) if total(all_, "good") else None,
}  # fmt: skip
"""Those that every load has, by name."""
OPEN_FIGURES: Mapping[str, Callable[[Columns], float | None]] = {
    "offered_rps": lambda all_: ratio(total(all_, "offered"), len(all_["offered"]) * all_["slice_s"]),
    "p50_s": time(50, "responses_us"),
    "p90_s": time(90, "responses_us"),
    "p99_s": time(99, "responses_us"),
    "service_p50_s": time(50, "services_us"),
    "service_p90_s": time(90, "services_us"),
}
"""Those that open loops have beside them."""
TIMES = ("p50_s", "p90_s", "p99_s")
"""Of these, those that a closed loop has as well whose answers' times were kept."""
CYCLE_FIGURES = {**FIGURES, **OPEN_FIGURES}


def is_open(columns: Columns) -> bool:
    """Whether requests came at a rate, whatever the server did."""
    return any(columns["offered"])


def figures_of(columns: Columns) -> dict[str, float | None]:
    """All figures of a server's slices, by name."""
    timed = OPEN_FIGURES if is_open(columns) else TIMES if any(columns["responses_us"]) else ()
    wanted = {**FIGURES, **{name: OPEN_FIGURES[name] for name in timed}}
    return {name: figure(columns) for name, figure in wanted.items()}


def by_cycle(columns: Columns, figure: str) -> list[float]:
    """A figure in each cycle. Cycles are paired by their place, so the list is empty if one has no such figure."""
    values = [CYCLE_FIGURES[figure](one_slice(columns, place)) for place in range(len(columns["good"]))]
    return [value for value in values if value] if all(values) else []


def one_slice(columns: Columns, place: int) -> Columns:
    """The columns of a single slice."""
    return {name: value[place : place + 1] if isinstance(value, Sequence) and not isinstance(value, str) else value
            for name, value in columns.items()}  # fmt: skip
