"""Until when may what was started for a bench go on? As long as the bench is heard of, and some seconds more."""

import threading
import time
from collections.abc import Callable

__all__ = ["Lease"]

LOOK_S = 0.5


class Lease:
    """Calls `expired` once, in a thread of its own, when nobody has renewed the lease for so long."""

    def __init__(self, for_s: float, expired: Callable[[], None]) -> None:
        self.for_s = for_s
        self.expired = expired
        self.renewed = time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="lease", daemon=True).start()

    def renew(self) -> None:
        """The bench has been heard of."""
        self.renewed = time.monotonic()

    def end(self) -> None:
        """Nothing is left to be ended."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            if time.monotonic() - self.renewed > self.for_s:
                self.expired()
                return
