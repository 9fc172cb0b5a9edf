"""The errors that end a command with one line instead of a traceback."""


class BenchError(Exception):
    """Something the user can put right; the message says what is wrong and what to do."""
