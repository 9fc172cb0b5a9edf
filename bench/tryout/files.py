"""Which files does a way to serve need beside the application? Each is what a reader would write, and no more."""

from bench.tryout.app import App
from bench.tryout.configuration import configuration

PSYCOGREEN = '''\
"""gunicorn's configuration: psycopg2 gives way to other requests while it waits."""

{importing}from psycogreen.gevent import patch_psycopg
{theirs}

def post_fork(server, worker):
    patch_psycopg(){then}
'''
THEIRS = """
__file__ = os.path.abspath("{file}")
with open(__file__) as file:
    exec(compile(file.read(), __file__, "exec"))
their_post_fork = globals().get("post_fork")
"""
IN_MODULE = """
import {module} as theirs

globals().update({{name: value for name, value in vars(theirs).items() if not name.startswith("_")}})
their_post_fork = globals().get("post_fork")
"""
THEN = """
    if their_post_fork:
        their_post_fork(server, worker)"""
BRIDGE = '''\
"""The application on an event loop; the package loopbridge is a folder of the bench's repository, to be copied."""

from {module} import {name} as {imported}

from loopbridge import LoopBridge

app = LoopBridge({made}{options})
'''
ADAPTER = '''\
"""The application on an event loop, as Flask's documentation has it."""

from asgiref.wsgi import WsgiToAsgi
from {module} import {name} as {imported}

asgi_app = WsgiToAsgi({made})
'''
MADE = '''\
"""The application, made."""

from {module} import {name}

app = {made}
'''


def psycogreen_file(app: App) -> str:
    """gunicorn's configuration for psycogreen, which goes on with the application's own, if it has one."""
    file = configuration(app.folder, app.environment)
    if not file:
        return PSYCOGREEN.format(importing="", theirs="", then="")
    if file.startswith("python:"):
        module = file.removeprefix("python:")
        return PSYCOGREEN.format(importing="", theirs=IN_MODULE.format(module=module), then=THEN)
    return PSYCOGREEN.format(
        importing="import os\n\n", theirs=THEIRS.format(file=file.removeprefix("file:")), then=THEN
    )


def module_file(template: str, app: App, options: str = "") -> str:
    """A module that imports the application and mounts it."""
    module, name, call = split(app.target)
    imported = name if call else "wsgi_app"
    importing = {"module": module, "name": name, "imported": imported, "options": options}
    text = template.format(**importing, made=f"{imported}{call}")
    return text.replace(f"import {name} as {name}\n", f"import {name}\n")


def split(target: str) -> tuple[str, str, str]:
    """Module, name, and the call behind it: `shop`, `create_app`, `("test")`."""
    module, _, expression = target.partition(":")
    name, bracket, rest = (expression or "application").partition("(")
    return module, name.strip(), bracket + rest
