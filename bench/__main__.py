"""`python -m bench`, which Ctrl-C and `kill` end in one line from its first import on."""

import os
import signal
from types import FrameType
from typing import NoReturn


def run() -> NoReturn:
    """The command line. Its imports take about a second."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is usual:  # else whoever started this wants it ignored
            signal.signal(number, end)
    from bench.cli import main

    main()


def end(number: int, frame: FrameType | None) -> NoReturn:
    """End at once: an exception here could get lost in a module that is being imported."""
    os.write(2, b"bench: interrupted before it began; nothing was started\n")
    os._exit(128 + number)


if __name__ == "__main__":
    run()
