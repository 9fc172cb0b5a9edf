"""The variables of an application's processes: from the shell, a file and the command line, in this order."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.tryout.variables import environment_from

LINES = [
    ("A=1", "1"),
    ("A = spaced ", "spaced"),
    ("export A=exported", "exported"),
    ("A=", ""),
    ("A=value # a comment", "value"),
    ("A=no#comment", "no#comment"),
    ("A= # only a comment", ""),
    ("A='single $HOME \\n # kept'", "single $HOME \\n # kept"),
    ('A="two\\nlines" # a comment', "two\nlines"),
    ('A="a \\"quoted\\" word"', 'a "quoted" word'),
    ("A=postgresql://u:p=w@host/db?sslmode=require", "postgresql://u:p=w@host/db?sslmode=require"),
]
WRONG = [("A", "not NAME=VALUE"), ("1A=x", "not NAME=VALUE"), ("A='open", "quote"), ('A="closed" more', "quote")]


@pytest.mark.parametrize(("line", "value"), LINES)
def test_a_line_of_the_file_gives_its_value(line: str, value: str, tmp_path: Path) -> None:
    file = tmp_path / "variables"
    file.write_text(f"# a comment\n\n{line}\n", encoding="utf-8")
    assert environment_from([], file)["A"] == value


@pytest.mark.parametrize(("line", "what"), WRONG)
def test_a_wrong_line_is_named_and_its_value_is_not(line: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "variables"
    file.write_text(f"B=1\n{line.replace('x', 'secret')}\n", encoding="utf-8")
    with pytest.raises(BenchError, match=rf"line 2: .*{what}") as raised:
        environment_from([], file)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot read --env-file .*nowhere: No such file"):
        environment_from([], tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["A", "=1", "A B=1", "1=1"])
def test_an_option_must_be_a_name_and_a_value(text: str) -> None:
    with pytest.raises(BenchError, match="--env needs NAME=VALUE"):
        environment_from([text], None)


def test_the_option_comes_before_the_file_and_the_file_before_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLASK_A", "FLASK_B", "FLASK_C"):
        monkeypatch.setenv(name, "shell")
    file = tmp_path / "variables"
    file.write_text("FLASK_B=file\nFLASK_C=file\n", encoding="utf-8")
    found = environment_from(["FLASK_C=option=1"], file)
    assert [found[f"FLASK_{letter}"] for letter in "ABC"] == ["shell", "file", "option=1"]
