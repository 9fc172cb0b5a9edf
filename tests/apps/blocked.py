"""The shop's blocking views under a server with the probe: which lines are marked, and which are named?"""

import re
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from shop_server import APPS, Around, serving

from bench.results.tried import Stall
from bench.testbed.processes.ports import HOST
from bench.tryout.stalls import Asked, probed, read, stalls

VIEWS = APPS / "blocking" / "views.py"
TEMPLATE = APPS / "blocking" / "templates" / "numbers.html"
WAIT_S = float(re.findall(r"^WAIT_S = (.+)$", VIEWS.read_text(encoding="utf-8"), re.MULTILINE)[0])
# Now and then a busy machine has the probe look too late, at what came next.
ASKED = 4
# What PyMySQL reads in place of a greeting: packet 0, error 1040.
REFUSAL = b"\xff\x10\x04Too many connections"


@dataclass(frozen=True)
class Marked:
    """The line that keeps the loop in a view, and perhaps gevent's hub too."""

    file: str
    line: int
    keeps: frozenset[str]


def marks() -> dict[str, Marked]:
    """By the name of the view."""
    found: dict[str, Marked] = {}
    view = ""
    for file in (VIEWS, TEMPLATE):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if route := re.match(r'@views\.\w+\("/(\w+)"\)', line):
                view = route[1]
            if mark := re.search(r"# blocks: (loop, hub|loop)\b", line):
                name = view if file is VIEWS else "template"
                assert name not in found, f"{name} has two marks"
                found[name] = Marked(file.relative_to(APPS).as_posix(), number, frozenset(mark[1].split(", ")))
    return found


MARKS = marks()
KEEP_THE_HUB = sorted(name for name, mark in MARKS.items() if "hub" in mark.keeps)
COOPERATE = sorted(MARKS.keys() - KEEP_THE_HUB)


class RefusesSlowly(socketserver.BaseRequestHandler):
    """MySQL, as far as a client gets with one that has too many connections."""

    def handle(self) -> None:
        time.sleep(0.1)
        self.request.sendall(len(REFUSAL).to_bytes(3, "little") + b"\0" + REFUSAL)


class SlowMySQL(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@contextmanager
def slow_mysql() -> Iterator[int]:
    """Its port."""
    with SlowMySQL((HOST, 0), RefusesSlowly) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextmanager
def watched(command: str, around: Around, folder: Path, environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """A client of the server, whose probe writes to `stalls` in the folder."""
    with slow_mysql() as port:
        own = {"BLOCKING_FOLDER": str(folder), "MYSQL_PORT": str(port), **environment}
        with serving(command, around, own) as shop, shop.client() as client:
            yield client


def keeps(stalls: Iterable[Stall]) -> bool:
    """Whether a view kept the hub for as long as it waits, or nearly: `fork` and `exec` keep it for a moment.

    With 36 processes for two cores such a moment has been 20 ms and more in most requests.
    """
    return sum(stall.total_s for stall in stalls) > ASKED * WAIT_S / 2


def ask(client: httpx.Client, name: str) -> None:
    answer = client.post("/blocking/upload", files={"file": b"file"}) if name == "upload" else client.get(
        f"/blocking/{name}"
    )  # fmt: skip
    assert answer.status_code == 200, f"{name}: {answer.status_code}"


def seen(command: str, names: Iterable[str], around: Around, folder: Path) -> dict[str, list[Stall]]:
    """What the probe saw in each view, once the first request of each was over; the longest total first."""
    file = folder / "stalls"
    asked = []
    names = list(names)
    with watched(command, around, folder, {"STALLS": str(file)}) as client:
        for name in names:
            ask(client, name)
        for name in names * ASKED:
            began = time.monotonic()
            ask(client, name)
            asked.append(Asked(name, began, time.monotonic()))
    assert probed(file)
    found = stalls(read(file), asked, [APPS], APPS)
    return {name: [stall for stall in found if stall.request == name] for name in names}
