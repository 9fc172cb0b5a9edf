"""Is a visitor logged in? The steps of a login are sent one after the other, and a login that failed ends the trial.

Compared with each other, the answers to somebody who is not logged in are all alike, and prove nothing.
"""

from urllib.parse import urlsplit

import httpx

from bench.errors import BenchError
from bench.tryout.asking import Answer, Visitor, response
from bench.tryout.finding import asks_for_a_password, found_in
from bench.tryout.script import Asked, Capture, Script, Step

__all__ = ["LoginFailed", "NotAsExpected", "check", "visit"]

REDIRECTS = (301, 302, 303, 307, 308)


class LoginFailed(BenchError):
    """A login step was not answered as it must be; the message has its number and the status, and no value."""


class NotAsExpected(BenchError):
    """The first model did not answer a request as the script says that it must."""


def visit(url: str, script: Script, timeout_s: float) -> Visitor:
    """A visitor of the server, logged in as the script says. Raises LoginFailed."""
    visitor = Visitor(url, script, timeout_s, values=dict(script.values))
    for number, step in enumerate(script.login, start=1):
        log_in(visitor, step, f"login step {number}, {step.shown}")
    return visitor


def log_in(visitor: Visitor, step: Step, name: str) -> None:
    """Send a step, and keep its cookies and what it captures. Raises LoginFailed."""
    request = visitor.request(step)
    (received,) = visitor.send([request])
    if received.failure:
        raise LoginFailed(f"{name}: {received.failure}")
    answer = response(received, request)
    if answer is None:
        raise LoginFailed(f"{name}: the body of the answer cannot be decoded")
    if wrong := wrong_step(step, answer):
        raise LoginFailed(f"{name}, was answered with status {answer.status_code}{wrong}")
    visitor.cookies.extract_cookies(answer)
    for capture in step.captures:
        visitor.values[capture.name] = captured(answer, capture, name)


def wrong_step(step: Step, answer: httpx.Response) -> str:
    """What is wrong with the answer to a login step; empty if nothing is.

    Many applications answer a wrong password with 200 and their form once more.
    """
    status = answer.status_code
    if status != step.status and (step.status or status >= 400):
        wanted = f"{step.status}" if step.status else "one below 400"
        return f", not {wanted}; check what the step sends, and the variables that it takes its values from"
    if step.contains:
        return "" if step.contains in answer.text else ", and does not contain the text that it must"
    if not step.is_safe and asks_for_a_password(answer):
        return (
            ", and asks for a password again; check name and password, or say by `contains` which text "
            "a page has that only who is logged in can see"
        )
    return ""


def captured(answer: httpx.Response, capture: Capture, name: str) -> str:
    """The value that a step captures. Raises LoginFailed if it is not there."""
    value = found_in(answer, capture)
    if not value:
        raise LoginFailed(
            f"{name}: nothing was captured for {{{capture.name}}}: the answer, of status {answer.status_code} and "
            f"{len(answer.content)} bytes, has no {capture.source} {capture.what!r} with a value"
        )
    return value


def check(script: Script, asked: Asked, answer: Answer) -> None:
    """Raises NotAsExpected, or LoginFailed if the answer leads back to the login.

    It is asked of the first model: if that is not right, nothing is gained from comparing the others with it.
    """
    if asked.status is not None and answer.status != asked.status:
        came = answer.failure or f"status {answer.status}"
        raise NotAsExpected(f"{asked.name}: {came}, not status {asked.status} as the script says; correct one of them")
    if asked.status is None and leads_to_login(script, answer):
        raise LoginFailed(
            f"{asked.name} was answered with status {answer.status} and a redirect to the login, after all "
            f"{len(script.login)} login steps; check name and password and the variables that they come from"
        )


def leads_to_login(script: Script, answer: Answer) -> bool:
    """Whether it redirects to a path that the login asks."""
    paths = {urlsplit(step.path).path for step in script.login}
    return answer.status in (301, 302, 303, 307, 308) and urlsplit(answer.header("location")).path in paths
