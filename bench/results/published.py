"""Which file of a run is one to keep beside the code? The whole run, compressed, without the folders of its machine.

Compressed it has a sixth of the bytes, and every command that reads a run reads it as it is.
"""

import json
import lzma
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.files import write_bytes_whole
from bench.results.file import COMPRESSED
from bench.results.run import Run

# Two folders or more and a name: the interpreter of a command line, a log, the files of a traceback; no endpoint, and
# no part of an address.
PATH = re.compile(r"(?<![\w/:.])/(?:[\w.+@-]+/){2,}([\w.+-]+)")


def write_published(run: Run, folder: Path) -> Path:
    """Write the run into the folder, under the name of the command that measured it. Raises BenchError."""
    path = folder / published_name(run)
    text = json.dumps(without_folders(run.content()), ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes_whole(path, lzma.compress(text.encode()))
    return path


def published_name(run: Run) -> str:
    """`all.json.xz`, after the command that measured the run. Raises BenchError for a run that does not say which."""
    command = run.arguments.get("command")
    if not isinstance(command, str) or not command.isidentifier():
        raise BenchError(f"{run.path} does not say which command measured it; measure again")
    return f"{command}.json{COMPRESSED}"


def without_folders(content: Any) -> Any:
    """The same with the last part of each path in place of the whole."""
    if isinstance(content, str):
        return PATH.sub(r"\1", content)
    if isinstance(content, Mapping):
        return {name: without_folders(value) for name, value in content.items()}
    return [without_folders(value) for value in content] if isinstance(content, list | tuple) else content
