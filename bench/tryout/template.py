"""How do values get into a request that was written with names in braces?

`{csrf}` stands for what a login step has captured, `{env:SHOP_PASSWORD}` for a variable of the environment, and
`{{csrf}}` for the text `{csrf}`. Braces around anything else, as in JSON, are what they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

ENVIRONMENT = "env:"
NAME = re.compile(r"[A-Za-z_]\w*")
PLACEHOLDER = re.compile(r"\{\{(?P<literal>(?:env:)?[A-Za-z_]\w*)\}\}|\{(?P<name>(?:env:)?[A-Za-z_]\w*)\}")


def texts(content: Any) -> Iterator[str]:
    """Every text in it, however deep; keys are no texts."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from texts(value)


def names_in(content: Any) -> list[str]:
    """The names that stand for values in it, in order, `env:` before those of variables."""
    return [found["name"] for text in texts(content) for found in PLACEHOLDER.finditer(text) if found["name"]]


def literal(text: str) -> str:
    """A text in which nothing stands for a value."""
    return PLACEHOLDER.sub(lambda found: found[0] if found["literal"] else f"{{{found[0]}}}", text)


def filled(content: Any, values: Mapping[str, str], quoted: Callable[[str], str] = str) -> Any:
    """The same with values in place of names; `quoted` is how a value is written there. Raises KeyError."""
    if isinstance(content, str):
        return PLACEHOLDER.sub(
            lambda found: quoted(values[found["name"]]) if found["name"] else f"{{{found['literal']}}}", content
        )
    if isinstance(content, Mapping):
        return {name: filled(value, values, quoted) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [filled(value, values, quoted) for value in content]
    return content
