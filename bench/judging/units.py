"""How is a figure written? Its unit follows from the end of its name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """What a value is multiplied by to be read, and with how many decimals."""

    name: str
    factor: float
    decimals: int


MILLISECONDS = Unit("ms", 1e3, 1)
TIMES = Unit("times", 1.0, 1)
UNITS = {"_rps": Unit("req/s", 1.0, 0), "_s": MILLISECONDS, "_bytes": Unit("kB", 1e-3, 1), "_per_alone": TIMES}
# CPU time of a request, and the time of a whole burst.
MICROSECONDS, SECONDS = Unit("µs", 1e6, 0), Unit("s", 1.0, 2)
BURSTS = ("python_s", "database_s", "total_s", "ideal_s")
# The names of figures that need no label, because the unit says enough.
UNNAMED = ("throughput", "offered", "total", "beside")


def unit_of(figure: str) -> Unit:
    """The unit of a figure; a bare number has three decimals."""
    if figure.startswith("cpu_per_") and figure.endswith("_s"):
        return MICROSECONDS
    if figure in BURSTS:
        return SECONDS
    return next((unit for suffix, unit in UNITS.items() if figure.endswith(suffix)), Unit("", 1.0, 3))


def heading(figure: str) -> str:
    """`req/s`, `p90 ms`, `ratio`: what stands above a column of the figure's values."""
    return f"{label(figure)} {unit_of(figure).name}".strip()


def label(figure: str) -> str:
    """`p90`, `ratio`: a figure without its unit; empty where the unit says enough."""
    suffix = next((suffix for suffix in UNITS if figure.endswith(suffix)), "")
    name = figure.removesuffix(suffix)
    return "" if name in UNNAMED else name.replace("_", " ").replace("cpu", "CPU")


def number(value: float, figure: str) -> str:
    """`1,903`: a value in its unit."""
    unit = unit_of(figure)
    return f"{value * unit.factor:,.{unit.decimals}f}"


def amount(value: float, figure: str) -> str:
    """`1,903 req/s`: a value with its unit."""
    return f"{number(value, figure)} {unit_of(figure).name}".rstrip()
