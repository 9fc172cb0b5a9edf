"""Which lines of the application kept the loop, the hub or the GIL, for which request, and for how long?

The probe's file has stacks and times. Here each is given to the request in whose time it was, and folded by the
innermost line of the user's own code and the library's call below it.
"""

import json
import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from bench.results.tried import Doing, Stall
from bench.tryout.advice import Kind, advice, remedy_of
from bench.tryout.own_code import Frame, OwnCode

# A place that was seen once while something else stood still is not what stood still.
LEAST_SHARE_S = 0.010
# Now and then a busy machine keeps any process for a moment: the parent of a `fork` waits until the child had a core,
# whose wait is nobody's here. What is named comes with three of four requests, or takes a quarter of their time, or is
# longer than such a moment.
USUAL, MUCH, LONG_S = 0.75, 0.25, 0.1
# Modules in C, and what their parts are imported from.
IN_C = {"_thread": "threading", "_queue": "queue", "_socket": "socket", "_io": "io", "_hashlib": "hashlib",
        "_csv": "csv", "_pickle": "pickle", "_sre": "re", "posix": "os"}  # fmt: skip
# With this part of its time on a core it computes, else it waits.
COMPUTING_SHARE = 0.5


class Asked(NamedTuple):
    """A request, or several of the same at once."""

    name: str
    from_s: float
    """When it was under way from, and until when, on the system's monotonic clock."""
    until_s: float
    times: int = 1
    """How many of it."""


@dataclass(frozen=True)
class Span:
    """Where a stall was for a part of its time."""

    frames: tuple[Frame, ...]
    """The innermost last."""
    call: str
    """The function in C beneath the innermost frame; empty if there is none or none is known."""
    from_s: float
    until_s: float
    cpu_s: float
    queued_s: float

    @property
    def stood_s(self) -> float:
        """Without what the process waited for a core of the machine, but as long as it was on one."""
        passed_s = self.until_s - self.from_s
        return max(0.0, passed_s - self.queued_s, min(passed_s, self.cpu_s))


@dataclass(frozen=True)
class Seen:
    """A time in which nothing else could run."""

    kind: Kind
    from_s: float
    late_s: float
    cpu_s: float
    queued_s: float
    """How long the process was ready to run but another had the core."""
    pid: int
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Place:
    """What stalls are folded by."""

    request: str
    file: str
    line: int
    """0 while a function's own lines are still to be told apart."""
    function: str
    call: str


