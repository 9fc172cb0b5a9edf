"""Which requests does a recorded browser session hold? The GETs of its first host, from a HAR file.

A HAR file holds the cookies and tokens of whoever recorded it (https://www.authelia.com/reference/guides/http-archive-file/
lists where). None of them is sent again: of the headers only those are kept that choose between representations.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bench.errors import BenchError
from bench.tryout.script import Headers, Script, Sent, asked_of, named_apart, wrong_path
from bench.tryout.template import literal

__all__ = ["script_of_har"]

KEPT_HEADERS = ("accept", "accept-language", "x-requested-with", "hx-request", "hx-target", "hx-boosted")
# What browsers fetch beside a page; it is the same under every model, and would be most of a session.
STATIC_TYPES = ("image/", "font/", "audio/", "video/", "text/css", "text/javascript", "application/javascript",
                "application/x-javascript", "application/font", "application/x-font")  # fmt: skip


def script_of_har(file: Path) -> Script:
    """Its GETs, each once, without style sheets, scripts, fonts and pictures. Raises BenchError."""
    found: dict[str, Sent] = {}
    host = ""
    for entry in entries_of(file):
        request = entry["request"]
        url = split(request.get("url"))
        if url is None or not url.netloc:
            continue
        host = host or url.netloc
        if request.get("method") == "GET" and url.netloc == host and not is_static(entry):
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            if not wrong_path(path):
                found.setdefault(path, Sent(path=literal(path), headers=kept_headers(request)))
    if not found:
        raise BenchError(f"{file} holds no GET of {host or 'any host'} that a page or an answer came from; record one")
    return Script(requests=named_apart(asked_of(sent) for sent in found.values()))


def entries_of(file: Path) -> list[Mapping[str, Any]]:
    """What was recorded. Raises BenchError if that is no HAR file."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8-sig"))["log"]["entries"]
    except OSError as error:
        raise BenchError(f"cannot read {file}: {error.strerror}; give the path of a HAR file") from None
    except (ValueError, LookupError, TypeError):
        raise no_har(file) from None
    if not isinstance(entries, list) or not all(is_entry(entry) for entry in entries):
        raise no_har(file)
    return entries


def is_entry(entry: Any) -> bool:
    """Whether it holds a request."""
    return isinstance(entry, dict) and isinstance(entry.get("request"), dict)


def no_har(file: Path) -> BenchError:
    """The error for a file of another kind."""
    return BenchError(f"{file} is no HAR file; save one in the browser's network tools with 'Save all as HAR'")


def split(url: Any) -> SplitResult | None:
    """A URL of HTTP in its parts; None for any other."""
    try:
        parts = urlsplit(url)
    except (ValueError, AttributeError):
        return None
    return parts if isinstance(url, str) and parts.scheme in ("http", "https") else None


def is_static(entry: Mapping[str, Any]) -> bool:
    """Whether its answer was a style sheet, a script, a font or a picture, or no answer of HTTP at all."""
    response = entry.get("response")
    if not isinstance(response, dict):
        return False
    content = response.get("content")
    kind = str(content.get("mimeType") or "") if isinstance(content, dict) else ""
    return kind.lower().startswith(STATIC_TYPES) or response.get("status") == 101


def kept_headers(request: Mapping[str, Any]) -> Headers:
    """Of its headers, those that choose between representations."""
    headers = request.get("headers")
    pairs = [(one.get("name"), one.get("value")) for one in headers or () if isinstance(one, dict)]
    return tuple({str(name).lower(): (str(name), literal(str(value))) for name, value in pairs
                  if str(name).lower() in KEPT_HEADERS}.values())  # fmt: skip
