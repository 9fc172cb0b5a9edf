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
# Figures whose names say too little in a sentence.
IN_WORDS = {"throughput_rps": "requests a second", "promise_rps": "the rate that can be promised"}
# The labels of figures whose names are not words, without their units.
NAMED = {"promise": "promised rate"}
# The names of figures that need no label, because the unit says enough.
UNNAMED = ("throughput", "offered", "total", "beside")


def unit_of(figure: str) -> Unit:
    """The unit of a figure; a bare number has three decimals."""
    if figure.startswith("cpu_per_") and figure.endswith("_s"):
        return MICROSECONDS
    if figure in BURSTS:
        return SECONDS
    return next((unit for suffix, unit in UNITS.items() if figure.endswith(suffix)), Unit("", 1.0, 3))


def higher_is_better(figure: str) -> bool:
    """Whether more of it is better: answers a second are, and times, memory and ratios of times are not."""
    return figure.endswith("_rps")


def heading(figure: str) -> str:
    """`req/s`, `p90 ms`, `CPU time a request µs`: what stands above a column of the figure's values."""
    return f"{label(figure)} {unit_of(figure).name}".strip()


def label(figure: str) -> str:
    """`p90`, `ratio`: a figure without its unit; empty where the unit says enough."""
    suffix = next((suffix for suffix in UNITS if figure.endswith(suffix)), "")
    name = figure.removesuffix(suffix)
    words = name.replace("_", " ").replace("cpu per", "CPU time a").replace("cpu", "CPU")
    return "" if name in UNNAMED else NAMED.get(name, words)


def in_words(figure: str) -> str:
    """`CPU time a request`, `requests a second`, `p90`: a figure in a sentence."""
    return IN_WORDS.get(figure) or label(figure) or unit_of(figure).name


def number(value: float, figure: str) -> str:
    """`1,903`: a value in its unit."""
    unit = unit_of(figure)
    return f"{value * unit.factor:,.{unit.decimals}f}"


def amount(value: float, figure: str) -> str:
    """`1,903 req/s`: a value with its unit."""
    return f"{number(value, figure)} {unit_of(figure).name}".rstrip()
