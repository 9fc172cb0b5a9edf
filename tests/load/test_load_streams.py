"""Every event of every stream is timed once, and a stream that ends otherwise than it should is an error."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop

from bench.load import ErrorCounts, Generator, GeneratorError, StreamJob, StreamResult
from bench.load.streams import open_streams
from bench.load.worker import raise_file_limit

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BARE = HEAD + b"Connection: close\r\n\r\n"
EVENT = b"data: 1 of 3\n\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def sending(*pieces: bytes, pause_s: float = 0.0, stay: bool = False) -> Handler:
    """Answers with those pieces, that far apart, and closes unless it is to `stay`."""

    async def handler(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause_s)
            writer.write(piece)
        if stay:
            await reader.read()

    return handler


async def resetting(reader: Reader, writer: Writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(CHUNKED + chunk(EVENT))
    await asyncio.sleep(0.02)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def serving(handler: Handler) -> Callable[[Reader, Writer], Awaitable[None]]:
    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return serve


def stream(handler: Handler | None, **options: Any) -> tuple[StreamResult, list[int]]:
    """The result with a server in the same loop, and what `mid` was called with; None: nobody listens."""
    return uvloop.run(_stream(handler, options))


async def _stream(handler: Handler | None, options: dict[str, Any]) -> tuple[StreamResult, list[int]]:
    server = await asyncio.start_server(serving(handler or sending()), "127.0.0.1", 0, backlog=1_024)
    port, mids = server.sockets[0].getsockname()[1], list[int]()
    if handler is None:
        server.close()
    job = StreamJob(**{"host": "127.0.0.1", "port": port, "streams": 3, "timeout_s": 10.0, **options})
    result = await open_streams(job, mids.append)
    server.close()
    await asyncio.sleep(0.01)  # for the handlers to see their connections end
    return result, mids


WHOLE = CHUNKED + chunk(EVENT) * 3 + END

ANSWERS = {
    "chunked": sending(CHUNKED + chunk(EVENT), chunk(EVENT), chunk(EVENT) + END, stay=True),
    "close-delimited": sending(BARE + EVENT, EVENT, EVENT),
    "byte by byte": sending(*(WHOLE[i : i + 1] for i in range(len(WHOLE)))),
    "a chunk over several events": sending(CHUNKED + chunk(EVENT[:5]), chunk(EVENT[5:] + EVENT * 2) + END),
    "carriage returns": sending(BARE + EVENT.replace(b"\n", b"\r\n") * 3),
    "comments and other fields": sending(
        BARE + b": hello\n\n" + b"event: x\ndata: 1\ndata: 2\nid: 7\n\n" * 3 + b"\n:\n\n"
    ),
    "interim answer first": sending(b"HTTP/1.1 100 Continue\r\n\r\n", WHOLE),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_way_to_send_three_events_is_three_events(name: str) -> None:
    result, mids = stream(ANSWERS[name], expect_events=3)
    assert (result.errors, result.error_example) == (ErrorCounts(), None)
    assert (result.opened, result.finished, result.events, result.events_expected) == (3, 3, 9, 9)
    assert len(mids) == 1
    assert result.first_event_max_s is not None
    assert result.spacing_max_s is not None


FAULTS: dict[str, tuple[str, Handler | None]] = {
    "nobody listens": ("refused", None),
    "500": ("bad_status", sending(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")),
    "no event": ("wrong_body", sending(CHUNKED + END)),
    "too few": ("wrong_body", sending(CHUNKED + chunk(EVENT) * 2 + END)),
    "too many": ("wrong_body", sending(BARE + EVENT * 4)),
    "an event without its end": ("wrong_body", sending(BARE + EVENT * 2 + EVENT[:-1])),
    "reset": ("reset", resetting),
    "closed within": ("reset", sending(CHUNKED + chunk(EVENT))),
    "closed at once": ("reset", sending()),
    "silence": ("timeout", sending(stay=True)),
    "no end": ("timeout", sending(CHUNKED + chunk(EVENT) * 3, stay=True)),
    "not HTTP": ("protocol", sending(b"data: 1\n\n")),
    "a line without an end": ("protocol", sending(BARE + b"data: " + b"x" * 1_100_000, stay=True)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_counts_as_its_kind_and_never_as_finished(name: str) -> None:
    kind, handler = FAULTS[name]
    result, mids = stream(handler, expect_events=3, timeout_s=0.3 if kind == "timeout" else 10.0)
    assert result.errors.total == getattr(result.errors, kind) == 3
    assert result.finished == 0
    assert (result.error_example or "").startswith(kind)
    assert len(mids) == 1


def test_without_an_expectation_any_event_is_enough_and_none_is_not() -> None:
    assert stream(sending(BARE + EVENT))[0].finished == 3
    assert stream(sending(BARE))[0].errors.wrong_body == 3


def test_spacing_is_the_servers_pause_and_percentiles_need_ten_samples_beyond() -> None:
    handler = sending(BARE + EVENT, EVENT, EVENT, pause_s=0.1)
    result, _ = stream(handler, streams=15, expect_events=3)
    assert result.spacing_p50_s is not None
    assert result.spacing_p50_s > 0.09
    assert (result.first_event_p50_s, result.first_event_p90_s, result.spacing_p90_s) == (None, None, None)
    assert result.first_event_max_s is not None
    assert result.wall_s > 0.18
    assert result.first_end_s is not None
    assert 0.18 < result.first_end_s <= result.wall_s


def test_mid_is_called_when_all_have_had_their_first_event_and_are_still_open() -> None:
    result, mids = stream(sending(BARE + EVENT, EVENT, pause_s=0.3), streams=20)
    assert mids == [result.mid_open] == [20]
    assert result.mid_s is not None
    assert result.first_end_s is not None
    assert result.mid_s < result.first_end_s


def test_mid_waits_no_longer_than_stated() -> None:
    result, mids = stream(sending(b"", WHOLE, pause_s=0.4), mid_after_s=0.05)
    assert mids == [0]
    assert result.mid_s is not None
    assert result.mid_s < (result.first_end_s or 0)


async def _shut_down(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.01)  # for the transports to close


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server in a thread: two events, half a second apart, then the end."""
    handler, loop = sending(BARE + EVENT, EVENT, pause_s=0.5), asyncio.new_event_loop()
    raise_file_limit(2_000)
    server = loop.run_until_complete(asyncio.start_server(serving(handler), "127.0.0.1", 0, backlog=1_024))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    asyncio.run_coroutine_threadsafe(_shut_down(server), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_five_hundred_streams_are_open_at_once_and_the_worker_goes_on_to_the_next_job(port: int) -> None:
    mids: list[int] = []
    with Generator() as generator:
        job = StreamJob(host="127.0.0.1", port=port, streams=500, expect_events=2)
        result = generator.stream(job, mids.append)
        assert generator._worker is not None
        worker = generator._worker.process.pid
        again = generator.stream(StreamJob(host="localhost", port=port, streams=1))
        assert generator._worker.process.pid == worker
    assert (result.finished, result.events, result.events_expected) == (500, 1_000, 1_000)
    assert mids == [result.mid_open] == [500]
    assert result.first_event_p90_s is not None
    assert result.spacing_p90_s is not None
    assert (again.finished, again.events, again.events_expected) == (1, 2, None)


def test_an_error_in_the_hook_is_the_caller_s_and_costs_the_worker(port: int) -> None:
    def fail(streams: int) -> None:
        raise ZeroDivisionError

    with Generator() as generator:
        with pytest.raises(ZeroDivisionError):
            generator.stream(StreamJob(host="127.0.0.1", port=port, streams=2), fail)
        assert generator._worker is None


def test_an_unknown_host_is_named() -> None:
    with Generator() as generator, pytest.raises(GeneratorError, match="no-such-host"):
        generator.stream(StreamJob(host="no-such-host.invalid", port=80))


@pytest.mark.parametrize(
    ("field", "value"),
    [("streams", 0), ("expect_events", 0), ("timeout_s", 0), ("mid_after_s", -1), ("path", "x"), ("port", 0)],
)
def test_a_job_that_makes_no_sense_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        StreamJob(**{"host": "127.0.0.1", "port": 80, field: value})  # type: ignore[arg-type]


def test_a_job_and_a_result_survive_json() -> None:
    job = StreamJob(host="::1", port=80, headers=(("A", "b"),), expect_events=3, cores=(0, 1))
    assert StreamJob.from_json(job.to_json()) == job
    result, _ = stream(sending(BARE + EVENT))
    assert StreamResult.from_json(result.to_json()) == result
