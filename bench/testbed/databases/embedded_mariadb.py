"""MariaDB from the system's packages: a new server for every bench, on loopback, gone afterwards."""

import secrets
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import OperationalError

from bench.errors import BenchError
from bench.models.programs import INSTALL_MARIADB, MARIADB, program
from bench.testbed.databases.connections import MAX_CONNECTIONS
from bench.testbed.databases.database import Database
from bench.testbed.databases.folder import cache_folder, database_folder, unprivileged_account
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.processes.temporary import TemporaryFolder
from bench.testbed.servers.life import other_cores

USER = "bench"
INSTALLER = "mariadb-install-db"
# mariadb-install-db takes about a second and the server another; a cold disk and a busy machine are given more.
START_TIMEOUT_S = 30.0
# Nothing has to survive a crash here either. The backlog is long, because a pool may open all connections at once.
SETTINGS = (
    "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--skip-name-resolve",
    "--character-set-server=utf8mb4", "--back-log=2048", f"--max-connections={MAX_CONNECTIONS}",
)  # fmt: skip
# The bench's user is an administrator, but `max_connections` holds for it too. No other account is left.
USERS = """\
CREATE DATABASE {user};
CREATE USER {user}@'{host}' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO {user}@'{host}' WITH GRANT OPTION;
REVOKE SUPER, CONNECTION ADMIN ON *.* FROM {user}@'{host}';
DELETE FROM mysql.global_priv WHERE user IN ('', 'root');
FLUSH PRIVILEGES;
"""


@contextmanager
def embedded_mariadb(logs: Path) -> Iterator[Database]:
    """A running server with an empty database. Raises BenchError if there is none or it cannot be started."""
    server = installed(MARIADB)
    account = unprivileged_account()
    password = secrets.token_urlsafe(12)
    with database_folder(cache_folder(account), account) as folder:
        initialise(folder, password, account, logs)
        home = folder.path
        port = free_port()
        with GuardedProcess(
            [
                server, "--no-defaults", f"--datadir={home / 'data'}", f"--init-file={home / 'users.sql'}",
                f"--bind-address={HOST}", f"--port={port}", f"--socket={home / 'socket'}",
                f"--pid-file={home / 'pid'}", f"--tmpdir={home}", *SETTINGS,
            ],
            log=logs / "mariadb.log",
            cores=other_cores(),
            stop_signal=signal.SIGKILL,  # its files are removed next
            account=account,
            folder=folder,
            cwd=Path("/"),
            name="the embedded MariaDB",
        ) as process:  # fmt: skip
            # It offers no TLS, but PyMySQL would load all of the system's certificates for each new connection.
            url = f"mysql://{USER}:{password}@{HOST}:{port}/{USER}?ssl_disabled=true"
            yield wait_until_it_answers(process, Database(url, None, "mariadb", "", "embedded", process))


def installed(name: str) -> str:
    """Where one of MariaDB's programs is. Raises BenchError if it is not installed."""
    path = program(name)
    if path is None:
        raise BenchError(f"{name} is not installed; {INSTALL_MARIADB}, or pass --mysql-url")
    return path


def initialise(folder: TemporaryFolder, password: str, account: tuple[int, int] | None, logs: Path) -> None:
    """Make the server's files, and the statements with which it begins. Raises BenchError."""
    users = folder.path / "users.sql"
    users.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    users.write_text(USERS.format(user=USER, host=HOST, password=password), encoding="utf-8")
    if account:
        shutil.chown(users, *account)
    options = [f"--datadir={folder.path / 'data'}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    command = [installed(INSTALLER), "--no-defaults", *options, *SETTINGS]
    log = logs / f"{INSTALLER}.log"
    with GuardedProcess(command, log=log, account=account, folder=folder, cwd=Path("/"), name=INSTALLER) as process:
        process.finish(START_TIMEOUT_S)


def wait_until_it_answers(process: GuardedProcess, database: Database) -> Database:
    """Connect until that succeeds; give the database with the server's version. Raises BenchError."""

    def ask() -> str:
        try:
            with database.connect() as connection:
                return str(connection.exec_driver_sql("SELECT version()").scalar_one())
        except OperationalError as error:
            raise NotYet(str(error.orig)) from None

    return replace(database, version=process.until(ask, START_TIMEOUT_S))
