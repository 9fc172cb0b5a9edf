"""Which variables does the application find? Those of the user's shell, then of `--env-file`, then of `--env`."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import BenchError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A line as python-dotenv and docker have it: `export` and a comment after white space are allowed.
QUOTED = re.compile(r"""(?s)(?P<quote>['"])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*(?:#.*)?""")
ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


def environment_from(pairs: Sequence[str], file: Path | None) -> dict[str, str]:
    """The complete environment of the application's processes.

    Raises BenchError, naming the line or the option and never a value.
    """
    return {**os.environ, **(file_variables(file) if file else {}), **dict(map(pair, pairs))}


def pair(text: str) -> tuple[str, str]:
    """Name and value of an option `--env NAME=VALUE`. Raises BenchError."""
    name, equals, value = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise BenchError(f"--env needs NAME=VALUE, and a name has letters, digits and _ only; it begins {name[:20]!r}")
    return name, value


def file_variables(file: Path) -> dict[str, str]:
    """The variables of a file with a line `NAME=VALUE` for each. Raises BenchError, naming file and line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BenchError(f"cannot read --env-file {file}: {reason}; name another file") from None
    return dict(variables(lines, file))


def variables(lines: Sequence[str], file: Path) -> Iterator[tuple[str, str]]:
    """Name and value of every line that is neither empty nor a comment."""
    for number, line in enumerate(lines, 1):
        stripped = line.strip().removeprefix("export ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals or not NAME.fullmatch(name.strip()):
            raise BenchError(f"{file}, line {number}: not NAME=VALUE; correct it, or put # before it")
        yield name.strip(), unquoted(value.strip(), f"{file}, line {number}")


def unquoted(value: str, where: str) -> str:
    """A value without its quotes, or without the comment behind it. Raises BenchError for a quote left open."""
    if not value.startswith(("'", '"')):
        return "" if value.startswith("#") else re.split(r"\s#", value, maxsplit=1)[0].rstrip()
    found = QUOTED.fullmatch(value)
    if not found:
        raise BenchError(f"{where}: the quote is not closed, or something follows it; a value is on one line")
    if found["quote"] == "'":
        return found["text"]
    return re.sub(r'\\[nt"\\]', lambda escape: ESCAPES[escape[0]], found["text"])
