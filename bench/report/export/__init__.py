"""A run for other programs: CSV, JSON, Markdown."""
