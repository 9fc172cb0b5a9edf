"""What is timed inside a server's process: from the call of the application to the end of its answer, once each."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from bench.tryout.inside.bench_tried.timing import TimedASGI, TimedWSGI, Timings

NAP_S = 0.05


class Streamed:
    """A body that takes its time, and knows whether it was closed."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"
        time.sleep(NAP_S)
        yield b"b"

    def close(self) -> None:
        self.closed = True


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_streamed_body_is_timed_to_its_end_and_closed(tmp_path: Path) -> None:
    file, streamed = tmp_path / "timings", Streamed()
    body = TimedWSGI(lambda environ, start: streamed, Timings(str(file)))({"PATH_INFO": "/a"}, None)
    assert not file.exists()
    assert [*body] == [b"a", b"b"]
    body.close()
    assert streamed.closed
    (line,) = lines(file)
    assert line["path"] == "/a"
    assert line["wall_s"] >= NAP_S > line["cpu_s"]
    assert file.stat().st_mode & 0o077 == 0


def test_an_application_that_raises_is_timed_and_its_error_passes(tmp_path: Path) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        raise KeyError("theirs")

    file = tmp_path / "timings"
    with pytest.raises(KeyError, match="theirs"):
        TimedWSGI(app, Timings(str(file)))({"PATH_INFO": "/"}, None)
    assert len(lines(file)) == 1


def test_a_file_that_the_server_sends_by_itself_is_left_to_it(tmp_path: Path) -> None:
    file = tmp_path / "timings"
    with open(__file__, "rb") as opened:
        wrapped = FileWrapper(opened)
        environ = {"PATH_INFO": "/", "wsgi.file_wrapper": FileWrapper}
        assert TimedWSGI(lambda environ, start: wrapped, Timings(str(file)))(environ, None) is wrapped
    assert len(lines(file)) == 1


def test_a_file_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    body = TimedWSGI(lambda environ, start: [b"a"], Timings(str(tmp_path / "nowhere" / "timings")))({}, None)
    assert [*body] == [b"a"]
    body.close()


def test_of_an_asgi_application_requests_are_timed_and_nothing_else(tmp_path: Path) -> None:
    heard = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope["type"])
        await asyncio.sleep(NAP_S)

    file = tmp_path / "timings"
    timed = TimedASGI(app, Timings(str(file)))
    for scope in ({"type": "lifespan"}, {"type": "http", "path": "/a"}, {"type": "websocket", "path": "/b"}):
        asyncio.run(timed(scope, None, None))
    assert heard == ["lifespan", "http", "websocket"]
    (line,) = lines(file)
    assert line["path"] == "/a"
    assert line["wall_s"] >= NAP_S
