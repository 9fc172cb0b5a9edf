"""What is the interpreter of the application, and what does a module of ours say when it runs in it?"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.files import ROOT
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.processes.temporary import TemporaryFolder, temporary_folder

INSIDE = Path(__file__).with_name("inside")
LAUNCH = INSIDE / "bench_tried" / "launch.py"
OLDEST = (3, 9)
# A large application imports for up to 20 s from a cold disk.
IMPORT_TIMEOUT_S = 120.0
START_TIMEOUT_S = 30.0
# Where virtual environments usually are, seen from an application's folder.
USUAL = (".venv", "venv", "env")
QUESTION = """
import json, sys, sysconfig
print(json.dumps({"version": "%d.%d.%d" % sys.version_info[:3], "short": sys.version_info[:2],
                  "abi": sysconfig.get_config_var("SOABI") or sys.platform}))
"""


class ItEnded(BenchError):
    """A module of ours gave no answer: the process ended on the way."""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that can run an application."""

    python: Path
    version: str
    """`3.12.4`."""
    abi: str
    """What compiled packages are made for: `cpython-312-x86_64-linux-gnu`."""

    @property
    def short(self) -> str:
        """`3.12`."""
        return ".".join(self.version.split(".")[:2])


def interpreter_at(python: Path | None, folder: Path, environment: Mapping[str, str]) -> Interpreter:
    """The interpreter that was named, or else that of a virtual environment in the folder, or else the bench's own.

    A link to an interpreter is kept as it is, because it is what makes a virtual environment. Raises BenchError.
    """
    chosen = named(python, folder) if python else usual(folder)
    try:
        done = subprocess.run(
            [chosen, "-c", QUESTION],
            cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=START_TIMEOUT_S, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        raise BenchError(f"{chosen} is no Python interpreter that runs; pass the one of the app's "
                         "environment: --python venv/bin/python") from None  # fmt: skip
    if tuple(answer["short"]) < OLDEST:
        raise BenchError(f"{chosen} is Python {answer['version']}, and the servers need {'.'.join(map(str, OLDEST))} "
                         "or newer; pass a newer one with --python")  # fmt: skip
    return Interpreter(chosen, answer["version"], answer["abi"])


def named(python: Path, folder: Path) -> Path:
    """The interpreter, if a folder was named that is a virtual environment; a relative path is one from here."""
    path = Path(os.path.abspath(python.expanduser()))
    return path / "bin" / "python" if path.is_dir() else path


def usual(folder: Path) -> Path:
    """The interpreter of a virtual environment in this folder, else the bench's own."""
    found = (folder / name / "bin" / "python" for name in USUAL)
    return next((python for python in found if python.exists()), Path(sys.executable))


def launched(interpreter: Interpreter, program: str, *arguments: str, **job: Any) -> tuple[str, ...]:
    """The command line that runs a program in the application's environment; launch.py says what `job` may have."""
    given = {key: value for key, value in {**job, "lent": lent()}.items() if value}
    return (str(interpreter.python), str(LAUNCH), json.dumps(given), program, *arguments)


def lent() -> dict[str, str]:
    """Packages of the bench's own environment that are Python alone and need no other, and the folder of each."""
    spec = importlib.util.find_spec("psycogreen")
    found = {"psycogreen": str(Path(spec.origin).parents[1])} if spec and spec.origin else {}
    return {"loopbridge": str(ROOT), **found}


def no_bytecode(bytecode: TemporaryFolder | None) -> dict[str, str]:
    """What keeps an interpreter from writing beside the modules that it imports; it may write into this folder."""
    if bytecode is None:
        return {"PYTHONDONTWRITEBYTECODE": "1"}
    return {
        "PYTHONPYCACHEPREFIX": str(bytecode.path / "bytecode"),
        "PYTHONDONTWRITEBYTECODE": "",  # where empty is as if it were not set
    }


def answer_of(
    interpreter: Interpreter,
    module: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    overlay: Path | None = None,
) -> dict[str, Any]:
    """What a module of `inside/` writes into the file whose place in the arguments is marked with `{file}`, and what it
    `said` last.

    Raises ItEnded with the last line of what it wrote, or BenchError if it takes too long.
    """
    with temporary_folder("bench-try-") as own:
        file, log = own.path / "answer.json", own.path / "log"
        words = [str(file) if word == "{file}" else word for word in arguments]
        command = launched(interpreter, f"bench_tried.{module}", *words, overlay=overlay and str(overlay))
        with GuardedProcess(command, log=log, environment=environment, cwd=folder) as process:
            code = process.wait(IMPORT_TIMEOUT_S)
            if code is None:
                raise BenchError(f"{interpreter.python} was not ready within {IMPORT_TIMEOUT_S:.0f} s; its last line: "
                                 f"{last_line(process)}")  # fmt: skip
            if not file.exists():
                raise ItEnded(f"{interpreter.python} ended with exit code {code}: {last_line(process)}")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {**found, "said": last_line(process)}


def last_line(process: GuardedProcess) -> str:
    """The last line that a process wrote."""
    return (process.log_tail().splitlines() or ["it wrote nothing"])[-1]
