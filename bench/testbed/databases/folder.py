"""Where an embedded database keeps its files, and as whom it runs: a folder for each bench, gone afterwards."""

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import platformdirs

from bench.errors import BenchError
from bench.testbed.processes.temporary import TemporaryFolder, temporary_folder

NAME = "flask-concurrency-bench"
LOCK = "lock"


def unprivileged_account() -> tuple[int, int] | None:
    """Databases refuse to run as root: the user and group to run one as then, None when nothing needs to change."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise BenchError("databases cannot run as root and there is no user 'nobody'; use an ordinary user") from None
    return nobody.pw_uid, nobody.pw_gid


def cache_folder(account: tuple[int, int] | None) -> Path:
    """The user's cache folder; as root the system's, because root's own cannot be entered by another account."""
    folder = platformdirs.user_cache_path(NAME) if account is None else Path("/var/cache", NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if account:
            folder.chmod(0o755)
    except OSError as error:
        raise BenchError(f"cannot make the cache folder {folder}: {error.strerror}; check its permissions") from None
    return folder


@contextmanager
def database_folder(cache: Path, account: tuple[int, int] | None) -> Iterator[TemporaryFolder]:
    """A new folder of this bench's own; those whose bench and guard were both killed are removed first."""
    with ExitStack() as held:
        with open(cache / "lock", "w", encoding="utf-8") as everyone:
            fcntl.flock(everyone, fcntl.LOCK_EX)
            for folder in cache.glob("database-*"):
                if is_abandoned(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            made = held.enter_context(temporary_folder("database-", cache))
            lock = held.enter_context(open(made.path / LOCK, "w", encoding="utf-8"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        if account:
            os.chown(made.path, *account)
        yield made


def is_abandoned(folder: Path) -> bool:
    """Whether no bench holds the lock in this folder."""
    try:
        with open(folder / LOCK, "r+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True
