"""What people would pick instead, and other async database stacks: same contract, a file each in reference_apps/."""

from bench.models.model import Model

MODELS: tuple[Model, ...] = ()
