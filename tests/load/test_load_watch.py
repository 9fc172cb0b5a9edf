"""A watch keeps every request and says how it ended: against servers that refuse, hang, break off and close."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from processes import gone, wait_until

from bench.load import Generator, GeneratorError, LoadJob, Watched, WatchJob
from bench.testbed.processes.ports import HOST, free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UNAVAILABLE = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno"
Serve = Callable[[socket.socket], None]


def asked(connection: socket.socket) -> bool:
    """Whether another request has come."""
    try:
        return bool(connection.recv(65_536))
    except OSError:
        return False


def break_off(connection: socket.socket) -> None:
    """Close with a reset in place of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def answers(answer: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        while asked(connection):
            connection.sendall(answer)

    return serve


def closes(connection: socket.socket) -> None:
    asked(connection)


def resets(connection: socket.socket) -> None:
    asked(connection)
    break_off(connection)


def stops_halfway(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(OK[:-1])


def closes_the_second_time(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(OK)
    asked(connection)


def resets_the_second_time(connection: socket.socket) -> None:
    closes_the_second_time(connection)
    break_off(connection)


def never_answers(connection: socket.socket) -> None:
    while asked(connection):
        pass


@contextmanager
def listening(serve: Serve) -> Iterator[tuple[int, list[socket.socket]]]:
    """A server on threads; gives its port and the connections that it has had."""
    connections: list[socket.socket] = []

    def serve_and_close(connection: socket.socket) -> None:
        with connection:
            serve(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=serve_and_close, args=[connection], daemon=True).start()

    with closing(socket.create_server((HOST, 0))) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], connections
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def target(port: int, **other: object) -> LoadJob:
    return LoadJob(**{"host": HOST, "port": port, "rate_rps": 40.0, "timeout_s": 5.0, **other})  # type: ignore[arg-type]


def watched(generator: Generator, *targets: LoadJob, for_s: float = 0.5, idle_s: float = 1.0) -> tuple[Watched, ...]:
    with generator.watching(WatchJob(targets=targets, limit_s=30.0, idle_s=idle_s)) as watch:
        time.sleep(for_s)
    return watch.result.targets


@pytest.fixture(scope="module")
def generator() -> Iterator[Generator]:
    with Generator() as ready:
        yield ready


def test_each_way_to_fail_has_its_word_and_no_target_disturbs_another(generator: Generator) -> None:
    cases: dict[str, tuple[Serve, set[str]]] = {
        "answers": (answers(OK), {"ok"}),
        "unavailable": (answers(UNAVAILABLE), {"503"}),
        "no HTTP": (answers(b"hello\r\n\r\n"), {"wrong"}),
        "closes": (closes, {"empty"}),
        "resets": (resets, {"reset"}),
        "stops halfway": (stops_halfway, {"reset"}),
        "closes a used one": (closes_the_second_time, {"ok", "stale"}),
        "resets a used one": (resets_the_second_time, {"ok", "stale"}),
        "hangs": (never_answers, {"timeout"}),
    }
    with ExitStack() as servers:
        ports = [servers.enter_context(listening(serve))[0] for serve, _ in cases.values()]
        limits = {"hangs": {"timeout_s": 0.2}, "answers": {"expect_body": b"ok"}}
        targets = [target(port, **limits.get(name, {})) for name, port in zip(cases, ports, strict=True)]
        *seen, refused = watched(generator, *targets, target(free_port()), for_s=1.0)
    assert {name: set(one.outcome) for name, one in zip(cases, seen, strict=True)} == {
        name: words for name, (_, words) in cases.items()
    }
    assert set(refused.outcome) == {"refused"}
    for one in (*seen, refused):
        assert list(one.sent_ns) == sorted(one.sent_ns)
        assert "unanswered" not in one.outcome[:-8]
        assert [done is None for done in one.done_ns] == [word == "unanswered" for word in one.outcome]
        assert all(done is None or done >= sent for sent, done in zip(one.sent_ns, one.done_ns, strict=True))


def test_a_body_that_is_not_the_expected_one_is_wrong(generator: Generator) -> None:
    with listening(answers(OK)) as (port, _):
        (seen,) = watched(generator, target(port, expect_body=b"no"))
    assert set(seen.outcome) == {"wrong"}


def test_requests_go_on_while_a_server_hangs_and_wait_for_a_connection_beyond_the_limit(generator: Generator) -> None:
    with listening(never_answers) as (port, connections):
        (seen,) = watched(generator, target(port, connections=3))
        assert len(connections) == 3
    assert len(seen.outcome) > 6
    assert set(seen.outcome) == {"unanswered"}
    with listening(never_answers) as (port, _):
        (seen,) = watched(generator, target(port, connections=1, timeout_s=0.1), for_s=1.0)
    assert seen.outcome.count("timeout") > 6


def test_a_kept_connection_is_used_again_and_closed_once_it_is_idle(generator: Generator) -> None:
    with listening(answers(OK)) as (port, connections):
        (seen,) = watched(generator, target(port))
        assert (len(connections), len(seen.outcome) > 6) == (1, True)
    with listening(answers(OK)) as (port, connections):
        (seen,) = watched(generator, target(port, rate_rps=5.0), for_s=1.5, idle_s=0.05)
        assert len(connections) == len(seen.outcome) > 3
        wait_until(lambda: all(one.fileno() == -1 for one in connections), "the client closed its connections")


def test_the_last_requests_are_waited_for_but_not_for_long(generator: Generator) -> None:
    """So that what is unanswered hangs."""

    def slowly(connection: socket.socket) -> None:
        while asked(connection):
            time.sleep(0.1)
            connection.sendall(OK)

    for serve, left in ((slowly, False), (never_answers, True)):
        with listening(serve) as (port, _):
            (seen,) = watched(generator, target(port))
        assert ("unanswered" in seen.outcome) == left


def test_requests_that_are_limited_in_number_are_all_waited_for(generator: Generator) -> None:
    def late(connection: socket.socket) -> None:
        while asked(connection):
            time.sleep(1.0)
            connection.sendall(OK)

    with listening(late) as (port, _):
        (seen,) = watched(generator, target(port, max_requests=3), for_s=0.0)
    assert seen.outcome == ("ok", "ok", "ok")


def test_a_watch_ends_by_itself_at_its_limit_and_the_generator_goes_on(generator: Generator) -> None:
    with listening(answers(OK)) as (port, _):
        with generator.watching(WatchJob(targets=(target(port),), limit_s=0.3)) as watch:
            time.sleep(1.0)
        assert 3 < len(watch.result.targets[0].sent_ns) < 30
        assert generator.run(LoadJob(host=HOST, port=port, duration_s=0.1, warmup_s=0, connections=1)).good


def test_a_watch_whose_generator_ends_says_so_and_an_error_within_it_leaves_no_process() -> None:
    job = WatchJob(targets=(target(free_port()),), limit_s=30.0)
    with Generator() as generator:
        with pytest.raises(GeneratorError, match="status -9"), generator.watching(job):  # noqa: PT012  # what it is in
            assert generator._worker
            generator._worker.process.kill()
        with pytest.raises(ZeroDivisionError), generator.watching(job):  # noqa: PT012
            pid = generator._worker.process.pid
            raise ZeroDivisionError
        assert gone(pid)


@pytest.mark.parametrize(
    ("field", "changed"),
    [("targets", {"targets": ()}), ("targets", {"targets": (LoadJob(host=HOST, port=1),)}), ("limit_s", {"limit_s": 0}),
     ("idle_s", {"idle_s": 0})],
)  # fmt: skip
def test_what_no_watch_can_be_made_of_is_refused_by_its_field(field: str, changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^{field} is"):
        WatchJob(**{"targets": (target(1),), "limit_s": 1.0, **changed})  # type: ignore[arg-type]
