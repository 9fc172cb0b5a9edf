"""The command that says how to have a run on several machines, and looks at them once they are there."""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from bench.commands.machines import address_of, cluster_options
from bench.commands.run import decorated
from bench.errors import BenchError
from bench.testbed.processes.ports import HOST

if TYPE_CHECKING:
    from bench.cluster.joined import Seen

PORT = 8786
PYTHON = ".venv/bin/python"
WORKER = "--no-nanny --nthreads 1 --no-dashboard"


@click.command("cluster", epilog="Example: python -m bench cluster --cluster tcp://10.0.0.1:8786")
@decorated(cluster_options())
def cluster_command(**given: Any) -> None:
    """Servers and load on machines of their own, on Dask.

    Without --cluster: the commands that start one. With it: whether its machines are alike, how far they are from
    each other, and how much each load machine can send.
    """
    address = address_of(given)
    if address is None:
        click.echo(instructions(own_address()))
        return
    from bench.cluster.joined import joined_to  # which takes a second, and Dask

    console = Console(highlight=False)
    with joined_to(address) as cluster:
        console.print(cluster.words(), soft_wrap=True)
        console.print(table(cluster.seen()))
    console.print("code, Python and packages are the same on all of them", soft_wrap=True)


def own_address() -> str:
    """The address of this machine that others are likely to find it at; loopback if it has no other."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation; nothing is sent
        except OSError:
            return HOST
        host: str = probe.getsockname()[0]
    return host


def instructions(host: str) -> str:
    """What to type where."""
    url = f"tcp://{host}:{PORT}"
    return f"""\
On every machine: the same commit of this project, in a folder of its own, and `make .venv/.ready`.

Here, or on any machine that the others reach (the scheduler):
  DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0 \\
  {PYTHON} -m dask scheduler --host {host} --port {PORT}

On the machine of the servers, in the project's folder:
  {PYTHON} -m dask worker {url} --name server {WORKER} \\
      --resources server=1

On each machine that load comes from, with as many generators as it has cores to spare:
  {PYTHON} -m dask worker {url} --name load-1 {WORKER} \\
      --resources load=1

Then, here:
  python -m bench cluster --cluster {url}
  python -m bench all --cluster {url} --database-url postgresql://user:password@host/db

Whoever reaches this scheduler can run code on all of these machines: keep it in a closed network, or use tls://.
More is in docs/cluster.md."""


def table(machines: "Sequence[Seen]") -> Table:
    """A row for each machine."""
    shown = Table(box=None, pad_edge=False)
    for column in ("machine", "for", "cores", "round trip", "clock", "sends at most"):
        shown.add_column(column, justify="left" if column in ("machine", "for") else "right")
    for one in machines:
        trip = "none" if one.round_trip_s is None else f"{one.round_trip_s * 1e3:.2f} ms"
        sends = f"{one.calibration.closed_rps:,.0f}/s" if one.calibration else ""
        shown.add_row(one.words, one.role, f"{one.cores}", trip, f"{one.ahead_s * 1e3:+.0f} ms", sends)
    if any(one.round_trip_s is None for one in machines):
        raise BenchError(
            "a machine cannot reach the server's machine; open the ports between them: see docs/cluster.md"
        )
    return shown
