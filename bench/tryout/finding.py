"""What does an answer hold under a name: a form's field, a JSON pointer, a header, a cookie?"""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx

from bench.tryout.script import Capture

__all__ = ["asks_for_a_password", "found_in", "pointed_at"]


def found_in(answer: httpx.Response, capture: Capture) -> str | None:
    """The value that a login step captures; None if the answer does not hold it."""
    match capture.source:
        case "field":
            return fields(answer.text).get(capture.what)
        case "regex":
            found = re.search(capture.what, answer.text)
            return found and found[min(1, found.re.groups)]
        case "pointer":
            return next((written(one) for one in pointed_at(json_of(answer), capture.what)), None)
        case "header":
            value: str | None = answer.headers.get(capture.what)
            return value
        case "cookie":
            return answer.cookies.get(capture.what)


def json_of(answer: httpx.Response) -> Any:
    """What its body means as JSON; None if it is no JSON."""
    try:
        return answer.json()
    except ValueError:
        return None


def written(value: Any) -> str:
    """A value of JSON as it is written into a request."""
    return value if isinstance(value, str) else json.dumps(value)


def pointed_at(content: Any, pointer: str) -> Iterator[Any]:
    """What a JSON pointer (RFC 6901) leads to; `*` stands for every element or field."""
    *parents, last = path_of(pointer)
    held = [content]
    for key in parents:
        held = [child for one in held for child in children(one, key).values()]
    for one in held:
        yield from children(one, last).values()


def path_of(pointer: str) -> list[str]:
    """The keys of a JSON pointer."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def children(content: Any, key: str) -> dict[Any, Any]:
    """Of a list or an object, what has that key: by its own key, so that it can be replaced."""
    if isinstance(content, dict):
        return dict(content) if key == "*" else {key: content[key]} if key in content else {}
    if isinstance(content, list):
        every = dict(enumerate(content))
        return every if key == "*" else {place: one for place, one in every.items() if str(place) == key}
    return {}


class Page(HTMLParser):
    """The fields of a page's forms and its `meta` elements by name, and whether one is for a password."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.asks_for_a_password = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "input":
            self.asks_for_a_password |= attributes.get("type", "").lower() == "password"
            self.fields.setdefault(attributes.get("name", ""), attributes.get("value", ""))
        elif tag == "meta":
            self.fields.setdefault(attributes.get("name", ""), attributes.get("content", ""))


def page_of(text: str) -> Page:
    """A page, read."""
    page = Page()
    page.feed(text)
    return page


def fields(text: str) -> dict[str, str]:
    """The values of a page's fields by name; of several, the first."""
    return {name: value for name, value in page_of(text).fields.items() if name and value}


def asks_for_a_password(answer: httpx.Response) -> bool:
    """Whether it is a page with a field for a password."""
    return "html" in answer.headers.get("content-type", "") and page_of(answer.text).asks_for_a_password
