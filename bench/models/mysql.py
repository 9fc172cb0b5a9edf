"""The same three situations on MariaDB or MySQL."""

from bench.models.model import Model

MODELS: tuple[Model, ...] = ()
