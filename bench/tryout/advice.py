"""What helps against a call that keeps the loop, the hub or the GIL?

A table: what the call belongs to, what to do about it under gevent and on an event loop, and where that is said. A call
that merely waits keeps no GIL, so it is no trouble to threads; one that computes is trouble everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.results.tried import Doing

Kind = Literal["asyncio", "gevent", "threads"]

IN_A_THREAD_OF_GEVENT = "give it to a thread: gevent.get_hub().threadpool.apply(function, arguments)"
IN_A_THREAD = "run the view in a thread (a `def` view under the bridge is), or await asyncio.to_thread(…)"
MORE_PROCESSES = "no concurrency model helps; more processes do, or less to compute"

THREADPOOL = "https://www.gevent.org/api/gevent.threadpool.html"
TO_THREAD = "https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread"
ASYNCIO_DEV = "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code"
RUFF = "https://docs.astral.sh/ruff/rules/"

CERTIFICATES = "Reading the certificates of authorities computes: make one SSL context, or one client, and keep it."


@dataclass(frozen=True)
class Remedy:
    """What helps against the calls of a few packages."""

    calls: tuple[str, ...]
    """How the calls' full names begin: `psycopg2`, `time.sleep`."""
    gevent: str
    asyncio: str
    source: str
    """Where it is said."""
    threads: str = ""
    """Under threads, for what holds the GIL; else a thread that waits keeps nobody."""
    when: Doing | None = "waiting"
    """What the calls must be doing for it; None if both."""

    def matches(self, call: str, doing: Doing) -> bool:
        """Whether it is for this call, a full name as `requests.api:get`."""
        plain = call.replace(":", ".")
        named = any(plain == name or plain.startswith(f"{name}.") for name in self.calls)
        return named and self.when in (None, doing)


def computes(calls: tuple[str, ...], what: str, source: str) -> Remedy:
    """What holds the GIL all the time."""
    sentence = f"{what} holds the GIL: {MORE_PROCESSES}."
    return Remedy(calls, sentence, sentence, source, sentence, "computing")


def hashes(calls: tuple[str, ...], what: str, source: str) -> Remedy:
    """What computes for long without the GIL, so that another thread and another core can take it."""
    return Remedy(
        calls,
        f"{what} computes, and without the GIL: {IN_A_THREAD_OF_GEVENT}; each takes a core all the same.",
        f"{what} computes, and without the GIL: {IN_A_THREAD}; each takes a core all the same.",
        source,
        when="computing",
    )


def driver(
    calls: tuple[str, ...], name: str, gevent: str, asyncio: str, source: str, when: Doing | None = "waiting"
) -> Remedy:
    """A database's driver, which waits in C."""
    sentence = f"{name} waits in C, where gevent's patches do not reach: {gevent}."
    return Remedy(calls, sentence, asyncio, source, when=when)


