"""What does something look like meanwhile? A look at once, and then again and again, while something else goes on."""

import threading
from collections.abc import Callable


class Looking:
    """Calls `look` in a thread of its own, at once and then every so many seconds, from `start()` to `stop()`."""

    def __init__(self, look: Callable[[], None], every_s: float) -> None:
        self.look = look
        self.every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_until_ended, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look under way is waited for."""
        self._ended.set()
        self._thread.join()

    def _look_until_ended(self) -> None:
        self.look()
        while not self._ended.wait(self.every_s):
            self.look()
