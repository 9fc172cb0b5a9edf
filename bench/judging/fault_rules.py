"""What did a fault do to a model? One rule for each kind of fault, with a word that does not depend on the day.

Words follow from states and from counts with wide room between them; times stand in the figures alone.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bench.judging.found import AT_ONCE_S, Found, Severity, back, megabytes, seconds
from bench.judging.outcomes import plural
from bench.judging.watched import Watched, outcomes, watched
from bench.results.faults import FaultCell
from bench.words import join

Rule = Callable[[Watched], Found]
# The one that needs a connection to the database for a moment.
NEEDY = "/todos/1"
# A server that answers fewer of them starves its bystanders. Servers that do answer all of them or, where one of
# several processes stands still, most; those that do not answer none, or what came before their last thread was taken.
SERVED = 0.5
# Whoever needs a connection and waits for so much of the fault's time is blocked by those that hold all of them.
BLOCKED_SHARE = 0.35
# A server of so many processes may go on where one of them ends.
SEVERAL = 2
# What a server keeps of slow readers' answers is said to be held from here on; it is some MB or some hundreds.
HELD_BYTES = 100e6
# So few of all requests that can be sent again are a matter of chance, and so are so few besides those: a server that
# waits for its requests closes a connection, now and then, on which the next has just come. One that does not wait
# fails tens of hundreds.
RARELY = 0.05
# Memory after thousands of requests that is not called a leak: allocators do not give everything back.
LEAKED_BYTES = 30e6
# So many more than before are a leak: of hundreds of requests that could leave one behind, not all of a few that still
# end. A transaction that nobody ends is one too many.
LEAKED = {"descriptors": 50, "threads": 20, "transactions": 1}
# The share of mixed requests from which on they are said to fail.
ODD_SHARE = 0.02
# Whoever waits longer than this for the queries of clients that have left is blocked by them: they run on for more than
# two seconds, and an ordinary answer takes some ten milliseconds.
BLOCKED_S = 1.5


def found(cell: FaultCell) -> Found:
    """What is said of a cell."""
    if cell.state != "measured":
        return Found(cell.state, "", "unknown", f"{cell.state.capitalize()}: {cell.reason}.")
    seen = watched(cell)
    return gone(seen) or RULES.get(cell.fault, outage)(seen)


def gone(seen: Watched) -> Found | None:
    """The server's end, after which nobody answers; None if it is there."""
    if not seen.gone:
        return None
    code = seen.cell.facts.get("exit_code")
    figure = f"exits {code}" if isinstance(code, int) else "exits"
    said = f"The server ended{f' with exit code {code}' if isinstance(code, int) else ''} and nobody answered after it."
    return Found("never", figure, "dead", said)


def not_back(seen: Watched) -> Found | None:
    """Failures that did not end while it was watched; None if they did, or if there was nothing to watch."""
    if not seen.sent or seen.back_s is not None:
        return None
    within = f"within {seconds(seen.cell.watched_s)}"
    return Found("not back", within, "dead", f"It was not back {within}: {outcomes(seen.failed)}.")


def outage(seen: Watched) -> Found:
    """For a fault of the server itself: how many requests it cost, and how long nobody was answered."""
    if worst := not_back(seen):
        return worst
    away = clause(seen)
    if len(seen.lost) > RARELY * len(seen.retryable):
        said = f"{plural(len(seen.lost), 'request')} lost ({outcomes(seen.lost)}){again(seen)}{away}.{error(seen)}"
        return Found("loses", f"{len(seen.lost)}{away}", "hurts", said)
    if seen.lost or len(seen.retryable) > RARELY * len(seen.sent):
        few = f", loses {len(seen.lost)}" if seen.lost else ""
        said = f"{len(seen.lost) or 'None'} lost{again(seen)}{away}.{error(seen)}"
        return Found("retry", f"{len(seen.retryable)}{few}{away}", "noticed", said)
    said = f"None lost{again(seen)}" if seen.retryable else "No request failed"
    retried = f"retry {len(seen.retryable)}" if seen.retryable else ""
    return Found("none lost", f"{retried}{away}".removeprefix(", "), "fine", f"{said}{away}.{error(seen)}")


