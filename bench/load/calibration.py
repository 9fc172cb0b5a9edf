"""What was found out about the generator on this machine? The record that reports show and results files keep."""

import json
from dataclasses import asdict, dataclass

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Medians over the rounds; a CPU share is CPU time per wall time, so 1 is a whole core.

    The closed loop is at the generator's limit when its CPU share is near 1, else at the null server's. A
    field is None where there are too few samples for the percentile, or where wrk did not run.
    """

    rounds: int
    duration_s: float  # of each load; wrk's is this in whole seconds, at least 1
    generator_cores: tuple[int, ...]  # empty: not pinned
    server_cores: tuple[int, ...]
    closed_connections: int
    closed_rps: float
    closed_cpu_share: float
    open_offered_rps: float
    open_rps: float
    open_cpu_share: float
    open_start_lag_p50_s: float | None
    open_start_lag_p99_s: float | None
    wrk_rps: float | None
    closed_to_wrk: float | None  # median of the rounds' ratios closed loop / wrk
    generators: int = 1  # that shared each load; a CPU share is that of the busiest

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        values = json.loads(text)
        for name in ("generator_cores", "server_cores"):
            values[name] = tuple(values[name])
        return cls(**values)
