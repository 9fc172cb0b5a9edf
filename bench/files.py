"""How is a file of a run written? Beside the old one and then put in its place: nobody ever reads half."""

import os
from contextlib import suppress
from pathlib import Path

from bench.errors import BenchError


def write_whole(path: Path, text: str) -> None:
    """Write the text as UTF-8; bytes of a path that are no UTF-8 stay as they are. Raises BenchError, naming the file.

    A file that cannot be written is left as it was.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8", errors="surrogateescape")
        os.replace(new, path)
        return
    except OSError as error:
        reason = error.strerror
        with suppress(OSError):  # what was written of it takes room on a full disk
            new.unlink()
    # Not in the handler above: then what was wrong before is this error's context, and the command line shows both.
    raise BenchError(f"cannot write {path}: {reason}; make room there or use another folder")
