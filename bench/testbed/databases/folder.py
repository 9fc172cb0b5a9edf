"""Where an embedded database keeps its files, and as whom it runs: a folder for each bench, gone afterwards."""

import fcntl
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from bench.errors import BenchError

NAME = "flask-concurrency-bench"


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
def cluster_folder(cache: Path, account: tuple[int, int] | None) -> Iterator[Path]:
    """A new folder of this bench's own, locked as long as it runs; those whose bench was killed are removed first."""
    with open(cache / "lock", "w") as everyone:
        fcntl.flock(everyone, fcntl.LOCK_EX)
        # A killed bench leaves its lock, its guard having removed the folder; one without its guard leaves both.
        for name in {path.name.removeprefix("lock-") for path in cache.glob("*cluster-*")}:
            with open(cache / f"lock-{name}", "w") as owner:
                if try_lock(owner.fileno()):
                    shutil.rmtree(cache / name, ignore_errors=True)
                    os.unlink(owner.name)
        home = Path(tempfile.mkdtemp(prefix="cluster-", dir=cache))
        own = open(home.with_name(f"lock-{home.name}"), "w")  # noqa: SIM115  (held until the context ends)
        fcntl.flock(own, fcntl.LOCK_EX)
    try:
        if account:
            os.chown(home, *account)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.unlink(own.name)
        own.close()


def try_lock(descriptor: int) -> bool:
    """Whether nobody else holds a lock on this open file."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