@dataclass
class Folded:
    """What has been seen at a place."""

    calls: tuple[str, ...]
    kind: Kind
    lines: dict[int, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    shares_s: list[float] = field(default_factory=list)

    @property
    def total_s(self) -> float:
        return sum(self.shares_s)

    @property
    def doing(self) -> Doing:
        return doing(self.cpu_s, self.total_s)


def doing(cpu_s: float, of_s: float) -> Doing:
    """Whether it was on a core for the greater part of its time."""
    return "computing" if cpu_s >= COMPUTING_SHARE * of_s else "waiting"


def lines_of(file: Path) -> Iterator[dict[str, Any]]:
    """The probe's lines. The last one may be cut off, where the server was killed."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def probed(file: Path) -> bool:
    """Whether a probe ran: an empty result then says that nothing stood still, else it says nothing."""
    return any("started_s" in line for line in lines_of(file))


def read(file: Path) -> list[Seen]:
    """What the probe has seen. A stall that went on is written again and again: the last line of it has all."""
    found: dict[tuple[int, str, float], Seen] = {}
    for line in lines_of(file):
        if "from_s" in line:
            found[line["pid"], line["kind"], line["from_s"]] = seen_of(line)
    return list(found.values())


def seen_of(line: Mapping[str, Any]) -> Seen:
    numbers = {name: line[name] for name in ("kind", "from_s", "late_s", "cpu_s", "queued_s", "pid")}
    return Seen(**numbers, spans=tuple(spans_of(line)))


def spans_of(line: Mapping[str, Any]) -> Iterator[Span]:
    """The spans of a stall, each from where the one before ended."""
    stacks = [tuple(Frame(*frame) for frame in frames) for frames in line["stacks"]]
    until_s = line["from_s"]
    for place, for_s, cpu_s, queued_s in line["spans"]:
        from_s, until_s = until_s, until_s + for_s
        yield Span(stacks[place], line["calls"][place], from_s, until_s, cpu_s, queued_s)


def stalls(seen: Sequence[Seen], requests: Sequence[Asked], roots: Sequence[Path], folder: Path) -> tuple[Stall, ...]:
    """What stood still while the requests were under way, the longest total first.

    `roots` are the folders of the user's own code, `folder` is the working directory.
    """
    own = OwnCode(roots, folder)
    places: dict[Place, Folded] = {}
    for one in seen:
        for place, folded in folded_of(one, requests, own).items():
            add(places.setdefault(place, Folded(folded.calls, folded.kind)), folded)
    found = [stall(place, folded, own) for place, folded in places.items() if to_blame(place, folded, requests)]
    return tuple(sorted(found, key=lambda each: each.total_s, reverse=True))


def to_blame(place: Place, folded: Folded, requests: Sequence[Asked]) -> bool:
    """Whether it was no accident: see USUAL."""
    lasting_s = [share_s for share_s in folded.shares_s if share_s >= LEAST_SHARE_S]
    if not lasting_s:
        return False
    asked = [each for each in requests if each.name == place.request]
    usual = len(lasting_s) >= USUAL * sum(each.times for each in asked)
    much = folded.total_s >= MUCH * sum(each.until_s - each.from_s for each in asked)
    return usual or much or max(lasting_s) >= LONG_S


def request_of(span: Span, requests: Sequence[Asked]) -> str | None:
    """The request that was under way for at least half of the span, or was stalled by it for half of its own time.

    One stall may be in several: a greenlet goes on with its connection's next request without a switch, if that is
    already there.
    """
    overlaps = {asked: min(span.until_s, asked.until_s) - max(span.from_s, asked.from_s) for asked in requests}
    best = max(overlaps, key=lambda asked: overlaps[asked], default=None)
    if best is None or overlaps[best] < min(span.until_s - span.from_s, best.until_s - best.from_s) / 2:
        return None
    return best.name


def folded_of(seen: Seen, requests: Sequence[Asked], own: OwnCode) -> dict[Place, Folded]:
    """The places of one stall, each with its share of the time."""
    places: dict[Place, Folded] = {}
    for span in seen.spans:
        at = own.innermost(span.frames)
        request = request_of(span, requests)
        if at is None or request is None:
            continue
        frame = span.frames[at]
        calls = calls_below(span, at)
        call = call_of(calls, doing(span.cpu_s, span.stood_s))
        # Own code that computes is all over its lines; its function is what it is known by.
        place = Place(request, frame.file, frame.line if call else 0, frame.function, call)
        folded = places.setdefault(place, Folded(calls if call else (), seen.kind))
        add(folded, Folded((), seen.kind, {frame.line: span.stood_s}, span.cpu_s, [span.stood_s]))
        folded.shares_s[:] = [folded.total_s]
    return places


def add(to: Folded, more: Folded) -> None:
    for line, for_s in more.lines.items():
        to.lines[line] = to.lines.get(line, 0.0) + for_s
    to.cpu_s += more.cpu_s
    to.shares_s += more.shares_s


def calls_below(span: Span, at: int) -> tuple[str, ...]:
    """What was called from a frame on inwards, the function in C last: `requests.api:get`, …, `_socket:socket.recv`."""
    named = [f"{frame.module}:{frame.function}" for frame in span.frames[at + 1 :]]
    return (*named, *filter(None, [span.call]))


def call_of(calls: Sequence[str], doing: Doing) -> str:
    """The call to name: the one that something is known about, else the outermost; none if own code computes.

    A function in C that nothing is known about is named only where it waits: own code that computes calls many.
    """
    known = remedy_of(calls, doing)
    if known is not None:
        return shown(known[1])
    if len(calls) > 1 or (calls and doing == "waiting"):
        return shown(calls[0])
    return ""


def shown(call: str) -> str:
    """As one imports it: `requests.get` for `requests.api:get`, `http.client.HTTPConnection.request` as it is."""
    module, _, name = call.partition(":")
    parts = IN_C.get(module, module).split(".")
    public = [part for part in parts if not part.startswith("_")] if parts[0] in sys.stdlib_module_names else parts[:1]
    return ".".join([*filter(lambda part: part != "builtins", public), name.replace(".<locals>", "")])


def stall(place: Place, folded: Folded, own: OwnCode) -> Stall:
    """As it stands in the results."""
    line = place.line or max(folded.lines, key=lambda each: folded.lines[each])
    return Stall(
        request=place.request,
        file=own.shown(place.file),
        line=line,
        function=place.function.replace(".<locals>", ""),
        source=linecache.getline(str(own.path(place.file)), line).strip(),
        call=place.call,
        doing=folded.doing,
        count=len(folded.shares_s),
        total_s=folded.total_s,
        longest_s=max(folded.shares_s),
        advice=advice(folded.calls, folded.doing, folded.kind),
    )
