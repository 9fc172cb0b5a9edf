"""A gunicorn configuration for its gevent worker: after each answer, others go first.

gevent's sockets try to read before they wait. A client behind a fast proxy has sent its next request by the time that
its last one is answered, so its greenlet goes on without giving way, and takes a database connection before those that
wait for one have woken up. Giving way shortens the longest waits; it does not end the race for connections, in which
the one that has just given its own back may still be first. The hook is described at
https://docs.gunicorn.org/en/stable/settings.html#post-request.
"""

from typing import Any

import gevent


def post_request(worker: Any, request: Any, environ: dict[str, Any], response: Any) -> None:
    """Called by gunicorn when an answer has been sent."""
    gevent.sleep(0)
