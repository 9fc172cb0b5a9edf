"""Virtual environments that have what a test gives them and no more, and an index for pip that needs no network."""

import base64
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

FLASK = ("flask", "werkzeug", "jinja2", "markupsafe", "click", "blinker", "itsdangerous")
SERVERS = (
    "gunicorn",
    "gevent",
    "greenlet",
    "uvicorn",
    "asgiref",
    "packaging",
    "h11",
    "click",
    "zope.event",
    "zope.interface",
)


def environment(folder: Path, distributions: Iterable[str] = FLASK) -> Path:
    """A virtual environment with copies of these distributions of our own; gives its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in distributions:
        for file in files_of(name):
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(metadata.distribution(name).locate_file(file), target)
    return folder / "bin" / "python"


def files_of(name: str) -> list[str]:
    """The files of a distribution beneath site-packages, without compiled ones and scripts."""
    found = metadata.files(name) or []
    return [str(file) for file in found if file.suffix != ".pyc" and not str(file).startswith("..")]


def index(folder: Path, distributions: Iterable[str] = SERVERS) -> Path:
    """A folder of wheels that pip installs from, made of our own distributions."""
    folder.mkdir()
    for name in distributions:
        wheel(folder, name)
    return folder


def wheel(folder: Path, name: str) -> None:
    """The wheel that a distribution may have been installed from."""
    found = metadata.distribution(name)
    tag = next(line.removeprefix("Tag: ") for line in (found.read_text("WHEEL") or "").splitlines() if "Tag:" in line)
    file = folder / f"{found.metadata['Name'].replace('-', '_').replace('.', '_')}-{found.version}-{tag}.whl"
    rows = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for each in files_of(name):
            if each.endswith(("/RECORD", "/INSTALLER", "/REQUESTED", "/direct_url.json")):
                record = each.rpartition("/")[0] + "/RECORD"
                continue
            content = Path(str(found.locate_file(each))).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append((each, f"sha256={digest}", str(len(content))))
            archive.writestr(each, content)
        lines = io.StringIO()
        csv.writer(lines).writerows([*rows, (record, "", "")])
        archive.writestr(record, lines.getvalue())


def digests(*folders: Path) -> dict[str, str]:
    """Every file, link and folder below, with what it is."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                found[str(path)] = os.readlink(path)
            elif path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[str(path)] = "folder"
    return found
