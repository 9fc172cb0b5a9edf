"""What is asked of the application: how a visitor logs in, and which requests every model is asked.

Texts hold names in braces where a value is captured or comes from the environment, so that what is shown of a request
never shows a value. The values themselves stand in `Script.values`, which is not shown at all.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import Any, Literal

from bench.errors import BenchError
from bench.load.job import METHODS
from bench.words import join

__all__ = [
    "METHODS",
    "OWN_HEADERS",
    "Asked",
    "Capture",
    "Ignored",
    "Script",
    "Sent",
    "Step",
    "refuse_writes",
    "script_of_paths",
]

Headers = tuple[tuple[str, str], ...]
Source = Literal["field", "regex", "pointer", "header", "cookie"]

# What the client sets by itself, from what it sends and from how it sends it.
OWN_HEADERS = ("connection", "content-length", "transfer-encoding", "accept-encoding")
SAFE = ("GET",)  # RFC 9110, 9.2.1, of those methods that the load generator can send
LONGEST_PATH = 8_000  # gunicorn takes 4,094 unless it is told otherwise, and 8,190 at most
# Parameters of a query whose values are not shown, though they were typed or recorded there.
SECRET_PARAMETER = re.compile(
    r"(?<=[?&])([^=&]*(?:token|secret|passw|api_?key|auth|session|signature|credential)[^=&]*|code|sig|key)=[^&{][^&]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What is sent, in a login step or as one of the requests; at most one of `form`, `json` and `body`."""

    path: str
    """With its query."""
    method: str = "GET"
    form: Mapping[str, Any] | None = None
    """Fields of a form, a text or a list of texts each."""
    json: Any = None
    body: str | None = None
    headers: Headers = ()
    status: int | None = None
    """The status that must come; None if any may."""

    @property
    def shown(self) -> str:
        """`GET /orders`: what may be shown of it."""
        path = SECRET_PARAMETER.sub(r"\1=…", self.path)
        return f"{self.method} {path}"

    @property
    def is_safe(self) -> bool:
        """Whether it asks and changes nothing, as far as its method says."""
        return self.method in SAFE


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A value that a login step's answer holds, and the name that it gets."""

    name: str
    source: Source
    """A form's field (or a `meta` element's content), a regular expression, a JSON pointer, a header or a cookie."""
    what: str
    """The field's name, the expression (its first group, if it has any), the pointer, the header's or cookie's name."""


@dataclass(frozen=True, kw_only=True)
class Step(Sent):
    """A request that logs a visitor in, or prepares that; steps are sent in order."""

    captures: tuple[Capture, ...] = ()
    contains: str = ""
    """A text that must be in the answer."""


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """What of an answer is not compared."""

    headers: tuple[str, ...] = ()
    """Their names in lower case."""
    fields: tuple[str, ...] = ()
    """JSON pointers (RFC 6901), where `*` is every element of a list or every field of an object."""
    patterns: tuple[str, ...] = ()
    """Regular expressions; what they match in a body is cut out of it."""


@dataclass(frozen=True, kw_only=True)
class Asked(Sent):
    """A request that every model is asked."""

    name: str
    """`GET /orders`, unlike that of every other one."""
    ignored: Ignored = Ignored()
    weight: float = 1.0
    """How often it is asked beside the others."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """How to log in, and what to ask."""

    login: tuple[Step, ...] = ()
    requests: tuple[Asked, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What stands in the environment for the names in braces that ask for it, `env:SHOP_PASSWORD`."""

    def with_headers(self, headers: Headers) -> "Script":
        """The same with these headers in everything that is sent; a request's own go before them."""
        return replace(
            self,
            login=tuple(replace(step, headers=merged(headers, step.headers)) for step in self.login),
            requests=tuple(replace(asked, headers=merged(headers, asked.headers)) for asked in self.requests),
        )

    def with_requests(self, requests: Sequence[Asked]) -> "Script":
        """The same with further requests, all named apart."""
        return replace(self, requests=named_apart([*self.requests, *requests]))


def merged(headers: Headers, own: Headers) -> Headers:
    """Both, where a name has one value only, the latter's."""
    return tuple({name.lower(): (name, value) for name, value in (*headers, *own)}.values())


def named_apart(requests: Iterable[Asked]) -> tuple[Asked, ...]:
    """The requests, with a number behind the name of a second one of the same name."""
    seen: Counter[str] = Counter()
    named = []
    for asked in requests:
        seen[asked.name] += 1
        number = seen[asked.name]
        named.append(asked if number == 1 else replace(asked, name=f"{asked.name} ({number})"))
    return tuple(named)


def script_of_paths(paths: Sequence[str], headers: Headers = ()) -> Script:
    """A GET for each path, once. Raises BenchError for what is no path."""
    for path in paths:
        if wrong := wrong_path(path):
            raise BenchError(f"{path!r} is no path to ask for: {wrong}")
    requests = [asked_of(Sent(path=path, headers=headers)) for path in dict.fromkeys(paths)]
    return Script(requests=named_apart(requests))


def asked_of(sent: Sent, name: str = "", **further: Any) -> Asked:
    """A request of what is sent, by that name or by what may be shown of it."""
    fields = {each.name: getattr(sent, each.name) for each in dataclass_fields(Sent)}
    return Asked(**fields, name=name or sent.shown, **further)


def wrong_path(path: str) -> str:
    """What is wrong with a path and its query; empty if nothing is."""
    if not path.startswith("/") or path.startswith("//"):
        return "it begins with one slash, as in /orders?page=2; the server is the bench's own"
    if "#" in path:
        return "what follows a # is never sent; leave it out"
    if any(char.isspace() or not char.isprintable() for char in path):
        return "it has a space or a control character; write %20 for a space"
    if len(path) > LONGEST_PATH:
        return f"it has more than {LONGEST_PATH} characters, which servers do not take"
    return ""


def refuse_writes(requests: Sequence[Asked]) -> None:
    """Raises BenchError, naming them, if any request may change what the application stores."""
    if writes := [asked.name for asked in requests if not asked.is_safe]:
        raise BenchError(
            f"{join(writes)} may change what the application stores, and every model is asked many times over; leave "
            "them out, or pass --allow-writes if that does no harm"
        )
