"""Who asks the application, and what came back? A visitor, logged in to one server, and the answers that it got.

A visitor keeps the cookies of its login, and those only: every request is sent as if it were the first one after it,
so that it makes no difference in which order, how often, and beside which others it is sent. No redirect is followed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

import h11
import httpx

from bench.errors import BenchError
from bench.load import LoadJob
from bench.tryout.cookies import cookie_jar
from bench.tryout.exchange import Received, send_together
from bench.tryout.script import Asked, Script, Sent, asked_of
from bench.tryout.template import filled, names_in

__all__ = ["Answer", "Visitor", "ask", "at_once", "first_answer", "job", "repeatedly", "response", "together"]

# What every request has, unless the script has it. Only encodings that Python can undo by itself.
HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "flask-concurrency-bench"}
SERVER = "{server}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back for a request, or why nothing did. The times are `time.monotonic`'s."""

    status: int | None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Names in lower case; the server's own address is replaced by `{server}`, as in the body."""
    body: bytes = field(default=b"", repr=False)
    """Decoded."""
    failure: str = ""
    """`no answer within 30 s`; empty if there is an answer. It holds nothing of an answer."""
    sent_s: float
    done_s: float

    @property
    def took_s(self) -> float:
        """From the sending of the request to the last byte."""
        return self.done_s - self.sent_s

    def header(self, name: str) -> str:
        """The first value of a header; empty without one."""
        return next((value for each, value in self.headers if each == name), "")


@dataclass
class Visitor:
    """Somebody who asks one server, with what the login has left: cookies and captured values."""

    url: str
    script: Script
    timeout_s: float
    cookies: httpx.Cookies = field(default_factory=cookie_jar, repr=False)
    values: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the server."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def request(self, sent: Sent) -> httpx.Request:
        """The request with its values, the visitor's cookies, and the headers that every request has."""
        headers = {name.lower(): (name, value) for name, value in (*HEADERS.items(), *sent.headers)}
        request = httpx.Request(
            sent.method,
            self.url.rstrip("/") + filled(sent.path, self.values, quoted),
            headers=[(name, self.header(name, value)) for name, value in headers.values()],
            data=filled(sent.form, self.values),
            json=filled(sent.json, self.values),
            content=None if sent.body is None else filled(sent.body, self.values).encode(),
        )
        request.headers.encoding = "utf-8"  # of the cookies, which may have been set with other characters than ASCII
        self.cookies.set_cookie_header(request)
        return request

    def header(self, name: str, value: str) -> str:
        """A header's value with its values. Raises BenchError if one of those cannot stand in a header."""
        text: str = filled(value, self.values)
        if any(char in text for char in "\r\n\0") or not text.isascii():
            raise BenchError(f"the value for the header {name} is not one line of ASCII; look at its variable")
        return text

    def send(self, requests: Sequence[httpx.Request]) -> list[Received]:
        """Send them all at once."""
        events = [
            h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            for request in requests
        ]
        return send_together(*self.address, events, [request.read() for request in requests], self.timeout_s)


def quoted(value: str) -> str:
    """A value as it stands in a path or a query: with its slashes, so that it may be a path itself."""
    return quote(value, safe="/")


def response(received: Received, request: httpx.Request) -> httpx.Response | None:
    """The answer with its body decoded; None if that cannot be."""
    try:
        return httpx.Response(
            received.status or 0, headers=list(received.headers), content=received.body, request=request
        )
    except httpx.DecodingError:
        return None


def ask(visitor: Visitor, asked: Asked) -> Answer:
    """The answer to a request that is sent alone."""
    return together(visitor, [asked])[0]


def at_once(visitor: Visitor, asked: Asked, how_many: int) -> list[Answer]:
    """The answers to a request that is sent so many times at the same moment."""
    return together(visitor, [asked] * how_many)


def together(visitor: Visitor, requests: Sequence[Asked]) -> list[Answer]:
    """The answers to these requests, in their order, all sent at the same moment, each on its own connection.

    Different requests together show what the same one cannot: an answer that belongs to another request.
    """
    prepared = [visitor.request(asked) for asked in requests]
    return [
        answer_of(received, request, visitor)
        for received, request in zip(visitor.send(prepared), prepared, strict=True)
    ]


def repeatedly(visitor: Visitor, rounds: Iterable[Sequence[Asked]]) -> Iterator[list[Answer]]:
    """The answers of each round, whose requests are sent together.

    There is no further one once something was not answered, for a server that hangs would again.
    """
    for requests in rounds:
        answers = together(visitor, requests)
        yield answers
        if any(answer.failure for answer in answers):
            return


def first_answer(script: Script, timeout_s: float) -> Callable[[str], None]:
    """A check of a server's URL, which raises httpx.HTTPError until a request is answered, with whatever status.

    It is the first one that changes nothing and that needs nothing of a login.
    """
    free = [sent for sent in (*script.requests, *script.login) if sent.is_safe and is_free(sent, script)]
    asked = asked_of(free[0] if free else Sent(path="/"), "the first request")

    def check(url: str) -> None:
        answer = ask(Visitor(url, script, timeout_s, values=dict(script.values)), asked)
        if answer.failure:
            raise httpx.RequestError(answer.failure)

    return check


def is_free(sent: Sent, script: Script) -> bool:
    """Whether all its values are known without a login."""
    return all(name in script.values for name in names_in([sent.path, [value for _, value in sent.headers]]))


def answer_of(received: Received, request: httpx.Request, visitor: Visitor) -> Answer:
    """An answer, decoded, without the server's address, which differs from server to server."""
    answer = Answer(status=received.status, failure=received.failure, sent_s=received.sent_s, done_s=received.done_s)
    if received.failure:
        return answer
    decoded = response(received, request)
    if decoded is None:
        return replace(answer, failure="the body cannot be decoded")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in received.headers]
    content = decoded.content
    address = "{}:{}".format(*visitor.address)
    for written in (address, quote(address, safe="")):
        headers = [(name, value.replace(written, SERVER)) for name, value in headers]
        content = content.replace(written.encode(), SERVER.encode())
    return replace(answer, headers=tuple(headers), body=content)


def job(visitor: Visitor, asked: Asked, *, connections: int, status: int, **options: Any) -> LoadJob:
    """The load of this request as the visitor sends it; `status` is what the first model answered.

    Its headers hold the visitor's cookies and its path may hold captured values: they are not for the results.
    """
    request = visitor.request(asked)
    host, port = visitor.address
    own_host = any(name.lower() == "host" for name, _ in asked.headers)
    left_out = {"connection", "content-length"} | (set() if own_host else {"host"})  # the load generator sets them
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw]
    return LoadJob(
        host=host,
        port=port,
        path=request.url.raw_path.decode("ascii"),
        method=asked.method,
        body=request.read() or None,
        headers=tuple((name, value) for name, value in headers if name not in left_out),
        connections=connections,
        expect_status=status,
        **options,
    )
