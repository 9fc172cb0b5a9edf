"""Where does a JSON value differ from others, but for what differs among them?

Said by the place of a field, and never by a value. A name of an object's field is shown if it is a plain word that all
known values have there; others, such as ids and addresses, are shown as `*`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.tryout.masks import pattern_of
from bench.words import join

__all__ = ["json_difference", "unsteady"]

PLAIN = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
TIMES_MORE = 2
KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def json_difference(known: Sequence[Any], found: Any, place: str = "") -> str:
    """The first difference in words; empty if there is none."""
    like = [value for value in known if kind(value) == kind(found)]
    if not like:
        return f"{field(place)} is {kind(found)}, not {join(sorted(set(map(kind, known))))}"
    if isinstance(found, dict):
        return object_difference(like, found, place)
    if isinstance(found, list):
        return list_difference(like, found, place)
    return "" if is_like(known, like, found) else f"{field(place)} differs"


def is_like(known: Sequence[Any], like: Sequence[Any], found: Any) -> bool:
    """Whether a text, a number, or true or false may stand where those of its kind stand."""
    if found in like or len(like) < len(known):
        return True
    if len(set(like)) == 1:
        return False
    return not isinstance(found, str) or pattern_of(like).misfit(found) is None


def kind(value: Any) -> str:
    """What it is, in words."""
    return KINDS.get(type(value), "a number")


def field(place: str) -> str:
    """A place in words."""
    return f"the JSON field {place}" if place else "the JSON body"


def object_difference(known: Sequence[dict[str, Any]], found: dict[str, Any], place: str) -> str:
    """The first difference of an object."""
    everywhere = set(known[0]).intersection(*known)
    somewhere = set().union(*known)
    for name in sorted(everywhere - set(found)):
        return f"{field(f'{place}/{shown(name, everywhere)}')} is missing"
    if everywhere == somewhere and set(found) - somewhere:
        return f"{field(place)} has a field that sync's has not"
    if len(found) > TIMES_MORE * max(map(len, known)):
        return f"{field(place)} has more fields than sync's"
    others = [one[name] for one in known for name in one if name not in everywhere]
    for name, value in found.items():
        values = [one[name] for one in known if name in one] or others
        if what := json_difference(values, value, f"{place}/{shown(name, everywhere)}"):
            return what
    return ""


def shown(name: str, everywhere: set[str]) -> str:
    """The name of a field, if it is one that may be shown."""
    return name if name in everywhere and PLAIN.fullmatch(name) else "*"


def list_difference(known: Sequence[list[Any]], found: list[Any], place: str) -> str:
    """The first difference of a list: element by element, unless the known ones differ in number or order only."""
    numbers = {len(one) for one in known}
    if len(numbers) == 1 and len(found) not in numbers:
        return f"{field(place)} has {len(found)} elements, not {len(known[0])}"
    if len(found) > TIMES_MORE * max(numbers):
        return f"{field(place)} has {len(found)} elements, not {max(numbers)} at most"
    if len(numbers) == 1 and is_shuffled(known):
        return "" if in_order(found) == in_order(known[0]) else f"{field(place)} has other elements"
    pool = [element for one in known for element in one]
    for index, element in enumerate(found):
        values = [one[index] for one in known] if len(numbers) == 1 else pool
        if what := json_difference(values, element, f"{place}/{index}"):
            return what
    return ""


def is_shuffled(known: Sequence[list[Any]]) -> bool:
    """Whether all have the same elements, and not all in the same order."""
    orders = {json.dumps(one, sort_keys=True) for one in known}
    return len(orders) > 1 and len({tuple(in_order(one)) for one in known}) == 1


def in_order(elements: list[Any]) -> list[str]:
    """The elements as texts, in an order that is always the same."""
    return sorted(json.dumps(element, sort_keys=True) for element in elements)


def unsteady(known: Sequence[Any]) -> Iterator[bool]:
    """For each value in the first, whether the others have another one there."""
    first = known[0]
    if isinstance(first, dict) and all(isinstance(one, dict) and set(one) == set(first) for one in known):
        for name in first:
            yield from unsteady([one[name] for one in known])
    elif isinstance(first, list) and all(isinstance(one, list) and len(one) == len(first) for one in known):
        for elements in zip(*known, strict=True):
            yield from unsteady(elements)
    else:
        yield any(one != first for one in known)
