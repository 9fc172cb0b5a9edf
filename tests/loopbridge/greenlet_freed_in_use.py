"""A segmentation fault of greenlet alone, as of 3.5.6 on CPython 3.10 to 3.13: what `keep_main_greenlet` works round.

A thread ends while a collection runs, and the traceback being collected holds a frame that refers to the thread's main
greenlet. greenlet, cleaning up after the thread, asks `gc.get_referrers()` who still refers to it. Nobody is found,
since what is being collected is in none of the lists that are searched, and greenlet drops the frame's reference.

Prints "freed" if that happens, as it does in nearly every run; the interpreter then soon crashes. With "keep" as
argument a second reference is there, and it prints "alive".
"""

import gc
import os
import sys
import threading
import time
import weakref
from typing import Any

import greenlet


class EndsTheThread:
    """Garbage, with the exception in it, whose finalizer waits for the thread."""

    error: BaseException

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        leave.set()
        thread.join()
        end = time.monotonic() + 1
        while not freed and time.monotonic() < end:  # here the main thread cleans up after the one that ended
            pass
        print("freed" if freed else "alive", flush=True)
        os._exit(0)


def fail() -> None:
    here = greenlet.getcurrent()
    kept.extend([here] * (sys.argv[1:] == ["keep"]))
    observers.append(weakref.ref(here, freed.append))
    raise ValueError


def work() -> None:
    try:
        fail()
    except ValueError as error:
        garbage[0].error = error
    ready.set()
    leave.wait()


gc.disable()
kept: list[Any] = []
observers: list[Any] = []
freed: list[Any] = []
garbage = [EndsTheThread()]
ready, leave = threading.Event(), threading.Event()
thread = threading.Thread(target=work)
thread.start()
ready.wait()
garbage.clear()
gc.collect()
