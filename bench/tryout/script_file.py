"""What does `requests.toml` ask? It is read, and what is wrong in it is said with its line and field.

Its tables and fields stand in docs/requests.md, with examples.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError
from bench.tryout.fields import LOGIN, REQUEST, Check
from bench.tryout.script import Asked, Script, Sent, Step, asked_of, named_apart, refuse_writes
from bench.tryout.template import ENVIRONMENT, names_in
from bench.words import join

__all__ = ["script_of"]

Kind = Literal["login", "request"]
CHECKS: dict[str, Mapping[str, Check]] = {"login": LOGIN, "request": REQUEST}
# By the field's name, the name that it has in the records.
RENAMED = {"capture": "captures", "ignore": "ignored"}
CONTENTS = ("form", "json", "body")


def script_of(file: Path, environment: Mapping[str, str], *, allow_writes: bool = False) -> Script:
    """The script in that file, with the values that it takes from the environment.

    Raises BenchError, with line and field, for what cannot be understood, and for requests that may change something
    unless `allow_writes`.
    """
    source = source_of(file)
    login = [step_of(entry) for entry in source.entries("login")]
    requests = [request_of(entry) for entry in source.entries("request")]
    if not login and not requests:
        raise BenchError(f"{file} has neither a [[login]] nor a [[request]]; docs/requests.md has examples")
    named = named_apart(requests)
    if not allow_writes:
        refuse_writes(named)
    return Script(login=tuple(login), requests=named, values=values_of(source, environment))


@dataclass(frozen=True)
class SourceFile:
    """The file as text and as what it means."""

    path: Path
    text: str
    content: Mapping[str, Any]

    def entries(self, kind: Kind) -> list["Entry"]:
        """All `[[login]]` or all `[[request]]` of it."""
        return [Entry(self, kind, number, table) for number, table in enumerate(self.content.get(kind, ()), start=1)]

    def line(self, kind: Kind, number: int, field: str) -> int:
        """The line of a field of the entry of that number; that of the entry's head if the field is not found."""
        heads = [place for place, line in enumerate(self.text.splitlines(), start=1) if self.is_head(place, line)]
        lines = self.text.splitlines()
        of_kind = [place for place in heads if kind in lines[place - 1]]
        if number > len(of_kind):  # written in another way, as an array of inline tables
            return 1
        head = of_kind[number - 1]
        end = next((place for place in heads if place > head), len(lines) + 1)
        written = re.compile(rf"""\s*(\[.*\b)?["']?{re.escape(field)}["']?\s*[=.\]]""")
        return next((place for place in range(head + 1, end) if written.match(lines[place - 1])), head)

    def is_head(self, place: int, line: str) -> bool:
        """Whether an entry begins in this line, and the line is not part of a text of several lines."""
        if not re.match(r"\s*\[\[\s*(login|request)\s*\]\]", line):
            return False
        try:
            tomllib.loads("\n".join(self.text.splitlines()[: place - 1]))
        except tomllib.TOMLDecodeError:
            return False
        return True


@dataclass(frozen=True)
class Entry:
    """A `[[login]]` or a `[[request]]`."""

    source: SourceFile
    kind: Kind
    number: int
    content: Mapping[str, Any]

    def wrong(self, field: str, what: str) -> BenchError:
        """The error that names file, line and field."""
        line = self.source.line(self.kind, self.number, field)
        place = f"{self.source.path}, line {line}, [[{self.kind}]] {self.number}"
        return BenchError(f"{place}: {field}: {what}")

    def parsed(self) -> dict[str, Any]:
        """Its fields, each understood."""
        checks = CHECKS[self.kind]
        found = {}
        for field, value in self.content.items():
            if field not in checks:
                raise self.wrong(field, self.unknown(field))
            try:
                found[RENAMED.get(field, field)] = checks[field](value)
            except ValueError as error:
                raise self.wrong(field, str(error)) from None
        return self.complete(found)

    def unknown(self, field: str) -> str:
        """Why it has no such field."""
        if field == "capture":
            return "a [[request]] captures nothing, because requests are asked in any order; use a [[login]] before"
        return f"there is no such field; a [[{self.kind}]] has {join(list(CHECKS[self.kind]))}"

    def complete(self, found: dict[str, Any]) -> dict[str, Any]:
        """The fields together: a path, one content at most, and a method that fits it."""
        if "path" not in found:
            raise self.wrong("path", "is missing; write the path that is asked for")
        contents = [field for field in CONTENTS if field in found]
        if len(contents) > 1:
            raise self.wrong(contents[1], f"a request has one of {join(CONTENTS)}, not {join(contents)}")
        method = found.setdefault("method", "POST" if contents else "GET")
        if contents and method == "GET":
            raise self.wrong(contents[0], "a GET has no content; give it another method, or put it into the query")
        return found


def source_of(file: Path) -> SourceFile:
    """The file, read. Raises BenchError."""
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise BenchError(f"cannot read {file}: {error.strerror}; give the path of a requests.toml") from None
    except UnicodeDecodeError:
        raise BenchError(f"{file} is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BenchError(f"{file} is not TOML: {error}") from None
    for name, held in content.items():
        if name not in CHECKS:
            raise BenchError(f"{file}: {name}: there is no such table; those are [[login]] and [[request]]")
        if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
            raise BenchError(f"{file}: {name} is written with two brackets on each side, as [[{name}]]")
    return SourceFile(file, text, content)


def step_of(entry: Entry) -> Step:
    """A login step."""
    return Step(**entry.parsed())


def request_of(entry: Entry) -> Asked:
    """A request; its own name, or method and path."""
    fields = entry.parsed()
    further = {name: fields.pop(name) for name in ("name", "ignored", "weight") if name in fields}
    return asked_of(Sent(**fields), **further)


def values_of(source: SourceFile, environment: Mapping[str, str]) -> dict[str, str]:
    """The values of the names that ask for variables. Raises BenchError for a name that nothing gives a value."""
    captured: list[str] = []
    values = {}
    for entry in [*source.entries("login"), *source.entries("request")]:
        for field in ("path", "form", "json", "body", "headers", "contains"):
            for name in names_in(entry.content.get(field)):
                if name.startswith(ENVIRONMENT):
                    values[name] = variable(entry, field, name, environment)
                elif name not in captured:
                    raise entry.wrong(field, not_captured(name, captured))
        captured += entry.content.get("capture", ())
    return values


def variable(entry: Entry, field: str, name: str, environment: Mapping[str, str]) -> str:
    """The value of a variable. Raises BenchError if it is not set."""
    plain = name.removeprefix(ENVIRONMENT)
    if plain not in environment:
        raise entry.wrong(field, f"the variable {plain} is not set; set it, or pass --env-file or --env")
    return environment[plain]


def not_captured(name: str, captured: Sequence[str]) -> str:
    """Why a name stands for nothing, and what to do."""
    known = f"captured are {join(captured)}" if captured else "nothing is"
    return f"{{{name}}} is captured by no [[login]] before it ({known}); for these very characters write {{{{{name}}}}}"
