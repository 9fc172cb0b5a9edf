"""The quick check of a schema says yes to nothing that jsonschema refuses, and to all that the bench writes."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bench.results.file import keeps_schema, schema
from bench.results.keeping import check_of
from tests.commands.test_damaged_results import KINDS, places
from tests.report_runs import sample_run

VALUES = (None, True, False, 0, 1, -1, 0.5, "", "a", "ab", [], [1], [1, 2], ["a"], [[]], {}, {"a": 1}, {"a": "a"},
          {"a": None, "b": 2}, {"b": 2})  # fmt: skip
NAMED = {"number": {"type": "number"}, "node": {"type": "object", "properties": {"a": {"$ref": "#/$defs/node"}}}}


@pytest.mark.parametrize(
    "part",
    [
        {},
        *[{"type": name} for name in ("string", "number", "integer", "boolean", "null", "array", "object")],
        {"type": ["number", "null"]},
        {"enum": [1, "a", None]},
        {"enum": [True]},
        {"const": 1},
        {"minimum": 0},
        {"exclusiveMinimum": 0},
        {"minLength": 1},
        {"minItems": 1},
        {"maxItems": 1},
        {"items": {"type": "integer"}},
        {"prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
        {"properties": {"a": {"type": "integer"}}},
        {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        {"additionalProperties": {"type": "integer"}},
        {"additionalProperties": False},
        {"required": ["b"]},
        {"$ref": "#/$defs/number"},
        {"$ref": "#/$defs/node"},
        {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/number"}]},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},  # left to jsonschema: 1 is both
        {"not": {"type": "null"}},  # as is every keyword that is not known
        {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
    ],
    ids=json.dumps,
)
def test_it_says_of_each_keyword_what_jsonschema_says(part: dict[str, Any]) -> None:
    whole = {"$defs": NAMED, **part}
    keeps, validator = check_of(whole), Draft202012Validator(whole)
    assert [keeps(value) for value in VALUES] == [validator.is_valid(value) for value in VALUES]


def test_where_it_is_stricter_jsonschema_has_the_last_word() -> None:
    assert not check_of({"type": "integer"})(1.0)
    assert Draft202012Validator({"type": "integer"}).is_valid(1.0)


def test_it_says_of_a_damaged_file_what_jsonschema_says(tmp_path: Path) -> None:
    content = json.loads(json.dumps(sample_run(tmp_path, generations=1).content()))
    rng, validator = random.Random(5), Draft202012Validator(schema())
    assert keeps_schema()(content)
    every, refused = list(places(content)), 0
    for number in range(40):
        spoilt = json.loads(json.dumps(content))
        KINDS[number % len(KINDS)](spoilt, rng.choice(every), rng)
        valid = validator.is_valid(spoilt)
        assert keeps_schema()(spoilt) == valid
        refused += not valid
    assert 10 < refused < 40
