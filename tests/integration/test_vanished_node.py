"""A web node that vanishes - power, network, spot instance - says nothing. What it holds comes back
all the same, by the defaults within 15 s."""

import asyncio
import os
import time
from contextlib import contextmanager

import pytest

from servers import run
from weirtest import mywire, pgwire, wire

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
