"""What can the generator do at most on this machine? Loads on the null server, pinned as the models' loads are.

A figure near this ceiling is the generator's and not the server's. `wrk`, where it is installed, takes turns with it.
"""

import math
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from bench.errors import BenchError
from bench.load import Generator, LoadJob, LoadResult
from bench.load.calibration import Calibration
from bench.load.null_server import null_server
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.processes.temporary import temporary_folder
from bench.testbed.servers.machine import HERE, Machine

__all__ = ["WrkFigures", "calibrate", "parse_wrk"]

CONNECTIONS = 32
OPEN_RPS = 10_000.0
WARMUP_SHARE = 0.2  # of a round's duration
WRK_TIMEOUT_S = 30.0  # beyond the duration it was given


@dataclass(frozen=True, slots=True, kw_only=True)
class WrkFigures:
    """What wrk printed."""

    rps: float
    errors: int  # socket errors and answers other than 2xx or 3xx


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    closed: LoadResult
    open: LoadResult
    wrk_rps: float | None


def calibrate(
    *,
    generator: Generator | None = None,
    rounds: int = 3,
    duration_s: float = 0.4,
    connections: int = CONNECTIONS,
    rate_rps: float = OPEN_RPS,
    wrk: str | None = shutil.which("wrk"),
    generators: int = 1,
    machine: Machine = HERE,
) -> Calibration:
    """Takes about rounds * 2.4 * duration_s + 0.5 s, and with wrk another rounds * max(1 s, duration_s).

    `generator` is one to use again, with as many processes as it has; else there are `generators`. `wrk` is the path of
    the program, None to do without; `machine` has the null server. Raises BenchError when that does not start, a load
    had errors or wrk failed; GeneratorError and KeyboardInterrupt as a load does.
    """
    if generator is None:
        with Generator(generators) as own:
            return calibrate(
                generator=own,
                rounds=rounds,
                duration_s=duration_s,
                connections=connections,
                rate_rps=rate_rps,
                wrk=wrk,
                machine=machine,
            )
    with null_server(machine.server_cores(), host=machine.host, start=machine.start) as server:
        closed = LoadJob(
            host=machine.host,
            port=server.port,
            connections=connections,
            duration_s=duration_s,
            warmup_s=WARMUP_SHARE * duration_s,
            cores=machine.load_cores(),
        )
        steady = replace(closed, rate_rps=rate_rps)
        done = [
            Round(
                closed=_sound(generator.run(closed)),
                open=_sound(generator.run(steady)),
                wrk_rps=_run_wrk(wrk, closed) if wrk else None,
            )
            for _ in range(rounds)
        ]
    return replace(_calibration(done, closed, rate_rps, machine.server_cores()), generators=generator.processes)


def parse_wrk(output: str) -> WrkFigures:
    """Raises BenchError when there is no rate in it."""
    rate = re.search(r"^Requests/sec:\s*([\d.]+(?:e[+-]?\d+)?)\s*$", output, re.MULTILINE | re.IGNORECASE)
    rps = float(rate[1]) if rate and rate[1].count(".") <= 1 and rate[1] != "." else math.nan
    if not math.isfinite(rps):
        raise BenchError(f"wrk printed no rate but {output.strip()[-500:]!r}")
    sockets = re.search(r"^\s*Socket errors:(.*)$", output, re.MULTILINE)
    statuses = re.search(r"^\s*Non-2xx or 3xx responses:\s*(\d+)", output, re.MULTILINE)
    errors = sum(int(count) for count in re.findall(r"\d+", sockets[1])) if sockets else 0
    return WrkFigures(rps=rps, errors=errors + (int(statuses[1]) if statuses else 0))


def _run_wrk(wrk: str, job: LoadJob) -> float:
    duration_s = max(1, round(job.duration_s))
    url = f"http://{job.host}:{job.port}{job.path}"
    command = [wrk, "-t1", f"-c{job.connections}", f"-d{duration_s}s", url]
    with (
        temporary_folder("bench-wrk-") as folder,
        GuardedProcess(command, log=folder.path / "log", cores=job.cores) as process,
    ):
        code = process.wait(duration_s + WRK_TIMEOUT_S)
        output = process.log.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        raise BenchError(f"wrk ended with {code} after {output.strip()[-500:]!r}; pass --no-wrk to do without")
    figures = parse_wrk(output)
    if figures.errors:
        raise BenchError(f"wrk had {figures.errors} errors against the null server: {output.strip()[-500:]!r}")
    return figures.rps


def _sound(result: LoadResult) -> LoadResult:
    if result.errors.total:
        reason = (
            f"{result.errors.total} of {result.requests} requests to the null server failed: {result.error_example}"
        )
    elif not result.good:
        reason = f"the null server answered nothing in a window of {result.window_s:g} s"
    else:
        return result
    raise BenchError(f"{reason}; calibrate again on a machine that is less busy, or with a longer --duration")


def _calibration(rounds: list[Round], job: LoadJob, rate_rps: float, server_cores: tuple[int, ...]) -> Calibration:
    lags = [round_.open.start_lag for round_ in rounds if round_.open.start_lag]
    wrk = [(round_.wrk_rps, round_.closed.throughput_rps) for round_ in rounds if round_.wrk_rps]
    return Calibration(
        rounds=len(rounds),
        duration_s=job.duration_s,
        generator_cores=job.cores,
        server_cores=server_cores,
        closed_connections=job.connections,
        closed_rps=median(round_.closed.throughput_rps for round_ in rounds),
        closed_cpu_share=median(round_.closed.cpu_share for round_ in rounds),
        open_offered_rps=rate_rps,
        open_rps=median(round_.open.throughput_rps for round_ in rounds),
        open_cpu_share=median(round_.open.cpu_share for round_ in rounds),
        open_start_lag_p50_s=_median(lag.p50_s for lag in lags),
        open_start_lag_p99_s=_median(lag.p99_s for lag in lags),
        wrk_rps=_median(wrk_rps for wrk_rps, _ in wrk),
        closed_to_wrk=_median(mine_rps / wrk_rps for wrk_rps, mine_rps in wrk),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
