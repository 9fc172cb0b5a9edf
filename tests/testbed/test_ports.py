"""Ports of loopback: one that is given to a server is given to nobody else before it listens."""

import socket

import pytest

from bench.testbed.processes import ports
from bench.testbed.processes.ports import HOST, free_port, is_free, lasting_port, outgoing_ports


@pytest.mark.parametrize("again", [0, 1], ids=["once", "again"])
def test_nobody_who_asks_for_any_port_gets_one_that_was_given(again: int) -> None:
    given = {free_port() for _ in range(ports.KEPT_AT_MOST)}
    assert len(given) == ports.KEPT_AT_MOST
    others: set[int] = set()
    for _ in range(20_000):  # the system has 28,000 to choose from
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, again)
            other.bind((HOST, 0))
            others.add(other.getsockname()[1])
    assert len(others) > 5_000
    assert not given & others


def test_a_server_may_listen_on_the_port_that_it_was_given_and_before_that_nobody_does() -> None:
    port = free_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port))
    assert is_free(port)
    with socket.create_server((HOST, port)), socket.create_connection((HOST, port)):
        assert not is_free(port)


def test_no_more_ports_are_kept_than_servers_start_together() -> None:
    first = free_port()
    for _ in range(ports.KEPT_AT_MOST):
        free_port()
    assert len(ports.KEPT) == ports.KEPT_AT_MOST
    assert first not in {each.getsockname()[1] for each in ports.KEPT}


def test_a_port_that_lasts_is_none_that_outgoing_connections_get() -> None:
    low, high = outgoing_ports()
    given = {lasting_port() for _ in range(50)}
    assert (len(given), [port for port in given if low <= port <= high]) == (50, [])
