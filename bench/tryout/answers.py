"""Does a model answer as `sync` does? What two fresh servers of sync answer differently is no difference.

So does Diffy find regressions: a second instance of the known code tells noise from change
(https://github.com/opendiffy/diffy). Here it is one step more: a difference counts only if sync, asked once more in the
same way, lacks it, for the time of day or the number of requests so far may have changed an answer meanwhile.

Nothing here sends anything, and no word of an answer's body, no cookie and no token leaves it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bench.results.tried import Difference, TriedRequest, When
from bench.tryout.answer_headers import header_differences, unsteady_headers
from bench.tryout.asking import Answer
from bench.tryout.bodies import Bodies
from bench.tryout.script import Asked
from bench.words import join

__all__ = ["Reference", "confirmed"]

NO_ANSWER = 0
"""What a record of a request has for the status of an answer that did not come."""
REFUSED = (401, 403)
UNDONE = {"gzip", "deflate", "identity"}
"""The encodings that are undone when an answer arrives."""
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Reference:
    """What sync answered to a request: two fresh servers of it, and whenever it was asked once more."""

    asked: Asked
    answers: tuple[Answer, ...]

    def also(self, answers: Sequence[Answer]) -> "Reference":
        """The same with further answers of sync."""
        return replace(self, answers=(*self.answers, *answers))

    @property
    def statuses(self) -> list[int]:
        """The statuses of its answers, each once."""
        return list(dict.fromkeys(answer.status for answer in self.answers if not answer.failure and answer.status))

    @property
    def failures(self) -> list[str]:
        """Why answers did not come, each reason once."""
        return list(dict.fromkeys(answer.failure for answer in self.answers if answer.failure))

    def with_status(self, status: int | None) -> list[Answer]:
        """Its answers of that status."""
        return [answer for answer in self.answers if not answer.failure and answer.status == status]

    @cached_property
    def bodies(self) -> dict[int | None, Bodies]:
        """By status, what its bodies are."""
        return {
            status: Bodies(
                tuple(dict.fromkeys(answer.body for answer in self.with_status(status))),
                content_type(self.with_status(status)[0]),
                self.asked.ignored,
            )
            for status in self.statuses
        }

    def differences(self, answers: Sequence[Answer], when: When) -> tuple[Difference, ...]:
        """How the answers of another server differ, the most frequent first."""
        found = Counter(what for answer in answers for what in self.difference(answer))
        return tuple(
            Difference(request=self.asked.name, when=when, what=what, count=count, of=len(answers))
            for what, count in found.most_common()
        )

    def difference(self, answer: Answer) -> list[str]:
        """How one answer differs, in words that hold nothing of a body."""
        if answer.failure:
            return [] if self.failures else [answer.failure]
        if answer.status not in self.statuses:
            return [f"status {answer.status}, not {join([*map(str, self.statuses), *self.failures])}"]
        headers = [one.headers for one in self.with_status(answer.status)]
        body = self.bodies[answer.status].difference(answer.body)
        return [*header_differences(headers, answer.headers, self.asked.ignored.headers), *filter(None, [body])]

    @property
    def volatile(self) -> tuple[str, ...]:
        """What differs among its answers, and is not compared."""
        several = len(self.statuses) + bool(self.failures) > 1
        found = ["status"] if several else []
        for status in self.statuses:
            headers = [one.headers for one in self.with_status(status)]
            found += unsteady_headers(headers, self.asked.ignored.headers)
            found += filter(None, [self.bodies[status].volatile])
        return tuple(dict.fromkeys(found))

    @property
    def tried(self) -> TriedRequest:
        """The record of the request; its status is 0 if sync gave no answer."""
        first = self.answers[0]
        return TriedRequest(
            name=self.asked.name,
            method=self.asked.method,
            status=NO_ANSWER if first.failure or first.status is None else first.status,
            body_bytes=len(first.body),
            weight=self.asked.weight,
            volatile=self.volatile,
        )

    @property
    def note(self) -> str:
        """Why equal answers to it prove nothing, or little; empty if they do."""
        name, status = self.asked.name, self.tried.status
        if self.failures and not self.statuses:
            return f"{name}: sync gave no answer ({self.failures[0]}), so that no model can be compared in it."
        if status in REFUSED or self.asks_to_log_in:
            return (
                f"{name}: sync answers {status}, as to somebody who is not logged in. Equal answers to that prove "
                "nothing; describe the login in a file for --requests."
            )
        if status >= 400:
            return f"{name}: sync itself answers {status}. Equal errors prove nothing; ask for a path that works."
        if "body" in self.volatile:
            return f"{name}: no two bodies are alike, so that only its status and its headers are compared."
        return ""

    @property
    def proves(self) -> bool:
        """Whether equal answers to it say something of a model: sync answers it with more than an error."""
        return 200 <= self.tried.status < 400 and not self.asks_to_log_in

    @property
    def asks_to_log_in(self) -> bool:
        """Whether it redirects to what is called like a login."""
        location = self.answers[0].header("location").partition("?")[0].lower()
        words = ("login", "log-in", "log_in", "signin", "sign-in", "sign_in", "/auth")
        return self.answers[0].status in REDIRECTS and any(word in location for word in words)


def content_type(answer: Answer) -> str:
    """What the body is: bytes if it came in an encoding that nobody asked for, as httpbin's brotli does."""
    encodings = answer.header("content-encoding").lower().replace(",", " ").split()
    return answer.header("content-type") if set(encodings) <= UNDONE else "application/octet-stream"


def confirmed(
    reference: Reference, answers: Sequence[Answer], when: When, again: Callable[[], Sequence[Answer]]
) -> tuple[Reference, tuple[Difference, ...]]:
    """The differences that remain once sync is asked `again` in the same way, and what is known of sync then."""
    if not reference.differences(answers, when):
        return reference, ()
    wider = reference.also(again())
    return wider, wider.differences(answers, when)
