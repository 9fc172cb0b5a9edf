"""The bench: starts every model for real, measures it, and says what may be concluded."""
