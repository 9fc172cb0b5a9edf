"""A cluster that lets in nobody without a certificate of its authority."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from bench.files import ROOT
from bench.results import load_run
from tests.clusters import Machines, on_loopback

LIMIT_S = 300


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, of a certificate by it, and of its key."""

    authority: Path
    certificate: Path
    key: Path

    def options(self, prefix: str) -> list[str]:
        """As a command line takes them."""
        return [f"--{prefix}-ca{'-file' if prefix == 'tls' else ''}", str(self.authority),
                f"--{prefix}-cert", str(self.certificate), f"--{prefix}-key", str(self.key)]  # fmt: skip


def certificates(folder: Path) -> Certificates:
    """Those of a new authority."""
    folder.mkdir()
    authority = trustme.CA()
    one = authority.issue_cert("127.0.0.1", "127.0.0.3", "127.0.0.4", "localhost")
    found = Certificates(folder / "ca.pem", folder / "one.pem", folder / "one.key")
    authority.cert_pem.write_to_path(found.authority)
    one.private_key_pem.write_to_path(found.key)
    one.cert_chain_pems[0].write_to_path(found.certificate)
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """What all who take part have."""
    return certificates(tmp_path_factory.mktemp("certificates") / "known")


@pytest.fixture(scope="module")
def machines(known: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with on_loopback(tmp_path_factory.mktemp("machines"), loads=1, certified=known.options("tls")) as ready:
        yield ready


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of the bench, which has to end by itself."""
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=LIMIT_S)  # fmt: skip


def test_a_run_over_tls_is_one_like_any_other_and_nothing_is_warned_of(
    machines: Machines, known: Certificates, tmp_path: Path
) -> None:
    done = bench("throughput", "--models", "gevent", "--generations", "1", "--cycles", "2", "--budget-s", "0", "--out",
                 str(tmp_path / "run"), "--cluster", machines.url, *known.options("cluster"))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "runs code for whoever reaches it" not in done.stderr
    run = load_run(tmp_path / "run")
    assert run.environment["machines"].keys() == {"server", "load lab-load-1"}
    assert {one.state for cell in run.cells.values() for one in cell.observations} <= {"VALID", "UNSTABLE"}


def test_whoever_has_no_certificate_or_one_of_another_authority_is_told_so_and_ends(
    machines: Machines, known: Certificates, tmp_path: Path
) -> None:
    port, strange = machines.url.rpartition(":")[2], certificates(tmp_path / "strange")
    own = machines.url, *known.options("cluster")
    for given, reason in (
        ([machines.url], "with tls:// pass --cluster-ca, --cluster-cert and --cluster-key"),
        ([f"tcp://127.0.0.1:{port}"], "there is no Dask scheduler at tcp://"),
        ([machines.url, *strange.options("cluster")], "there is no Dask scheduler at tls://"),
        ([*own[:-1], str(strange.key)], "there is no Dask scheduler at tls://"),
        ([*own[:-1], str(known.certificate)], "there is no Dask scheduler at tls://"),
    ):
        done = bench("cluster", "--cluster", *given)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert reason in done.stderr
