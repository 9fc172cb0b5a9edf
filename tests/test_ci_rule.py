"""Where CI=true, a skipped test is a failed one: what is missing there was to be installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SKIPPING = """
import pytest

def test_skips():
    pytest.skip("no MariaDB")

@pytest.mark.skipif(True, reason="no /proc")
def test_is_skipped():
    pass

@pytest.mark.xfail
def test_is_expected_to_fail():
    assert False

def test_passes():
    pass
"""


def outcome(folder: Path, ci: str) -> str:
    """How pytest with this suite's conftest.py ends in that folder."""
    environment = {**os.environ, "CI": ci, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-q", "--continue-on-collection-errors", str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("ci", "counts"),
    [
        ("", "1 passed, 3 skipped, 1 xfailed"),
        ("true", "1 failed, 1 passed, 1 xfailed, 2 errors"),
    ],
)
def test_what_is_skipped_fails_where_all_must_be_there(ci: str, counts: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(SKIPPING)
    (tmp_path / "test_file.py").write_text("import pytest\npytest.skip('as a whole', allow_module_level=True)\n")
    output = outcome(tmp_path, ci)
    assert counts in output, output
    for reason in ("no MariaDB", "no /proc", "as a whole"):
        assert (f"with CI=true nothing may be skipped. Skipped: {reason}" in output) == bool(ci)
