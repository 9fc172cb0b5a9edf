"""How do megabytes fit into one page? They are compressed and written as text; the browser unpacks them when needed."""

import base64
import gzip
import hashlib
import importlib.util
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.results import Run

# What a load, slices of load, and a fault have for each request.
SAMPLES = ("raw", "responses_us", "services_us", "sent_s", "took_s", "outcome")
# The results may take so much of the page's 6 MB; the charting library and the page itself take the rest.
RAW_LIMIT_BYTES = 2_500_000


def packed(content: bytes) -> str:
    """The content compressed, always to the same bytes, and written as text."""
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


@cache
def plotly_script() -> bytes:
    """The charting library as its Python package ships it. Raises BenchError without the package."""
    spec = importlib.util.find_spec("plotly")
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise BenchError("the package plotly is missing, which draws the page's charts; run make bench")
    return path.read_bytes()


@cache
def packed_plotly() -> str:
    """The library, packed."""
    return packed(plotly_script())


def packed_results(run: Run) -> tuple[str, bool]:
    """The results file, packed, and whether it is whole: without each request's own times if it would be too large."""
    whole = packed(results(run, whole=True))
    if len(whole) <= RAW_LIMIT_BYTES:
        return whole, True
    return packed(results(run, whole=False)), False


def results(run: Run, *, whole: bool) -> bytes:
    """The results file as it would be written."""
    content = run.content()
    return json.dumps(content if whole else without_samples(content), ensure_ascii=False).encode()


def without_samples(content: Any) -> Any:
    """The same without what a load has for each request; a slice keeps an empty list."""
    if isinstance(content, dict):
        return {
            name: emptied(value) if name in SAMPLES and isinstance(value, list | tuple) else without_samples(value)
            for name, value in content.items()
        }
    return [without_samples(value) for value in content] if isinstance(content, list | tuple) else content


def emptied(samples: Sequence[Any]) -> list[Any]:
    """No samples, or none in each of the slices."""
    return [[] for one in samples if isinstance(one, list | tuple)]


def script_hash(script: str | bytes) -> str:
    """The hash by which a content security policy lets a script run."""
    content = script.encode() if isinstance(script, str) else script
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"
