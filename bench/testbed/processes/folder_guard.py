"""Makes a folder, says where it is, and removes it as soon as nobody holds the other end of its standard input.

The bench holds it, and so does the guard of every process that works in the folder: the folder goes when the last of
them has ended, however that happened. It is run as a script, without site-packages, as `guard.py` is.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile


def main() -> None:
    """The folder's prefix and, if it is not to be the system's for temporary files, its parent are the arguments."""
    prefix, parent = sys.argv[1:]
    try:
        folder = tempfile.mkdtemp(prefix=prefix, dir=parent or None)
    except OSError as error:
        answer({"error": str(error)})
        return
    answer({"folder": folder})
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)


def answer(content: dict[str, str]) -> None:
    """Tell the bench, which may be gone already."""
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(content).encode() + b"\n")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    main()
