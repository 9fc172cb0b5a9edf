"""The questions put to the models, one file each; a scenario measures and never prints."""

from bench.scenarios import classic

SCENARIOS = {classic.NAME: classic}
