"""How several names stand in a sentence."""

from collections.abc import Sequence


def join(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
