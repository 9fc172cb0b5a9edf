"""What may be concluded from a run: statistics, validity, standings, differences, the verdict."""
