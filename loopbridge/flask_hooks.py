"""Which two methods of a Flask object does the bridge replace, and what do they do inside a request of its own?

`async_to_sync` is where Flask calls a coroutine function, and `request_context` is what it calls first for a
request, where the view decides on which thread the request runs. Outside the bridge both do what they did. Source:
"Using async and await" in Flask's documentation (https://flask.palletsprojects.com/en/stable/async-await/).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from loopbridge.exchange import KEY, current_exchange
from loopbridge.greenlets import RequestGreenlet, drive, on_loop, step


class NeedsThread(BaseException):
    """The view is synchronous: leave the loop's thread, before Flask has begun with the request."""


def is_flask(app: object) -> bool:
    return hasattr(app, "async_to_sync") and hasattr(app, "request_context")


def replace_hooks(app: Any) -> None:
    """Replace both methods, once for each Flask object, however many bridges serve it."""
    if hasattr(app, "loop_bridged"):
        return
    original, request_context = app.async_to_sync, app.request_context

    def async_to_sync(func: Callable[..., Any]) -> Callable[..., Any]:
        return _synchronous(func, original)

    def placed_request_context(environ: dict[str, Any]) -> Any:
        context = request_context(environ)  # nothing is pushed, opened or called yet, so it can be dropped
        exchange = environ.get(KEY)
        if exchange is not None and exchange.may_move:
            exchange.may_move = False
            try:
                context.match_request()
                rule = context.request.url_rule
                stay = rule is not None and _is_async(app.view_functions[rule.endpoint], environ["REQUEST_METHOD"])
            except Exception:  # a URL converter may need the session, which is opened later
                stay = False
            if not stay:
                raise NeedsThread
            context.match_request = _matched
        return context

    app.async_to_sync, app.request_context, app.loop_bridged = async_to_sync, placed_request_context, True


def _matched() -> None:
    """Does nothing, in place of matching the same URL again when the context is pushed, which takes 5 µs."""


@functools.lru_cache(maxsize=1024)
def _is_async(view: Callable[..., Any], method: str) -> bool:
    handlers = [view]
    if (owner := getattr(view, "view_class", None)) is not None:
        name = "get" if method == "HEAD" and not hasattr(owner, "head") else method.lower()
        handlers = [owner.dispatch_request, getattr(owner, name, view)]
    return any(inspect.iscoroutinefunction(inspect.unwrap(handler)) for handler in handlers)


def _synchronous(func: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine function as synchronous code may call it, wherever that runs."""

    def call(*args: Any, **kwargs: Any) -> Any:
        here = getcurrent()
        if type(here) is RequestGreenlet:
            return step(func(*args, **kwargs))
        exchange = current_exchange.get(None)
        if exchange is None or on_loop():  # not in the bridge, or in another task, which cannot be switched out
            return original(func)(*args, **kwargs)
        context = here.gr_context
        return exchange.from_thread(lambda: drive(functools.partial(step, func(*args, **kwargs)), context))

    return call
