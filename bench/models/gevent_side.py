"""The other ways to serve gevent_app: other servers, worker classes and drivers, the app unchanged."""

from bench.models.model import Model

MODELS: tuple[Model, ...] = ()
