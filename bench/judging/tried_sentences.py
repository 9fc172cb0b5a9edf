"""Why is a model recommended after a trial, why none, and what would have to change for more to be possible?"""

from collections.abc import Iterator, Sequence

from bench.judging.outcomes import plural
from bench.judging.tried_choice import Candidate, compare, errors, seconds
from bench.judging.workload import JudgedWorkload
from bench.results.tried import Confirmed, Difference, Stall, Tried
from bench.words import join

STALLS_NAMED = 3


def why_none(tried: Tried, every: Sequence[Candidate]) -> str:
    """Why a trial proves nothing of any model; empty if it does."""
    if not tried.requests:
        return "No request was answered by the first model, so nothing can be compared."
    if not any(one.model.state == "answers" for one in every):
        return "No model could be started, so nothing is known of any."
    if not tried.app.python:
        return ("A server that ran already was compared with itself. Which model to take is said by a trial of its "
                "application, python -m bench try module:app.")  # fmt: skip
    return all_errors(tried)


def unconfirmed(confirmed: Confirmed | None, best: Candidate) -> str:
    """How the printed command failed when it was started once more; empty if it did not."""
    if confirmed is None or confirmed.model != best.name:
        return ""
    if confirmed.reason:
        return f"{best.name} would be taken, but the printed command did not start: {last_line(confirmed.reason)}"
    if confirmed.differences:
        first, *rest = confirmed.differences
        return (f"{best.name} would be taken, but started by the printed command it answered in another way: "
                f"{told(first)}{others(len(rest))}.")  # fmt: skip
    return ""


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((each.strip() for each in reversed(text.splitlines()) if each.strip()), "")


def why(
    tried: Tried, every: Sequence[Candidate], best: Candidate, workloads: Sequence[JudgedWorkload]
) -> Iterator[str]:
    """Why that model is taken."""
    able = [one for one in every if one.eligible]
    simpler, rest = able[: able.index(best)], able[able.index(best) + 1 :]
    first = tried.models[0].name
    if best.name != first:
        yield f"{best.name} answered every request as {first} does, alone and at once."
    ahead = {one.name: simpler_equal(one, able, workloads) for one in rest
             if compare(one, best, workloads).kind == "better"}  # fmt: skip
    rest = [one for one in rest if one.name not in ahead]
    if not simpler:
        yield f"{best.name} is the simplest model that can be taken{no_better(rest)}."
    for other in [*simpler[:1], *simpler[1:][-1:]]:
        yield f"{sentence(compare(best, other, workloads).reason)}."
    if simpler and rest:
        yield f"Of the models that are less simple, {join([one.name for one in rest])}, none was shown to be better."
    for name, equal in ahead.items():
        yield f"{name} does better than {best.name}, but was not told apart from {equal}, which is simpler than {name}."
    yield from needs(best)


def simpler_equal(one: Candidate, able: Sequence[Candidate], workloads: Sequence[JudgedWorkload]) -> str:
    """A simpler model that this one was not shown to be better than."""
    simpler = able[: able.index(one)]
    return next(other.name for other in simpler if compare(one, other, workloads).kind != "better")


def no_better(rest: Sequence[Candidate]) -> str:
    """That no other model that could be taken is better; empty if there is none."""
    verb = "was" if len(rest) == 1 else "were"
    return f", and {join([one.name for one in rest])} {verb} not shown to be better" if rest else ""


def sentence(clause: str) -> str:
    """A clause with a capital letter."""
    return clause[:1].upper() + clause[1:]


def needs(best: Candidate) -> Iterator[str]:
    """What waits that do not overlap, and requests that compute, mean for the number of processes."""
    blocking = [one for one in best.waits.values() if one.kind == "blocks" and one.request in best.waiting]
    computing = [one.request for one in best.waits.values() if one.kind == "computes"]
    if blocking:
        worst = max(blocking, key=lambda one: one.blocked_s)
        yield (f"One process of it serves one {worst.request} after the other, {seconds(worst.own_s)} each: as many "
               "are served at once as it has processes.")  # fmt: skip
    if computing:
        verb = "computes for nearly all of its" if len(computing) == 1 else "compute for nearly all of their"
        yield f"{join(computing)} {verb} time, which no concurrency model changes; more processes do."


def changes(every: Sequence[Candidate], best: Candidate | None) -> Iterator[str]:
    """What would have to change: in the model that is taken, in the next that stands still, in those that differ."""
    standing = [one for one in every if one.model.stalls and one.model.state == "answers"]
    if best is not None and best in standing:
        yield stalled(best, f"{best.name} itself would serve more requests at once")
    if further := next((one for one in standing if one != best and one.eligible), None):
        yield stalled(further, f"{further.name} would serve more requests at once")
    for one in every:
        if one.model.differences:
            first, *rest = one.model.differences
            yield f"{one.name} cannot be taken while it answers in another way: {told(first)}{others(len(rest))}."
        elif one.failed:
            yield f"{one.name} cannot be taken while it fails under load: {one.failed}."


def stalled(one: Candidate, begun: str) -> str:
    """`gevent would serve more requests at once if shop.py:42 (psycopg2.connect) did not hold up the others.`"""
    lines = dict.fromkeys(map(where, one.model.stalls))
    named = list(lines)[:STALLS_NAMED]
    more = [f"{len(lines) - STALLS_NAMED} more"] if len(lines) > STALLS_NAMED else []
    return f"{begun} if {join([*named, *more])} did not hold up the others."


def where(stall: Stall) -> str:
    """`shop.py:42 (psycopg2.connect)`."""
    return stall.where + (f" ({stall.call})" if stall.call else "")


def claimed(tried: Tried, every: Sequence[Candidate]) -> str:
    """What was tried, which is all that the recommendation is about."""
    most = max((one.waits.at_once for each in every for one in each.waits.values()), default=1)
    at_once = f", at most {most} at once," if most > 1 else ""
    names = join([one.name for one in tried.requests])
    return f"This is about {names}{at_once} and one process; nothing else was tried."


def all_errors(tried: Tried) -> str:
    """Why nothing can be recommended where every answer was an error; empty where one was none."""
    if not tried.requests or len(errors(tried)) < len(tried.requests):
        return ""
    statuses = sorted({str(one.status) for one in tried.requests})
    return (f"Every request was answered with status {join(statuses)}, by all models alike, which proves nothing of "
            "the application: choose paths that answer, or log in by --requests.")  # fmt: skip


def some_errors(tried: Tried) -> str:
    """Which requests prove nothing; empty where all prove something."""
    names = errors(tried)
    verb = "was" if len(names) == 1 else "were"
    return f"{join(names)} {verb} answered with an error, which proves nothing of what is behind it." if names else ""


def told(difference: Difference) -> str:
    """`GET / at once: status 500, not 200 (3 of 40)`."""
    return f"{difference.request} {difference.when}: {difference.what} ({difference.count} of {difference.of})"


def others(count: int) -> str:
    """`, and 2 further differences`; empty for none."""
    return f", and {plural(count, 'further difference')}" if count else ""
