"""The vectors hold Python and the page's scripts to the same results and sentences, and each sentence stands once."""

import ast
import json
import re
from pathlib import Path

from bench import prediction
from bench.prediction.page import SCRIPTS
from bench.prediction.sentences import TEMPLATES
from bench.prediction.vectors import vectors
from tests.prediction.examples import VECTORS, near

ROOM = Path(prediction.__file__).parent
WORDS = 4  # in a row, and it is a sentence


def test_the_vectors_are_what_the_model_says() -> None:
    near(json.loads(json.dumps(vectors())), json.loads(VECTORS.read_text()))


def test_the_vectors_have_every_sentence_of_the_table() -> None:
    assert {one["code"] for one in json.loads(VECTORS.read_text())["sentences"]} == set(TEMPLATES)


def test_no_script_of_the_page_has_a_sentence_of_its_own() -> None:
    found = {}
    for script in SCRIPTS:
        code = re.sub(r"/\*.*?\*/", "", script.read_text(), flags=re.DOTALL)
        quoted = re.findall(r'"([^"\n]*)"|`([^`]*)`', code)
        said = [text for both in quoted for text in both if len(re.findall(r"\b[a-zA-Z]+ ", text)) >= WORDS]
        if said and script.stem != "data":
            found[script.name] = said
    assert not found


def test_no_module_of_the_prediction_has_a_sentence_of_the_table() -> None:
    pieces = {
        piece.strip()
        for text in TEMPLATES.values()
        for piece in re.split(r"\{[^}]*\}", text)
        if piece.count(" ") >= WORDS
    }
    assert len(pieces) > len(TEMPLATES) / 2
    for path in [*ROOM.rglob("*.py"), ROOM.parent / "report" / "terminal" / "decide.py"]:
        assert not [piece for piece in pieces if piece in path.read_text()]


def test_the_prediction_imports_no_report_and_no_command() -> None:
    for path in ROOM.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [name for name in modules if name.startswith(("bench.report", "bench.commands"))]
