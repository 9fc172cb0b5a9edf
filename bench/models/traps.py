"""Configurations that look concurrent and are not, or that break under load: only bench/traps.py wants them."""

from bench.models.model import Model

MODELS: tuple[Model, ...] = ()