# The first that matches any of the calls at a place is the one: so drivers, whose frames are beneath those of an ORM,
# come before what they call.
REMEDIES = (
    driver(
        ("psycopg2", "aiopg"),
        "psycopg2",
        "serve it as gevent-psycogreen, whose callback waits cooperatively",
        f"psycopg2 blocks the loop until PostgreSQL has answered: {IN_A_THREAD}, or use SQLAlchemy on "
        "`postgresql+asyncpg`.",
        "https://github.com/psycopg/psycogreen",
    ),
    driver(
        ("psycopg", "psycopg_c", "psycopg_binary", "psycopg_pool"),
        "psycopg before 3.1.14",
        "a newer one cooperates by itself",
        f"psycopg's synchronous connection blocks the loop: {IN_A_THREAD}, or use psycopg.AsyncConnection.",
        "https://github.com/psycopg/psycopg/issues/527",
    ),
    driver(
        ("MySQLdb", "mysqlclient"),
        "mysqlclient",
        "PyMySQL is in Python, and cooperates (`mysql+pymysql`)",
        f"mysqlclient blocks the loop: {IN_A_THREAD}, or use SQLAlchemy on `mysql+asyncmy`.",
        "https://github.com/PyMySQL/mysqlclient/pull/285",
    ),
    driver(
        ("sqlite3", "pysqlite2", "apsw"),
        "SQLite",
        f"{IN_A_THREAD_OF_GEVENT}, or serve with threads",
        f"SQLite computes and waits for its locks in C: {IN_A_THREAD}, or use aiosqlite, which has a thread for it.",
        "https://github.com/coleifer/peewee/issues/1503",
        when=None,
    ),
    driver(
        ("pyodbc", "cx_Oracle", "oracledb.thick_impl", "pymssql"),
        "This driver",
        f"{IN_A_THREAD_OF_GEVENT}, or serve with threads",
        f"This driver blocks the loop: {IN_A_THREAD}.",
        "https://github.com/mkleehammer/pyodbc/issues/348",
    ),
    Remedy(
        ("pymysql", "pg8000", "redis", "pymongo", "oracledb"),
        "This driver is in Python, and cooperates once gevent has patched: patch before it is imported.",
        f"This driver blocks the loop until the database has answered: {IN_A_THREAD}, or use its asynchronous client.",
        "https://pymongo.readthedocs.io/en/4.3.2/examples/gevent.html",
    ),
    Remedy(
        ("sqlalchemy.pool", "sqlalchemy.util.queue"),
        "All connections of SQLAlchemy's pool are taken: a larger pool_size, or shorter transactions.",
        "The loop waits for a connection of SQLAlchemy's pool, which only another request can give back: "
        f"{IN_A_THREAD}, or use SQLAlchemy's AsyncSession.",
        "https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",
    ),
    Remedy(
        ("grpc",),
        "grpc waits in C: call grpc.experimental.gevent.init_gevent() once gevent has patched, before any channel.",
        f"grpc's synchronous calls block the loop: {IN_A_THREAD}, or use grpc.aio.",
        "https://github.com/grpc/grpc/issues/4629",
    ),
    Remedy(
        ("pycurl",),
        f"pycurl waits in C, where gevent's patches do not reach: use `requests`, or {IN_A_THREAD_OF_GEVENT}.",
        f"pycurl blocks the loop: {IN_A_THREAD}, or use httpx.AsyncClient.",
        "https://github.com/stripe/stripe-python/pull/62",
    ),
    Remedy(
        ("requests", "httpx", "urllib3", "urllib.request", "http.client", "botocore", "httplib2", "smtplib", "ftplib"),
        "This client cooperates once gevent has patched: patch before it is imported.",
        f"This client blocks the loop until the other side has answered: {IN_A_THREAD}, or await httpx.AsyncClient.",
        RUFF + "blocking-http-call-in-async-function/",
    ),
    hashes(("bcrypt", "nacl", "argon2"), "This password hash", "https://github.com/pyca/bcrypt/pull/355"),
    hashes(
        ("hashlib", "werkzeug.security", "passlib", "scrypt", "cryptography", "_hashlib"),
        "This hash",
        "https://docs.python.org/3/library/hashlib.html",
    ),
    hashes(("zlib", "gzip", "bz2", "lzma", "brotli", "zipfile", "zstandard", "tarfile"), "This compression",
           "https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread"),
    hashes(("PIL", "numpy", "cv2"), "This library", THREADPOOL),
    Remedy(
        ("ssl", "gevent.ssl"),
        CERTIFICATES,
        CERTIFICATES,
        "https://github.com/python/cpython/issues/95031",
        CERTIFICATES,
        "computing",
    ),
    computes(("re", "_sre"), "A regular expression", "https://github.com/python/cpython/issues/67878"),
    computes(
        ("json", "simplejson", "flask.json", "orjson", "ujson", "_json", "rapidjson"),
        "JSON",
        "https://github.com/ijl/orjson/issues/305",
    ),
    computes(
        ("pickle", "copy", "csv", "xml", "lxml", "yaml", "jinja2", "markdown", "pandas", "builtins.sorted",
         "builtins.list.sort", "_pickle", "_csv", "decimal", "pydantic", "marshmallow", "bs4", "html"),
        "This computation",
        TO_THREAD,
    ),
    Remedy(
        ("fcntl",),
        "A file's lock waits in the kernel: ask with LOCK_NB and sleep between, or "
        f"{IN_A_THREAD_OF_GEVENT}.",
        f"A file's lock blocks the loop: {IN_A_THREAD}.",
        "https://github.com/gevent/gevent/issues/1657",
    ),
    Remedy(
        ("subprocess", "os.waitpid", "os.system", "os.popen"),
        "gevent's subprocess cooperates once it has patched; os.system and os.popen do not.",
        f"The loop waits for another process: await asyncio.create_subprocess_exec(…), or {IN_A_THREAD}.",
        RUFF + "run-process-in-async-function/",
    ),
    Remedy(
        ("time.sleep",),
        "time.sleep cooperates once gevent has patched: this module took it from `time` before.",
        f"time.sleep keeps the loop: await asyncio.sleep(…) in an `async def` view, or {IN_A_THREAD}.",
        RUFF + "blocking-sleep-in-async-function/",
    ),
    Remedy(
        ("concurrent.futures", "queue", "threading", "_thread", "_queue", "multiprocessing"),
        "Locks, queues and threads cooperate once gevent has patched: this one was made before.",
        f"The loop waits for a thread: {IN_A_THREAD}, or await loop.run_in_executor(…).",
        ASYNCIO_DEV,
    ),
    Remedy(
        ("socket", "ssl", "select", "selectors", "_socket", "_ssl"),
        "Sockets cooperate once gevent has patched: this one was made before, or is used by a library in C.",
        f"The loop waits for a socket: {IN_A_THREAD}, or use asyncio's streams.",
        ASYNCIO_DEV,
    ),
    Remedy(
        ("pathlib", "builtins.open", "io", "_io", "os", "posix", "shutil", "tempfile", "glob", "mmap"),
        f"gevent does not make files cooperative: {IN_A_THREAD_OF_GEVENT}.",
        f"Files are read in the loop's thread: {IN_A_THREAD}.",
        RUFF + "blocking-open-call-in-async-function/",
    ),
)  # fmt: skip

WAITS = Remedy(
    (),
    f"It waits where gevent's patches do not reach: {IN_A_THREAD_OF_GEVENT}, or serve with threads.",
    f"It waits, and the loop with it: {IN_A_THREAD}.",
    THREADPOOL,
)
BUSY = f"A core is busy all that time: {MORE_PROCESSES}."
COMPUTES = Remedy((), BUSY, BUSY, TO_THREAD, BUSY)


def remedy_of(calls: Sequence[str], doing: Doing) -> tuple[Remedy, str] | None:
    """The remedy for a place whose calls these are, the outermost first; and the outermost of those it is for."""
    for remedy in REMEDIES:
        for call in calls:
            if remedy.matches(call, doing):
                return remedy, call
    return None


def advice(calls: Sequence[str], doing: Doing, kind: Kind) -> str:
    """What helps, in one sentence; empty if there is nothing to be done."""
    known = remedy_of(calls, doing)
    remedy = known[0] if known else COMPUTES if doing == "computing" else WAITS
    return {"gevent": remedy.gevent, "asyncio": remedy.asyncio, "threads": remedy.threads}[kind]
