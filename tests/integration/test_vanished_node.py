"""A web node or a database server that vanishes - power, network, spot instance - says nothing. What
it holds comes back all the same, by the defaults within 15 s. One that only reads slowly is not
mistaken for one."""

import asyncio
import os
import re
import time
from contextlib import contextmanager

import pytest

from servers import run
from weirtest import mywire, pgwire, wire
from weirtest.gate import Gate
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost

# Nobody else's on any machine, nor of a worker that runs beside this one.
ADDRESS = f"127.83.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


@contextmanager
def unreachable(address):
    """No packet of this machine reaches that address any more, and none says so."""
    route = ("blackhole", address, "table", "local")
    run("ip", "route", "add", *route)
    try:
        yield
    finally:
        run("ip", "route", "del", *route)


@pytest.mark.slow
def test_transactions_of_a_vanished_node_come_back(launch, database, client, aio, monkeypatch):
    # Two for these two; on MySQL one more is kept for ending statements.
    weir = launch(database, max_connections=2 if client.is_postgres else 3)

    async def in_transaction():
        connection = await client(weir.port)
        await connection.query("begin")
        await connection.query("select 1")
        return connection

    async def scenario():
        monkeypatch.setattr(wire.Stream, "source", (ADDRESS, 0))
        idle, running = await in_transaction(), await in_transaction()
        monkeypatch.setattr(wire.Stream, "source", None)
        if client.is_postgres:  # its answer will reach no one
            running.send(pgwire.query(client.slow(0.5)))
        else:
            running.command(mywire.COM_QUERY, client.slow(0.5).encode())
        await running.stream.drain()
        with unreachable(ADDRESS):
            gone = time.monotonic()
            others = await asyncio.gather(client(weir.port), client(weir.port))
            answers = await asyncio.gather(*(one.value("select 'served'") for one in others))
            waited = time.monotonic() - gone
        assert answers == ["served"] * 2
        for one in others:
            await one.close()
        idle.abort()
        running.abort()
        return waited

    assert 1 < aio(scenario()) < 15


@pytest.mark.slow
def test_the_statement_at_a_server_that_vanishes_does_not_wait_for_ever(
        launch, database, client, aio):
    gate = Gate(database, ADDRESS)
    weir = launch(gate, config={"tcp": {"user_timeout": "1s"}})
    weir.any_error = True

    async def scenario():
        one = await client(weir.port)
        await one.query("select 1")
        with unreachable(ADDRESS):
            gone = time.monotonic()
            with pytest.raises((DatabaseError, Lost)):
                await one.query("select 2")
            return time.monotonic() - gone

    try:
        assert 1 < aio(scenario()) < 6
    finally:
        gate.close()


def test_a_client_that_reads_slowly_is_not_taken_for_gone(launch, database, client, aio):
    weir = launch(database, config={"tcp": {"user_timeout": "1s"}})
    size = 60_000_000 if client.is_postgres else 15_000_000

    async def scenario():
        one = await client(weir.port)
        await one.query("begin")
        reading = one.stream.writer.transport
        reading.pause_reading()
        if client.is_postgres:
            one.send(pgwire.query(f"select repeat('x', {size})"))
        else:
            one.command(mywire.COM_QUERY, f"select repeat('x', {size})".encode())
        await one.stream.drain()
        await asyncio.to_thread(until, lambda: probed(weir), "the window stays full")
        reading.resume_reading()
        answer = await one.answer()
        assert len(answer.rows[0][0]) == size
        await one.query("rollback")
        await one.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_client_logins_total", result="ok") == 1


def test_a_server_that_reads_slowly_is_not_taken_for_gone(launch, postgres, client_of, aio):
    client = client_of(postgres)
    weir = launch(postgres, config={"tcp": {"user_timeout": "1s"}})
    size = 60_000_000

    async def scenario():
        one = await client(weir.port)
        one.send(pgwire.query("select pg_advisory_lock(83), pg_sleep(4), pg_advisory_unlock(83)"),
                 pgwire.query(f"select length('{'x' * size}')"))
        await asyncio.to_thread(until, lambda: probed(weir), "the window stays full")
        first, second = await one.answer(), await one.answer()
        assert first.errors == [] and second.value() == str(size)
        await one.close()

    aio(scenario())


def probed(weir):
    """A peer of Weirpool's has had the kernel probe its full window for 3 s: each probe is sent after
    twice the time, from 0.2 s on."""
    for line in run("ss", "-tnoipHO", "state", "established").splitlines():
        if f"pid={weir.pid}," in line and "timer:(persist" in line:
            backoff = re.search(r"backoff:(\d+)", line)
            if backoff and int(backoff[1]) >= 4:
                return True
    return False
