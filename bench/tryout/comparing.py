"""Does a server answer every request as sync does: alone, several at once, and beside different ones?

The same request several times at once shows what does not bear company. Different requests at once show what that
cannot: an answer that belongs to another request, because the application keeps something in a global variable.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from bench.results.tried import Difference, When
from bench.tryout.answers import Reference, confirmed
from bench.tryout.asking import Answer, Visitor, ask, at_once, repeatedly
from bench.tryout.login import check
from bench.tryout.script import Asked

__all__ = ["Comparison", "compare_with", "mixed"]

ONE_ALONE = (
    "One request alone cannot show an answer that belongs to another request; give two paths that answer differently."
)


@dataclass
class Comparison:
    """What is known of sync's answers, and a server of it that can be asked once more."""

    sync: Visitor
    references: dict[str, Reference]
    """By request; they grow whenever sync is asked once more."""

    def alone_and_at_once(self, visitor: Visitor, how_many: int, repeat: int) -> tuple[Difference, ...]:
        """Every request by itself, and then several at once."""
        return (*self.alone(visitor), *self.at_once(visitor, how_many, repeat))

    def alone(self, visitor: Visitor) -> tuple[Difference, ...]:
        """Every request by itself."""
        found: list[Difference] = []
        for name, reference in self.references.items():
            found += self.settled(name, [ask(visitor, reference.asked)], "alone", 1)
        return tuple(found)

    def at_once(self, visitor: Visitor, how_many: int, repeat: int) -> tuple[Difference, ...]:
        """Every request so many times at once, then different ones at once; each so often.

        A server that leaves a request without an answer is asked no further: it would leave others as well, and each
        costs the time-out.
        """
        found: list[Difference] = []
        asked = [reference.asked for reference in self.references.values()]
        for rounds in [*([[each] * how_many] * repeat for each in asked), mixed(asked, how_many, repeat)]:
            answers = self.answers(visitor, rounds)
            for name, its in answers.items():
                found += self.settled(name, its, "at once", how_many)
            if any(answer.failure for its in answers.values() for answer in its):
                break
        return tuple(merged(found))

    def answers(self, visitor: Visitor, rounds: Sequence[Sequence[Asked]]) -> dict[str, list[Answer]]:
        """By request, the answers of all rounds."""
        answers: dict[str, list[Answer]] = {}
        for requests, together in zip(rounds, repeatedly(visitor, rounds), strict=False):
            for asked, answer in zip(requests, together, strict=True):
                answers.setdefault(asked.name, []).append(answer)
        return answers

    def settled(self, name: str, answers: Sequence[Answer], when: When, how_many: int) -> tuple[Difference, ...]:
        """The differences that sync, asked once more in the same way, does not have."""
        reference = self.references[name]
        self.references[name], found = confirmed(
            reference, answers, when, lambda: at_once(self.sync, reference.asked, how_many)
        )
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the requests: which of them prove nothing, and what one alone cannot show."""
        notes = [reference.note for reference in self.references.values()]
        return (*filter(None, notes), *([ONE_ALONE] if len(notes) == 1 else []))


def compare_with(first: Visitor, second: Visitor) -> Comparison:
    """What two fresh servers of sync answer. Raises BenchError if that is not what the script says."""
    references = {}
    for asked in first.script.requests:
        answers = (ask(first, asked), ask(second, asked))
        check(first.script, asked, answers[0])
        references[asked.name] = Reference(asked, answers)
    return Comparison(second, references)


def mixed(asked: Sequence[Asked], how_many: int, repeat: int) -> list[list[Asked]]:
    """Rounds of that many different requests, each request in that many rounds at least; none if there is one only."""
    rounds: list[list[Asked]] = []
    for number in range(repeat if len(asked) > 1 else 0):
        order = random.Random(number).sample(asked, len(asked))
        starts = range(0, len(order), how_many)
        rounds += [list(islice(cycle(order[start:] + order[:start]), how_many)) for start in starts]
    return rounds


def merged(differences: Sequence[Difference]) -> list[Difference]:
    """One for each request and kind of difference, with all its answers counted."""
    by_kind: dict[tuple[str, str], Difference] = {}
    for one in differences:
        before = by_kind.get((one.request, one.what))
        count, of = (before.count, before.of) if before else (0, 0)
        by_kind[one.request, one.what] = Difference(
            request=one.request, when=one.when, what=one.what, count=count + one.count, of=of + one.of
        )
    return list(by_kind.values())