def clause(seen: Watched) -> str:
    """How long nobody was answered, and how many processes are missing; empty if all is as before."""
    away_s, (after, before) = seen.away_s(seen.cell.bystander), seen.workers
    parts = [f"away {seconds(away_s)}"] if away_s > AT_ONCE_S else []
    parts += [f"with {after} of {before} workers"] if after < before else []
    return "".join(f", {part}" for part in parts)


def error(seen: Watched) -> str:
    """What prevented the next server from starting; empty if nothing did."""
    return f" {seen.cell.facts['error']}." if seen.cell.facts.get("error") else ""


def crash(seen: Watched) -> Found:
    """For a process that is killed: whether others go on, and then chance decides how much that one had."""
    found = outage(seen)
    if found.severity == "dead" or seen.workers[1] < SEVERAL:
        return found
    figure = f"loses {len(seen.failed)}{clause(seen)}" if seen.failed else clause(seen).removeprefix(", ")
    return Found("goes on", figure, "noticed", found.sentence)


def reload(seen: Watched) -> Found:
    """For a server that is told to load its code anew: whether it does, and what that costs."""
    if worst := not_back(seen):
        return worst
    if seen.cell.facts.get("reloaded") is False:
        within = f"within {seconds(seen.cell.lasted_s)}"
        return Found("not done", within, "hurts", f"It had not loaded its code anew {within}.")
    return outage(seen)


def again(seen: Watched) -> str:
    """What a client could send again, where there is any."""
    return f", {len(seen.retryable)} that can be sent again ({outcomes(seen.retryable)})" if seen.retryable else ""


def database(seen: Watched) -> Found:
    """For a database that was away: whether requests fail although it is back."""
    if worst := not_back(seen):
        return worst
    returned, late = back(seen.back_s or 0.0), seen.failed_after
    during = f"{plural(len(seen.failed) - len(late), 'request')} failed while it was away"
    if late:
        said = f"{during}, and {len(late)} after it was back ({outcomes(late)}), {returned}."
        return Found("fails", f"{len(late)} after it, {returned}", "hurts", said)
    figure = [returned] if (seen.back_s or 0.0) > AT_ONCE_S else []
    fewer = seen.workers[0] < seen.workers[1]
    figure += [f"with {seen.workers[0]} of {seen.workers[1]} workers"] if fewer else []
    said = f"{during}, and none after it was back{', but not every worker is' if fewer else ''}."
    return Found("recovers", ", ".join(figure), "noticed" if fewer else "fine", said)


def starving(seen: Watched, needy: str = "") -> Found:
    """For what hangs, computes or takes all connections: whether those are served who do not need it.

    `needy` is an endpoint that needs what others hold all of: a connection to the database.
    """
    bystanders = [name for name in (seen.cell.bystander,) if any(one.endpoint == name for one in seen.sent)]
    share = seen.served_share(bystanders)
    if share is None:
        return outage(seen)
    if share < SERVED:
        return waiting(seen, bystanders, "starves")
    if needy and seen.longest_wait_s([needy]) > BLOCKED_SHARE * seen.cell.lasted_s:
        return waiting(seen, [needy], "blocks")
    if worst := not_back(seen):
        return worst
    asked = seen.meanwhile(bystanders)
    waited = [one for one in asked if not seen.served(one)]
    figure = f"{len(waited)} of {len(asked)} wait" if waited else ""
    said = f"Of {plural(len(asked), 'request')} to {words_of(bystanders)} meanwhile, {len(asked) - len(waited)} were " \
           f"answered at once{failures(seen)}."  # fmt: skip
    return Found("serves", figure, "noticed" if waited else "fine", said)


def waiting(seen: Watched, endpoints: Sequence[str], word: str) -> Found:
    """Most of those who asked for something that was there were not served."""
    asked, longest_s = seen.meanwhile(endpoints), seen.longest_wait_s(endpoints)
    waited = sum(not seen.served(one) for one in asked)
    said = (f"Of {plural(len(asked), 'request')} to {words_of(endpoints)} meanwhile, {waited} were not answered before "
            f"it was over; the longest took {seconds(longest_s)}{failures(seen)}.")  # fmt: skip
    return Found(word, seconds(longest_s), "hurts", said)


def words_of(endpoints: Sequence[str]) -> str:
    """The endpoints, or all of them."""
    return join(endpoints) if endpoints else "the server"


