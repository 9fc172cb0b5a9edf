"""A run that was killed goes on where it stopped, and only under the same circumstances."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ARGUMENTS = ("throughput", "--generations", "2", "--cycles", "2", "--slice-s", "0.02", "--models", "asyncio-bridge")


def start(folder: Path, *more: str) -> "subprocess.Popen[str]":
    """The bench in that folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *ARGUMENTS, *more], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def saved(folder: Path) -> dict[str, Any]:
    """The results file, empty before there is one."""
    path = folder / "run" / "results.json"
    text = path.read_text() if path.exists() else ""  # empty when it is begun
    found: dict[str, Any] = json.loads(text) if text else {"steps_done": []}
    return found


def test_a_killed_run_is_resumed_without_measuring_anything_twice(tmp_path: Path) -> None:
    bench = start(tmp_path, "--seed", "5", "--out", "run")
    try:
        deadline = time.monotonic() + 60
        while not saved(tmp_path)["steps_done"]:
            assert bench.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        bench.send_signal(signal.SIGKILL)
        bench.communicate()
    before = saved(tmp_path)
    assert len(before["steps_done"]) == 1

    refused = start(tmp_path, "--connections", "32", "--resume", "run")
    output, errors = refused.communicate(timeout=60)
    assert (refused.returncode, output) == (2, "")
    assert errors == (
        "bench: cannot go on with run, other options were given for it: --connections was 16 and is 32; to go on: "
        "python -m bench throughput --models asyncio-bridge --seed 5 --generations 2 --cycles 2 --slice-s 0.02 "
        "--resume run\n"
    )
    assert saved(tmp_path) == before

    resumed = start(tmp_path, "--resume", "run")
    output, errors = resumed.communicate(timeout=120)
    assert (resumed.returncode, errors) == (0, "")
    after = saved(tmp_path)
    assert after["steps_done"][: len(before["steps_done"])] == before["steps_done"]
    assert len(after["steps_done"]) == 2
    assert after["seed"] == 5
    for cell in after["cells"]:
        assert sorted(round_["round"] for round_ in cell["observations"]) == [0, 1]
    kept = {(cell["model"], cell["workload"]["name"]): cell["observations"] for cell in after["cells"]}
    for cell in before["cells"]:
        assert kept[cell["model"], cell["workload"]["name"]][: len(cell["observations"])] == cell["observations"]
