"""The PROXY protocol of load balancers: from listed networks a client's address comes with it."""

import socket
import struct

import pytest

from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost, Stream

TEXT = b"PROXY TCP4 192.0.2.7 192.0.2.9 50000 6432\r\n"
BINARY = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(
    "!H4s4sHH", 12, socket.inet_aton("192.0.2.8"), socket.inet_aton("192.0.2.9"), 50001, 6432)
HEALTH_CHECK = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"


@pytest.fixture
def balanced(launch, database):
    weir = launch(database, config={"log": {"connections": True}},
                  listener_more={"proxy_protocol_from": ["127.0.0.0/8"]})
    return weir


@pytest.mark.parametrize("preface, address", [(TEXT, "192.0.2.7"), (BINARY, "192.0.2.8"),
                                              (HEALTH_CHECK, "127.0.0.1")])
def test_the_address_comes_with_the_header(balanced, client, aio, monkeypatch, preface, address):
    monkeypatch.setattr(Stream, "preface", preface)

    async def scenario():
        one = await client(balanced.port)
        assert await one.value("select 1") == "1"
        await one.close()

    aio(scenario())
    # The log is written by a thread of its own.
    logged = until(lambda: balanced.events("client_login"), "the login is logged")
    assert [event["address"] for event in logged] == [address]


def test_without_the_header_nobody_is_served(launch, database, client, aio):
    weir = launch(database, config={"timeouts": {"client_login_timeout": "1s"}},
                  listener_more={"proxy_protocol_from": ["127.0.0.0/8"]})

    async def scenario():
        with pytest.raises((Lost, DatabaseError)) as caught:
            await client(weir.port, timeout=15)
        return caught.value

    ended = aio(scenario())
    # A MySQL client waits for the greeting: it says nothing, so only the login's time ends it.
    reason = "proxy_header" if client.is_postgres else "login_timeout"
    assert isinstance(ended, Lost) or ended.code == 1159, ended
    assert weir.metrics().total("weirpool_faults_total", reason=reason) == 1


def test_the_header_from_elsewhere_is_nonsense(launch, database, client, aio, monkeypatch):
    weir = launch(database, listener_more={"proxy_protocol_from": ["10.0.0.0/8"]})

    async def scenario():
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        await one.close()
        monkeypatch.setattr(Stream, "preface", TEXT)
        with pytest.raises((Lost, DatabaseError, AssertionError)):
            await client(weir.port, timeout=5)

    aio(scenario())
