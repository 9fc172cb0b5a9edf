"""Which servers can be imported here, its own or lent ones? Tries each, and writes the answer to a file as JSON.

`effect.py FILE MODULE…`. Only an import tells whether versions from two places fit together.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from importlib import metadata

# What the results say versions of, if the bench lends it.
SERVERS = ("asgiref", "gevent", "greenlet", "gunicorn", "packaging", "uvicorn")
# What an extension module says that was built for another greenlet: https://github.com/gevent/gevent/issues/1678
MISFIT = "size changed"


def failure(module: str) -> str:
    """Why a module cannot be imported; empty if it can."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            importlib.import_module(module)
        except BaseException as error:  # a server may end the interpreter where something is missing
            return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return next((str(each.message) for each in said if MISFIT in str(each.message)), "")


def version(name: str) -> str | None:
    """The version of a distribution that an import would use."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def requirements(name: str) -> list[str]:
    """What a distribution says that it needs."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def main() -> None:
    """Write the answer and end at once, whatever threads the imports have started."""
    failures = {module: failure(module) for module in sys.argv[2:]}
    versions = {name: found for name in SERVERS for found in [version(name)] if found}
    answer = {"failures": failures, "versions": versions, "gevent_needs": requirements("gevent")}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(json.dumps(answer))
    os._exit(0)


if __name__ == "__main__":
    main()
