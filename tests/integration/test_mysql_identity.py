"""Who a MySQL client is: the id of its greeting, and what KILL by that id does."""

import asyncio
import random
import struct
import time

import pytest

from servers import DATABASE, HOST, LEGACY_PASSWORD, LEGACY_USER, PASSWORD, USER, Peak
from weirtest import mywire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost

SLEEP = "select sleep(60)"
RUNNING = f"select count(*) from information_schema.processlist where info like '{SLEEP}%%'"


async def connect(weir, user=USER, password=PASSWORD):
    return await mywire.MyConn.connect(HOST, weir.port, user, password, DATABASE)


def own(one):
    return one.greeting["thread"]


async def running(server, count):
    await asyncio.to_thread(until, lambda: server.value(RUNNING) == count,
                            f"{count} statements run", 30)


def test_connection_id_is_the_greetings_and_stays(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=3)

    async def scenario():
        clients = [await connect(weir) for _ in range(8)]
        assert len({own(one) for one in clients}) == 8
        for _ in range(3):
            for one in clients:
                assert await one.value("SELECT CONNECTION_ID()") == str(own(one))
                assert await one.value("select connection_id() as id;") == str(own(one))
        await clients[0].query("begin")
        assert await clients[0].value("select connection_id()") == str(own(clients[0]))
        for one in clients:
            await one.close()

    aio(scenario())


async def number(one, statement):
    """The one column of the one row, and its type."""
    one.command(mywire.COM_STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1))
    assert await one.receive() == b"\x01"
    kind = (await one.receive())[-6]
    row = await one.receive()
    assert row[:2] == b"\0\0" and (await one.receive())[0] == 0xFE
    return int.from_bytes(row[2:], "little"), kind, len(row) - 2


def test_a_prepared_connection_id_is_the_greetings_too(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=3)

    async def scenario():
        straight = await mywire.MyConn.connect(HOST, mysql_like.port, USER, PASSWORD, DATABASE)
        plain = await number(straight, await straight.prepare("select connection_id()"))
        clients = [await connect(weir) for _ in range(6)]
        ids = [await one.prepare("select connection_id()") for one in clients]
        for _ in range(2):
            for one, statement in zip(clients, ids):
                assert await number(one, statement) == (own(one), *plain[1:])
        for one in (straight, *clients):
            await one.close()

    aio(scenario())


def test_kill_query_interrupts_only_that_clients_statement(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=6)

    async def scenario():
        victim, bystander, killer = [await connect(weir) for _ in range(3)]
        work = asyncio.ensure_future(victim.query(SLEEP))
        calm = asyncio.ensure_future(bystander.value("select concat('calm', sleep(2))"))
        await running(mysql_like, 1)
        await asyncio.to_thread(until, lambda: peak.samples > 3, "somebody looks")
        started = time.monotonic()
        await killer.query(f"KILL QUERY {own(victim)}")
        # SLEEP() says that it was interrupted by its value, or by an error.
        try:
            assert (await work).value() == "1"
        except DatabaseError as error:
            assert error.code == 1317
        assert time.monotonic() - started < 20
        assert await calm == "calm0"
        for _ in range(20):
            await killer.query(f"KILL QUERY {own(victim)}")
            assert await victim.value("select 'unharmed'") == "unharmed"
        for one in (victim, bystander, killer):
            await one.close()

    with Peak(mysql_like, weir.pid) as peak:
        aio(scenario())
    peak.stayed_within(6)


def test_kill_ends_the_session(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=4)

    async def scenario():
        killer = await connect(weir)
        for ending in ("KILL {}", "KILL CONNECTION {}"):
            victim = await connect(weir)
            work = asyncio.ensure_future(victim.query(SLEEP))
            await running(mysql_like, 1)
            await killer.query(ending.format(own(victim)))
            with pytest.raises((Lost, DatabaseError)):
                await work
            await running(mysql_like, 0)
        idle = await connect(weir)
        killer.command(mywire.COM_PROCESS_KILL, struct.pack("<I", own(idle)))
        await killer.answer()
        with pytest.raises(Lost):
            await idle.query("select 1")
        assert await killer.value("select 'here'") == "here"
        await killer.close()

    aio(scenario())


