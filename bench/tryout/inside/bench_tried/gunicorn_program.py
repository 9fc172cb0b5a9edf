"""gunicorn, with the configuration of the application's owner, except for what would write files or leave processes.

A file's settings come from a file, a variable or the command line, and some of them the command line can set but not
unset; so they are set after all of these are read.
"""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.app.wsgiapp import WSGIApplication

# A setting that this version of gunicorn does not have is left out.
SETTLED: dict[str, Any] = {
    # would leave a process, or start a new one while requests are compared
    "daemon": False, "reload": False, "max_requests": 0,
    # would write into the application's folder, or into the home folder
    "pidfile": None, "control_socket_disable": True, "logconfig": None, "logconfig_dict": {}, "logconfig_json": None,
    # would answer nobody who speaks plain HTTP, or speak to other machines
    "certfile": None, "keyfile": None, "proxy_protocol": False, "statsd_host": None, "syslog": False,
    # would do something else than serve
    "check_config": False, "print_config": False, "spew": False,
}  # fmt: skip
TO_STANDARD_ERROR = "-"


class TriedApplication(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
    """The application of `gunicorn` itself, with these settings settled."""

    def load_config(self) -> None:
        """Called at the start; the configuration is complete after it."""
        super().load_config()
        known = self.cfg.settings
        for name, value in SETTLED.items():
            if name in known:
                self.cfg.set(name, value)
        for name in ("errorlog", "accesslog"):
            if known[name].get() is not None:
                self.cfg.set(name, TO_STANDARD_ERROR)


if __name__ == "__main__":
    sys.exit(TriedApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run())
