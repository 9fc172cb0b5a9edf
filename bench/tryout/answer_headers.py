"""Where do an answer's headers differ from those that are known, but for what differs among them?

What a server sets by itself is not compared, nor what tells how long an answer took.
"""

from collections.abc import Callable, Sequence

from bench.tryout.masks import pattern_of
from bench.words import join

__all__ = ["header_differences", "unsteady_headers"]

Headers = Sequence[tuple[str, str]]
Differ = Callable[[str, Sequence[str], str], str]

OF_SERVERS = {"date", "server", "connection", "keep-alive", "transfer-encoding", "content-length", "via", "trailer"}
OF_TIMES = {"server-timing", "x-process-time", "x-response-time", "x-runtime", "x-request-time", "age"}
# Lists in which the order says nothing; werkzeug makes its Allow from a set, whose order differs between processes.
LISTS = {"vary", "allow", "cache-control", "access-control-allow-methods", "access-control-allow-headers",
         "access-control-expose-headers", "pragma"}  # fmt: skip
# Whose values say nothing of a person or of a session.
SHOWN = {"content-type", "cache-control", "vary", "allow", "content-encoding"}
# Of a cookie's attributes, those whose values are moments.
MOMENTS = {"expires", "max-age"}


def header_differences(known: Sequence[Headers], found: Headers, ignored: Sequence[str]) -> list[str]:
    """Every difference, in words without values that may be secret."""
    sets, its = [by_name(one, ignored) for one in known], by_name(found, ignored)
    plain = compared(sets, its, "header {}", value_difference)
    cookies = compared([cookies_of(one, ignored) for one in known], cookies_of(found, ignored), "cookie {}", other)
    return [*plain, *cookies]


def compared(known: Sequence[dict[str, str]], found: dict[str, str], called: str, differ: Differ) -> list[str]:
    """What is missing, what is there beside, and what has another value."""
    everywhere, somewhere = set(known[0]).intersection(*known), set().union(*known)
    wrong = dict.fromkeys(everywhere - set(found), " is missing")
    if everywhere == somewhere:
        wrong |= dict.fromkeys(set(found) - somewhere, " is there, which sync's answer lacks")
    for name in set(found) & somewhere:
        wrong[name] = differ(name, [one[name] for one in known if name in one], found[name])
    return [called.format(name) + what for name, what in sorted(wrong.items()) if what]


def by_name(headers: Headers, ignored: Sequence[str]) -> dict[str, str]:
    """The headers that are compared, several of one name as one."""
    left_out = OF_SERVERS | OF_TIMES | {"set-cookie"} | set(ignored)
    found: dict[str, str] = {}
    for name, value in headers:
        if name not in left_out:
            found[name] = f"{found[name]}, {value}" if name in found else value
    return {name: in_one_way(name, value) for name, value in found.items()}


def in_one_way(name: str, value: str) -> str:
    """A value as it is written wherever it means the same."""
    if name in LISTS:
        return ", ".join(sorted({part.strip().lower() for part in value.split(",")}))
    if name == "content-type":
        return "; ".join(part.strip().lower() for part in value.split(";"))
    return value


def value_difference(name: str, known: Sequence[str], found: str) -> str:
    """How a header's value differs; empty if it does not."""
    if found in known or (name not in SHOWN and pattern_of(known).misfit(found) is None):
        return ""
    return f" is {found}, not {join(sorted(set(known)))}" if name in SHOWN else " differs"


def cookies_of(headers: Headers, ignored: Sequence[str]) -> dict[str, str]:
    """By the names of the cookies that are set, their attributes without moments; never a value."""
    cookies = {}
    for name, value in headers:
        if name == "set-cookie" and name not in ignored:
            pair, *attributes = value.split(";")
            pairs = [attribute.strip().lower() for attribute in attributes]
            kept = [key if (key := each.partition("=")[0]) in MOMENTS else each for each in pairs]
            cookies[pair.partition("=")[0].strip()] = "; ".join(sorted(kept))
    return cookies


def other(name: str, known: Sequence[str], found: str) -> str:
    """Whether a cookie's attributes are others."""
    return "" if found in known else " has other attributes"


def unsteady_headers(known: Sequence[Headers], ignored: Sequence[str]) -> list[str]:
    """The names of the headers that differ among those that are known."""
    sets = [{**by_name(one, ignored), **cookies_of(one, ignored)} for one in known]
    plain = set().union(*(by_name(one, ignored) for one in known))
    names = set().union(*sets)
    return [f"{'header' if name in plain else 'cookie'} {name}" for name in sorted(names)
            if len({one.get(name) for one in sets}) > 1]  # fmt: skip
