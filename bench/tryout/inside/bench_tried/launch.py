"""How does a server start in an environment that lacks it? Run as a script, by the interpreter of the application.

`launch.py JOB PROGRAM ARGUMENT…` does what `python -m PROGRAM ARGUMENT…` does. The working directory comes first among
the places where modules are looked for, and what the environment lacks comes last, so that its own versions win. JOB is
a JSON object: `overlay` is a folder of packages, `lent` names packages and the folder that holds each, `files` is a
folder of modules that stand for files beside the application, `settings` is for `target.py`.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

SETTINGS = "BENCH_TRIED"
# What needs more than `python -m` gives it.
PROGRAMS = {"gunicorn": "bench_tried.gunicorn_program"}


class Lent:
    """Finds single packages, each in a folder whose other packages must not be found."""

    def __init__(self, folders: dict[str, str]) -> None:
        self.folders = folders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Called last, for a module that nothing else has found."""
        folder = self.folders.get(name)
        return None if folder is None else PathFinder.find_spec(name, [folder], target)


def prepare(job: dict[str, Any]) -> None:
    """Set the places where modules are looked for, and leave the settings to every process of the server."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    sys.path[:0] = [os.getcwd(), *filter(None, [job.get("files")])]
    sys.path += [os.path.dirname(here), *filter(None, [job.get("overlay")])]
    sys.meta_path.append(Lent(job.get("lent") or {}))
    os.environ[SETTINGS] = json.dumps(job.get("settings") or {})


def main() -> None:
    """Run the program, which sees the command line that it would see without this script."""
    job, program = json.loads(sys.argv[1]), sys.argv[2]
    prepare(job)
    sys.argv[:] = [program, *sys.argv[3:]]
    runpy.run_module(PROGRAMS.get(program, program), run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
