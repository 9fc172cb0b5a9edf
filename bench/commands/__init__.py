"""The commands, a file for each kind: to measure, to look, to load."""
