"""What is the highest rate that keeps a promise? A search by halves that is told whether a rate was kept."""

from dataclasses import dataclass


@dataclass
class Search:
    """Between nothing and a rate that is too high; every note halves what lies between."""

    high_rps: float
    kept_rps: float = 0.0
    """The highest rate that was kept so far; 0: none."""
    lowest_rps: float = float("inf")
    """The lowest rate that was tried."""

    @property
    def next_rps(self) -> float:
        """The rate to try now."""
        return (self.kept_rps + self.high_rps) / 2

    def note(self, *, kept: bool) -> None:
        """Whether the rate to try now was kept."""
        rate_rps = self.next_rps
        self.lowest_rps = min(self.lowest_rps, rate_rps)
        if kept:
            self.kept_rps = rate_rps
        else:
            self.high_rps = rate_rps
