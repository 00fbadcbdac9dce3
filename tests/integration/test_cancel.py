"""Cancel requests reach the asker's own query and nothing else."""

import asyncio
import random

import pytest

from conftest import Client
from servers import HOST
from weirtest.pgwire import FLUSH, SYNC, bind, cancel, execute, parse
from weirtest.wire import DatabaseError


@pytest.fixture
def open_client(postgres):
    return Client(postgres)


def test_own_query_is_cancelled(launch, postgres, open_client, aio):
    weir = launch(postgres, max_connections=2)

    async def scenario():
        asker, other = await open_client(weir.port), await open_client(weir.port)
        assert asker.secret != other.secret or asker.process != other.process
        long_one = asyncio.ensure_future(asker.query("select pg_sleep(30)"))
        bystander = asyncio.ensure_future(other.value("select 'unharmed' from pg_sleep(2)"))
        while not long_one.done():  # the request may come before the query; ask again
            await cancel(HOST, weir.port, asker.process, asker.secret)
            await asyncio.wait([long_one], timeout=0.2)
        with pytest.raises(DatabaseError) as caught:
            (await long_one).check()
        assert caught.value.code == "57014"
        assert await bystander == "unharmed"
        assert await asker.value("select 'goes on'") == "goes on"
        await asker.close()
        await other.close()

    aio(scenario())


def test_an_idle_client_cancels_nothing(launch, postgres, open_client, aio):
    """Its former backend works for another client by now."""
    weir = launch(postgres, max_connections=1)

    async def scenario():
        idle, busy = await open_client(weir.port), await open_client(weir.port)
        await idle.value("select 1")
        work = asyncio.ensure_future(busy.value("select 'whole' from pg_sleep(1.5)"))
        while not work.done():
            await cancel(HOST, weir.port, idle.process, idle.secret)
            await asyncio.wait([work], timeout=0.05)
        assert await work == "whole"
        await idle.close()
        await busy.close()

    aio(scenario())


def test_who_reads_a_cursor_with_flush_is_idle_between_two_reads(launch, postgres, open_client, aio):
    weir = launch(postgres, max_connections=1)

    async def scenario():
        one = await open_client(weir.port)
        one.send(parse("", "select generate_series(1, 5)"), bind("", ""), execute("", 2), FLUSH)
        while (await one.receive())[0] != b"s":
            pass
        await cancel(HOST, weir.port, one.process, one.secret)
        one.send(execute(), SYNC)
        assert [row for (row,) in (await one.answer()).check().rows] == [b"3", b"4", b"5"]
        await one.close()

    aio(scenario())


def test_a_guessed_key_cancels_nothing(launch, postgres, open_client, aio):
    weir = launch(postgres, max_connections=1)

    async def scenario():
        one = await open_client(weir.port)
        work = asyncio.ensure_future(one.value("select 'whole' from pg_sleep(1)"))
        for _ in range(20):
            wrong = bytes(byte ^ random.randrange(1, 256) for byte in one.secret)
            await cancel(HOST, weir.port, one.process, wrong)
        assert await work == "whole"
        await one.close()

    aio(scenario())


def test_storm(launch, postgres, open_client, aio):
    """Twelve clients run short queries on three backends while cancels rain on half of them. Those
    may see 57014 and nothing else; the others must never see one."""
    weir = launch(postgres, max_connections=3)
    cancelled = []

    async def worker(connection, number, target, until):
        loop = asyncio.get_running_loop()
        round_number = 0
        while loop.time() < until:
            token = f"{number}-{round_number}"
            round_number += 1
            answer = await connection.query(f"select '{token}' from pg_sleep(0.01)")
            if answer.errors:
                assert target and answer.errors[0].code == "57014", answer.errors
                cancelled.append(token)
            else:
                assert answer.value() == token
        return round_number

    async def asker(connection, until):
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await cancel(HOST, weir.port, connection.process, connection.secret)

    async def scenario():
        until = asyncio.get_running_loop().time() + 6
        clients = [await open_client(weir.port) for _ in range(12)]
        await asyncio.gather(
            *(worker(one, n, n % 2 == 0, until) for n, one in enumerate(clients)),
            *(asker(one, until - 1) for one in clients[::4]))
        for one in clients:
            assert await one.value("select 1") == "1"
            await one.close()

    aio(scenario())
    assert cancelled, "not one cancel request arrived"


def test_a_cancel_that_comes_too_late_hits_nothing(launch, postgres, open_client, aio):
    """Within a transaction the same backend executes the next statement at once."""
    weir = launch(postgres, max_connections=4)
    ends = {"in time": 0, "too late": 0}

    async def asker(connection):
        length = 0.02  # seconds; about as long as a cancel needs here, found by trying
        while min(ends.values()) < 150:
            (await connection.query("begin")).check()
            work = asyncio.ensure_future(
                connection.query(f"select pg_sleep({length * random.uniform(0.7, 1.3):.5f})"))
            await asyncio.sleep(0.002)
            canceller = asyncio.ensure_future(
                cancel(HOST, weir.port, connection.process, connection.secret))
            answer = await work
            await canceller
            if answer.errors:
                assert answer.errors[0].code == "57014", answer.errors
                ends["in time"] += 1
                length *= 0.9
            else:
                for _ in range(3):
                    assert (await connection.query("select 'whole'")).value() == "whole"
                ends["too late"] += 1
                length *= 1.1
            (await connection.query("rollback")).check()

    async def scenario():
        clients = [await open_client(weir.port) for _ in range(4)]
        await asyncio.gather(*(asker(one) for one in clients))
        for one in clients:
            await one.close()

    aio(scenario())
