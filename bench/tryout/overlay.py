"""Where does an application's environment find the servers that it lacks? In a folder of the user's cache.

pip fills it once for each interpreter version, and for each set of versions that it has to fit to. Nothing is installed
into the application's environment: the folder comes last among the places where its interpreter looks for modules.
"""

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import metadata, util
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from bench.errors import BenchError
from bench.testbed.databases.folder import cache_folder
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.processes.temporary import temporary_folder
from bench.tryout.interpreter import Interpreter

# gunicorn's gevent worker imports packaging, which gunicorn itself does not bring since 26.1:
# https://github.com/caronc/apprise/issues/1700
SERVERS = ("gunicorn", "gevent", "greenlet", "uvicorn", "asgiref", "packaging")
# What makes pip choose a gunicorn and a gevent that go together, where the environment's greenlet is an old one.
WITH_EXTRAS = {"gunicorn": "gunicorn[gevent]"}
# What these need in turn. Where the application's environment has one of them, that is the one that is imported.
NEEDED_BY_THEM = ("click", "h11", "typing-extensions", "zope-event", "zope-interface")
# Six wheels, some 10 MB, take about 15 s; a slow network is given twenty times that.
INSTALL_TIMEOUT_S = 300.0


def overlay_for(
    interpreter: Interpreter, installed: Mapping[str, str], said: Callable[[str], None] = lambda line: None
) -> Path | None:
    """The folder of servers for this interpreter, made if it is not there; None where the environment lacks none.

    `installed` are the environment's own distributions, `said` hears that the folder is made, which takes a while.
    Raises BenchError if pip cannot make it, with the command that it ran.
    """
    lacking = [name for name in SERVERS if name not in installed]
    if not lacking:
        return None
    requirements = [requirement(WITH_EXTRAS.get(name, name), interpreter, installed) for name in lacking]
    versions = [f"{name}=={installed[name]}" for name in (*SERVERS, *NEEDED_BY_THEM) if name in installed]
    cache = cache_folder(None)
    folder = cache / f"try-{interpreter.abi}-{digest(interpreter, requirements, versions)}"
    if not folder.exists():
        said(f"fetching {', '.join(requirements)} for Python {interpreter.short}, once")
        make(folder, interpreter, requirements, versions)
    return folder


def requirement(name: str, interpreter: Interpreter, installed: Mapping[str, str]) -> str:
    """The bench's own version where the application's environment can have it, else whichever pip finds to fit."""
    try:
        own = metadata.metadata(name.partition("[")[0])
    except metadata.PackageNotFoundError:
        return name
    needs = SpecifierSet(own["Requires-Python"] or "")
    fits = needs.contains(interpreter.version) and all(
        text_fits(text, interpreter, installed) for text in own.get_all("Requires-Dist") or []
    )
    return f"{name}=={own['Version']}" if fits else name


def text_fits(text: str, interpreter: Interpreter, installed: Mapping[str, str]) -> bool:
    """Whether what is required can be had beside what is installed."""
    wanted = Requirement(text)
    version = installed.get(wanted.name.lower().replace("_", "-").replace(".", "-"))
    applies = wanted.marker is None or wanted.marker.evaluate({"extra": "", "python_version": interpreter.short})
    return not applies or version is None or wanted.specifier.contains(version, prereleases=True)


def digest(interpreter: Interpreter, requirements: list[str], versions: list[str]) -> str:
    """What tells one folder from another."""
    content = json.dumps([interpreter.abi, interpreter.short, requirements, versions])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def make(folder: Path, interpreter: Interpreter, requirements: list[str], versions: list[str]) -> None:
    """Have pip fill a folder beside it, and give that its name once it is complete. Raises BenchError."""
    if util.find_spec("pip") is None:
        raise BenchError(f"the bench's own environment has no pip; run: {sys.executable} -m ensurepip")
    with temporary_folder("try-new-", folder.parent) as making:
        constraints = making.path / "versions.txt"
        constraints.write_text("\n".join(versions), encoding="utf-8")
        packages = making.path / "packages"
        fitting = ["--constraint", str(constraints)]
        any_version = [name.partition("==")[0] for name in requirements]
        # Versions that nothing fits to, or that no index has, come last: what cannot be served then is told by name.
        tries = [[*requirements, *fitting], *([[*any_version, *fitting], any_version] if versions else [])]
        for number, wanted in enumerate(tries, 1):
            try:
                install(interpreter, packages, wanted, making.path)
                break
            except BenchError:
                if number == len(tries):
                    raise
        with suppress(OSError):  # another bench was faster
            packages.rename(folder)


def install(interpreter: Interpreter, target: Path, wanted: list[str], logs: Path) -> None:
    """Run pip for the other interpreter, which needs none of its own (https://pip.pypa.io/en/stable/topics/python-option/).

    Neither pip's own cache nor what is configured for other uses may have it write elsewhere. Raises BenchError.
    """
    command = [sys.executable, "-m", "pip", "--python", str(interpreter.python), "install", "--quiet", "--no-input",
               "--disable-pip-version-check", "--no-cache-dir", "--no-user", "--prefer-binary",
               "--target", str(target), *wanted]  # fmt: skip
    with GuardedProcess(
        command, log=logs / "pip.log", environment={"PIP_REQUIRE_VIRTUALENV": "0"}, cwd=logs
    ) as process:
        code = process.wait(INSTALL_TIMEOUT_S)
        if code != 0:
            why = process.log_tail().splitlines()
            raise BenchError(
                f"pip could not fetch what the app's environment lacks ({reason(why)}); connect to the package index "
                f"or name a mirror with PIP_INDEX_URL, or install it into the app's environment yourself: "
                f"{shlex.join([str(interpreter.python), '-m', 'pip', 'install', *SERVERS])}"
            )


def reason(lines: list[str]) -> str:
    """The line of pip's log that says what went wrong."""
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it gave no reason within the time"])[0].removeprefix("ERROR: ").strip()
