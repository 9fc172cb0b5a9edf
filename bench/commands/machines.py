"""What is typed to have a run on several machines, and what becomes of it?"""

import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.cluster.connection import Address

__all__ = ["CLUSTER", "address_of", "cluster_options"]

Command = Callable[..., Any]
FILE = click.Path(exists=True, dir_okay=False)
CLUSTER = ("cluster", "cluster_ca", "cluster_cert", "cluster_key")


def cluster_options() -> list[Callable[[Command], Command]]:
    """`--cluster` and what belongs to it."""
    return [
        click.option("--cluster", metavar="URL",
                     help="On the machines of a Dask scheduler, tcp://… or tls://…; see python -m bench cluster."),
        click.option("--cluster-ca", type=FILE, metavar="FILE", help="With tls://: the authority's certificate."),
        click.option("--cluster-cert", type=FILE, metavar="FILE", help="With tls://: this machine's certificate."),
        click.option("--cluster-key", type=FILE, metavar="FILE", help="With tls://: the key of that certificate."),
    ]  # fmt: skip


def address_of(given: Mapping[str, Any]) -> "Address | None":
    """The scheduler's address, None without one; says so if anybody could get in. Raises BenchError."""
    url = given.get("cluster")
    files = [given.get(name) for name in ("cluster_ca", "cluster_cert", "cluster_key")]
    if not url:
        if any(files):
            raise BenchError("--cluster-ca, --cluster-cert and --cluster-key belong to --cluster tls://…")
        return None
    if importlib.util.find_spec("distributed") is None:
        raise BenchError("--cluster needs Dask; install the extra 'cluster': pip install '.[cluster]'")
    check_url(url)
    from bench.cluster.connection import Address

    address = Address(url, *files)
    if address.encrypted and not all(files):
        raise BenchError("with tls:// pass --cluster-ca, --cluster-cert and --cluster-key")
    if not address.encrypted:
        click.echo("bench: without TLS a Dask scheduler runs code for whoever reaches it; keep its network closed, or "
                   "use tls://", err=True)  # fmt: skip
    return address


def check_url(url: str) -> None:
    """Raises BenchError unless it is one of a scheduler."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        known = False
    if not known:
        raise BenchError(f"{url!r} is no scheduler; write it as tcp://10.0.0.1:8786, or tls://…")
