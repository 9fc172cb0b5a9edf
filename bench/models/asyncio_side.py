"""The other ways to serve asyncio_app: other adapters, other servers for the bridge, other event loops."""

from bench.models.model import Model

MODELS: tuple[Model, ...] = ()
