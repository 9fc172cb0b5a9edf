"""What docs/cluster.md has to type and to apply is what works."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
import yaml

from bench.commands.cluster import WORKER, instructions
from bench.files import ROOT
from bench.testbed.processes.ports import HOST, free_port
from tests.clusters import Machines
from tests.in_process import Bench

PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


def documents() -> list[dict[str, Any]]:
    """What is to be applied to a Kubernetes."""
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return list(yaml.safe_load_all(found[1]))


def test_the_pods_have_what_they_need_and_their_commands_make_a_cluster(tmp_path: Path) -> None:
    service, *pods = documents()
    assert service["spec"]["selector"] == {"app": pods[0]["metadata"]["labels"]["app"]}
    port = free_port()
    with ExitStack() as ends:
        machines = Machines(f"tcp://{HOST}:{port}", tmp_path, ends)
        for pod in pods:
            (container,) = pod["spec"]["containers"]
            limits = container.get("resources", {})
            assert limits.get("requests") == limits.get("limits")
            words = [word.replace("tcp://bench-scheduler:8786", machines.url).replace("8786", str(port))
                     for word in container["command"]]  # fmt: skip
            assert words[:3] == [".venv/bin/python", "-m", "dask"]
            machines.dask(pod["metadata"]["name"], *words[3:], "--host", HOST)
        machines.wait_for("bench-server", "Registered to:")
        machines.wait_for("bench-load-1", "Registered to:")
        for process in machines.processes.values():
            process.ask_to_end()


def test_the_page_has_the_commands_that_the_bench_prints() -> None:
    printed = instructions("10.0.0.1")
    flat_page, flat_printed = (re.sub(r"\s*\\?\n\s*", " ", text) for text in (PAGE, printed))
    scheduler = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0 .venv/bin/python -m dask scheduler --host 10.0.0.1"
    for said in (
        f"--name server {WORKER} --resources server=1",
        f"--name load-1 {WORKER} --resources load=",
        scheduler,
    ):
        assert said in flat_page
        assert said in flat_printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["classic", "--cluster", "10.0.0.1:8786"], "'10.0.0.1:8786' is no scheduler; write it as tcp://10.0.0.1:8786"),
        (["classic", "--cluster", "tls://10.0.0.1:8786"], "with tls:// pass --cluster-ca, --cluster-cert and --clust"),
        (
            ["classic", "--cluster-ca", "README.md"],
            "--cluster-cert and --cluster-key belong to --cluster",
        ),
        (["load", "http://10.0.0.1/"], "10.0.0.1 is not this machine; a load may only be aimed at 127.0.0.0/8"),
        (["load", "http://10.0.0.1/", "--allow-host", "10.0.0.2"], "if it is yours, add --allow-host 10.0.0.1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(arguments: list[str], says: str, bench: Bench) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_scheduler_the_command_says_what_to_type(bench: Bench) -> None:
    done = bench("cluster")
    assert done.returncode == 0
    assert "--resources server=1" in done.stdout
    assert "Whoever reaches this scheduler can run code on all of these machines" in done.stdout
