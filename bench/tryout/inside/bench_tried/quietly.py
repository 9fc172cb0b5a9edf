"""How does the probe read and write a few bytes without giving up the GIL?

`os.read` and `os.write` give it up. The thread that looks would then wait for it at a place where it does not look, and
miss what the application has kept the GIL for meanwhile. Through `ctypes.PyDLL` it is kept:
https://docs.python.org/3/library/ctypes.html#ctypes.PyDLL
"""

from __future__ import annotations

import os

try:
    import ctypes

    _library = ctypes.PyDLL(None, use_errno=True)
    _pread, _write = _library.pread, _library.write
    _pread.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
    _write.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
    _pread.restype = _write.restype = ctypes.c_ssize_t
except (ImportError, AttributeError, OSError, TypeError):  # an interpreter without it, or another system
    _library = None  # type: ignore[assignment]


def pread(file: int, length: int) -> bytes:
    """So many bytes at most from the beginning of an open file."""
    if _library is None:
        return os.pread(file, length, 0)
    buffer = ctypes.create_string_buffer(length)
    read: int = _pread(file, buffer, length, 0)
    return buffer.raw[: max(0, read)]


def write(file: int, content: bytes) -> None:
    """All the bytes, in one piece."""
    if _library is None or _write(file, content, len(content)) < 0:
        os.write(file, content)
