"""Where are the project's files, and how is a file of a run written, so that nobody ever reads half of it?"""

import os
from contextlib import suppress
from pathlib import Path

from bench.errors import BenchError

ROOT = Path(__file__).resolve().parents[1]  # the folder that holds `bench`, and both apps beside it


def write_whole(path: Path, text: str) -> None:
    """Write the text as UTF-8, as `write_bytes_whole` does. Bytes of a path that are no UTF-8 stay as they are."""
    write_bytes_whole(path, text.encode("utf-8", "surrogateescape"))


def write_bytes_whole(path: Path, content: bytes) -> None:
    """Write the bytes beside the old file and then in its place. Raises BenchError, naming the file.

    A file that cannot be written is left as it was.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_bytes(content)
        os.replace(new, path)
        return
    except OSError as error:
        reason = error.strerror
        with suppress(OSError):  # a half-written file would take room on a full disk
            new.unlink()
    # Raised outside the handler, so that its context is any error from before, which the command line shows too.
    raise BenchError(f"cannot write {path}: {reason}; make room there or use another folder")
