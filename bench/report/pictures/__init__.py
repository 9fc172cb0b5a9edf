"""Which pictures are there of a run that stand by themselves, as in a README? Each is a file of its own, named after
what it shows, with a function from what was judged to a picture, or to None where the run has nothing to show.

They are SVG from templates: text as text in the system's fonts, a title and a description, no scripts, in the colours
of the page. A picture is for a reader who has nothing else, so it says in words what it shows, and no colour stands
alone.
"""

from collections.abc import Iterable

from bench.judging import Judged
from bench.report.pictures import layers, memory, pairs, waits, waves
from bench.report.pictures.picture import SCHEMES, Picture, svg

__all__ = ["SCHEMES", "Picture", "pictures", "svg"]

# In the order in which a reader meets them.
DRAWN = (waits.picture, pairs.picture, layers.picture, memory.picture, waves.picture)


def pictures(runs: Iterable[Judged]) -> list[Picture]:
    """The pictures of these runs together, each from the first run that has something to show."""
    runs = tuple(runs)
    found = (next(filter(None, map(draw, runs)), None) for draw in DRAWN)
    return [picture for picture in found if picture]
