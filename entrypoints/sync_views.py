"""An unchanged synchronous application in the bridge: each view in a thread, or, which is a trap, all on the loop.

The second is meant for views that never block. Those of gevent_app do, without gevent: `time.sleep` and psycopg2 keep
the event loop, and with it every other request, until they return.
"""

from gevent_app import create_app
from loopbridge import LoopBridge

threaded = LoopBridge(create_app())
inline = LoopBridge(create_app(), sync_views="inline")
