"""Which requests does a trial ask? Those of --path, --requests and --har together; `/` if none of them says any."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import BenchError
from bench.tryout.har import script_of_har
from bench.tryout.script import OWN_HEADERS, Asked, Headers, Script, script_of_paths
from bench.tryout.script_file import script_of
from bench.tryout.template import literal, names_in

__all__ = ["script_from"]


def script_from(
    paths: Sequence[str],
    file: Path | None,
    har: Path | None,
    headers: Headers,
    environment: Mapping[str, str],
    *,
    allow_writes: bool = False,
) -> Script:
    """The login of the file, and all requests, each path once. Raises BenchError.

    `headers` go with everything that is sent, the login included. A path may have names that the login captures.
    """
    check_headers(headers)
    script = script_of(file, environment, allow_writes=allow_writes) if file else Script()
    typed = script_of_paths(paths).requests
    check_names(typed, script)
    recorded = script_of_har(har).requests if har else ()
    asked = {(each.method, each.path) for each in script.requests}
    further = {each.path: each for each in (*typed, *recorded) if (each.method, each.path) not in asked}
    script = script.with_requests(list(further.values()))
    if not script.requests:
        script = replace(script, requests=script_of_paths(["/"]).requests)
    return script.with_headers(tuple((name, literal(value)) for name, value in headers))


def check_headers(headers: Headers) -> None:
    """Raises BenchError for a header that the client sets by itself."""
    for name, _ in headers:
        if name.lower() in OWN_HEADERS:
            raise BenchError(f"--header {name}: the client sets it by itself; leave it out")


def check_names(typed: Sequence[Asked], script: Script) -> None:
    """Raises BenchError for a name in braces that nothing gives a value."""
    captured = {capture.name for step in script.login for capture in step.captures}
    for asked in typed:
        for name in names_in(asked.path):
            if name not in captured and name not in script.values:
                raise BenchError(
                    f"--path {asked.path}: {{{name}}} is captured by no [[login]] of a file for --requests; "
                    f"for these very characters write {{{{{name}}}}}"
                )