def failures(seen: Watched) -> str:
    """How all requests failed that did."""
    return f"; in all {len(seen.failed)} failed ({outcomes(seen.failed)})" if seen.failed else ""


def readers(seen: Watched) -> Found:
    """For slow readers of a large answer: whether others are served, and what the server keeps for them."""
    served = starving(seen) if seen.sent else None
    if served and (served.weak or not isinstance(number(seen, "held_bytes"), float)):
        return served
    held = number(seen, "held_bytes") or 0.0
    said = f"For the slow readers its processes held {megabytes(held)}; others were answered meanwhile."
    if held > HELD_BYTES:
        return Found("holds", megabytes(held), "hurts", said)
    return Found("serves", f"holds {megabytes(max(held, 0.0))}", "fine", said)


# By whether queries ended long before they would have by themselves.
STOPPED: Mapping[bool, tuple[str, Severity]] = {True: ("stops", "fine"), False: ("runs on", "noticed")}


def leaving(seen: Watched) -> Found:
    """For clients that leave while their query runs: whether it is stopped, and whether others wait for it."""
    wait_s = {name: seen.longest_wait_after_s(name) for name in dict.fromkeys(one.endpoint for one in seen.sent)}
    queries, query_s, orphans_s = (number(seen, name) for name in ("queries", "query_s", "orphans_s"))
    known = bool(queries) and query_s is not None and orphans_s is not None
    fate = f"Queries ran on for {seconds(orphans_s or 0.0)} after their clients had left. " if known else ""
    who = max(wait_s, key=wait_s.__getitem__, default="")
    if who and wait_s[who] > BLOCKED_S:
        bystander_s = wait_s.get(seen.cell.bystander, 0.0)
        starves = bystander_s > BLOCKED_S
        said = f"{fate}Others waited for them: {join([f'{name} up to {seconds(wait_s[name])}' for name in wait_s])}."
        longest = seconds(bystander_s if starves else wait_s[who])
        return Found("starves" if starves else "blocks", longest, "hurts", said)
    if worst := not_back(seen):
        return worst
    if not known:
        return Found("serves", "", "fine", "Nobody waited.")
    stopped = (orphans_s or 0.0) < (query_s or 0.0) / 2
    word, severity = STOPPED[stopped]
    return Found(word, f"in {seconds(orphans_s or 0.0)}" if stopped else "", severity, f"{fate}Nobody waited for them.")


def leaks(seen: Watched) -> Found:
    """For many mixed requests: what is kept of them."""
    memory = growth(seen, "rss_{}_bytes")
    kept = {name.replace("_", " "): growth(seen, f"{name}_{{}}") for name in ("descriptors", "threads")}
    kept["transactions"] = number(seen, "in_transaction") or 0.0
    more = [f"{count:+,.0f} {name}" for name, count in kept.items() if count >= LEAKED[name]]
    requests, odd = (number(seen, name) or 0.0 for name in ("requests", "unexpected"))
    figure = ", ".join([f"{memory / 1e6:+,.0f} MB", *more])
    said = f"After {requests:,.0f} requests: {figure}; {odd:,.0f} were not answered as they should be."
    if odd > ODD_SHARE * requests:
        return Found("fails", f"{odd:,.0f} of {requests:,.0f}", "hurts", said)
    if more:
        return Found("leaks", figure, "hurts", said)
    return Found("grows", figure, "noticed", said) if memory > LEAKED_BYTES else Found("keeps none", "", "fine", said)


def number(seen: Watched, name: str) -> float | None:
    """A fact that is a number; None without it."""
    value = seen.cell.facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def growth(seen: Watched, name: str) -> float:
    """By how much a fact is larger after than before; its name has a place for either word."""
    return (number(seen, name.format("after")) or 0.0) - (number(seen, name.format("before")) or 0.0)


RULES: Mapping[str, Rule] = {
    "deploy": outage,
    "reload": reload,
    "crash": crash,
    "start-without-database": database,
    "database-restart": database,
    "connections-ended": database,
    "database-hangs": starving,
    "upstream-hangs": partial(starving, needy=NEEDY),
    "pool-exhausted": partial(starving, needy=NEEDY),
    "computing": starving,
    "slow-heads": starving,
    "slow-readers": readers,
    "clients-leave": leaving,
    "leaks": leaks,
}
