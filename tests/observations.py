"""Made-up observations, for tests that judge or show what nobody has measured."""

from collections.abc import Mapping
from typing import Any

from bench.results import Observation


def observations(*measured: Mapping[str, Any]) -> tuple[Observation, ...]:
    """An observation a round: valid unless it says otherwise, scalars as its figures, the rest as its raw results."""
    return tuple(observation({"round": number, **one}) for number, one in enumerate(measured))


def observation(measured: Mapping[str, Any]) -> Observation:
    """One, in round 0 unless it says otherwise."""
    known = {"round": 0, "state": "VALID", "reason": ""} | dict(measured)
    number, state, reason = (known.pop(name) for name in ("round", "state", "reason"))
    raw = {name: value for name, value in known.items() if isinstance(value, Mapping | list | tuple)}
    return Observation(number, state, reason, {name: known[name] for name in known.keys() - raw.keys()}, raw)