def test_kill_of_others_is_refused(launch, mysql_like, aio):
    mysql_like.execute(f"create user if not exists {LEGACY_USER}@'%%' identified by "
                       f"'{LEGACY_PASSWORD}'")
    mysql_like.execute(f"grant all on {DATABASE}.* to {LEGACY_USER}@'%%'")
    weir = launch(mysql_like, max_connections=4)

    async def scenario():
        one, stranger = await connect(weir), await connect(weir, LEGACY_USER, LEGACY_PASSWORD)
        for target, code in ((own(one), 1095), (4_000_000_000, 1094)):
            with pytest.raises(DatabaseError) as caught:
                await stranger.query(f"kill query {target}")
            assert caught.value.code == code
        with pytest.raises(DatabaseError) as caught:
            await stranger.query("kill user app")
        assert caught.value.code == 1235
        assert await one.value("select 'here'") == "here"
        await one.close()
        await stranger.close()

    aio(scenario())


def test_a_kill_that_weirpool_cannot_see_hits_nobody(launch, mysql_like, aio):
    """A number of weirpool's in a text that is put together at the server, or in a procedure."""
    weir = launch(mysql_like, max_connections=4)
    mysql_like.execute(f"create or replace procedure {DATABASE}.ender(n bigint) kill n"
                       if "Maria" in type(mysql_like).__name__
                       else f"create procedure if not exists {DATABASE}.ender(n bigint) kill n")

    async def scenario():
        victim, killer = await connect(weir), await connect(weir)
        assert own(victim) > mysql_like.value("select max(id) from information_schema.processlist")
        work = asyncio.ensure_future(victim.value("select concat('done', sleep(3))"))
        await asyncio.to_thread(until, lambda: mysql_like.value(
            "select count(*) from information_schema.processlist where info like "
            "'select concat%%sleep(3)%%'") == 1, "the statement runs", 30)
        hidden = [[f"set @k = concat('KILL ', {own(victim)})", "prepare p from @k", "execute p"],
                  [f"call ender({own(victim)})"]]
        if "Maria" in type(mysql_like).__name__:
            hidden.append([f"execute immediate concat('kill query ', {own(victim)})"])
        for statements in hidden:
            with pytest.raises(DatabaseError) as caught:
                for sql in statements:
                    await killer.query(sql)
            assert caught.value.code == 1094, statements
        for sql in (f"prepare p from 'kill {own(victim)}'",
                    f"execute immediate 'kill query {own(victim)}'"):
            with pytest.raises(DatabaseError) as caught:
                await killer.query(sql)
            assert caught.value.code == 1235, sql
        assert await work == "done0"
        assert await victim.value("select 'unharmed'") == "unharmed"
        await victim.close()
        await killer.close()

    aio(scenario())


def test_a_dead_clients_statement_is_killed(launch, mysql_like, aio):
    """All at once, with every backend busy: the reserve is for that."""
    weir = launch(mysql_like, max_connections=4)

    async def scenario():
        clients = [await connect(weir) for _ in range(3)]
        for one in clients:
            one.command(mywire.COM_QUERY, SLEEP.encode())
            await one.stream.drain()
        await running(mysql_like, 3)
        for one in clients:
            one.abort()
        started = time.monotonic()
        await running(mysql_like, 0)
        assert time.monotonic() - started < 20
        fresh = await connect(weir)
        assert await fresh.value("select 'served'") == "served"
        await fresh.close()

    with Peak(mysql_like, weir.pid, killing=True) as peak:
        aio(scenario())
    assert peak.sockets <= 4


def test_kills_rain_and_hit_nobody_else(launch, mysql_like, aio):
    """Ten clients on three backends. Half of them are being killed all the time and may see 1317;
    the others may not."""
    weir = launch(mysql_like, max_connections=4)
    interrupted = []

    async def worker(one, number, until_time):
        loop, round_number = asyncio.get_running_loop(), 0
        while loop.time() < until_time:
            token = f"{number}-{round_number}"
            round_number += 1
            try:
                assert await one.value(f"select '{token}' from (select sleep(0.01)) s") == token
            except DatabaseError as error:
                assert number % 2 == 0 and error.code == 1317, (number, error)
                interrupted.append(token)

    async def rain(killer, victims, until_time):
        loop = asyncio.get_running_loop()
        while loop.time() < until_time:
            await killer.query(f"kill query {own(random.choice(victims))}")

    async def scenario():
        clients = [await connect(weir) for _ in range(10)]
        killer = await connect(weir)
        until_time = asyncio.get_running_loop().time() + 5
        await asyncio.gather(*(worker(one, n, until_time) for n, one in enumerate(clients)),
                             rain(killer, clients[::2], until_time))
        for one in (*clients, killer):
            assert await one.value("select 1") == "1"
            await one.close()

    aio(scenario())
