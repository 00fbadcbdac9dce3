"""Whose transaction it is: nobody inherits one, nobody loses one without being told."""

import asyncio

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost

LOST = {True: {"08007", "57P01"}, False: {1053, 1927, 1317}}


@pytest.fixture
def table(database, client):
    admin = database.admin(DATABASE)
    with admin.cursor() as cursor:
        cursor.execute("create table dirt (n int)")
        if client.is_postgres:
            cursor.execute("alter table dirt owner to app")
    yield "dirt"
    with admin.cursor() as cursor:
        cursor.execute("drop table dirt")
    admin.close()


def test_a_transaction_stays_on_one_backend(launch, database, client, aio):
    weir = launch(database, max_connections=4)

    async def one_client():
        connection = await client(weir.port)
        for _ in range(10):
            await connection.query("begin")
            seen = {await connection.value(client.backend_id) for _ in range(5)}
            await connection.query("commit")
            assert len(seen) == 1
        await connection.close()

    async def scenario():
        await asyncio.gather(*(one_client() for _ in range(16)))

    aio(scenario())


def test_backends_are_shared_between_transactions(launch, database, client, aio):
    weir = launch(database, max_connections=2)

    async def scenario():
        clients = [await client(weir.port) for _ in range(20)]
        seen = {await one.value(client.backend_id) for one in clients}
        for one in clients:
            await one.close()
        return seen

    assert len(aio(scenario())) <= 2


@pytest.mark.parametrize("way", ["abort", "close", "half-sent"])
def test_client_gone_in_its_transaction_leaves_no_dirt(launch, database, client, aio, table, way):
    weir = launch(database, max_connections=1 if client.is_postgres else 2)

    async def leave(connection):
        if way == "abort":
            connection.abort()
        elif way == "close":
            await connection.close()
        else:
            connection.stream.write(b"Q\0\0\1\0select" if client.is_postgres else
                                    b"\xff\0\0\0\x03select")
            await connection.stream.drain()
            connection.abort()

    async def scenario():
        for _ in range(5):
            connection = await client(weir.port)
            await connection.query("begin")
            await connection.query(f"insert into {table} values (1)")
            await leave(connection)
            after = await client(weir.port)
            assert await after.value(f"select count(*) from {table}", timeout=20) == "0"
            await after.query("begin")
            await after.query("rollback")
            await after.close()

    aio(scenario())


@pytest.mark.parametrize("moment", ["between", "within", "within a transaction"])
def test_a_client_that_vanishes_costs_no_backend(launch, database, client, aio, table, moment):
    """What it ran is cancelled, what it had open is rolled back, and the next one gets that backend."""
    weir = launch(database, max_connections=1 if client.is_postgres else 2)
    sleep = "select pg_sleep(60)" if client.is_postgres else "select sleep(60)"

    def busy():
        return weir.metrics().total("weirpool_client_connections", state="active") == 1

    async def vanish():
        connection = await client(weir.port)
        backend = await connection.value(client.backend_id)
        if moment != "within":
            await connection.query("begin")
            await connection.query(f"insert into {table} values (1)")
        if moment == "between":
            connection.abort()
            return backend
        running = asyncio.ensure_future(connection.query(sleep))
        await asyncio.to_thread(until, busy, "it runs")
        connection.abort()
        running.cancel()
        return backend

    async def scenario():
        for _ in range(3):
            backend = await vanish()
            after = await client(weir.port)
            assert await after.value(f"select count(*) from {table}", timeout=20) == "0"
            assert await after.value(client.backend_id) == backend
            await after.close()

    aio(scenario())


def test_backend_gone_in_a_transaction_is_a_clean_error(launch, database, client, aio):
    weir = launch(database, max_connections=2)

    async def scenario():
        connection = await client(weir.port)
        await connection.query("begin")
        await connection.query("select 1")
        assert database.kill_all() >= 1
        with pytest.raises(DatabaseError) as caught:
            (await connection.query("select 1")).check()
        assert caught.value.code == ("40001" if client.is_postgres else 1213), caught.value
        await connection.query("rollback")
        assert await connection.value("select 'fine'") == "fine"
        await connection.close()

    aio(scenario())


def test_backend_gone_in_a_query_is_a_clean_error(launch, database, client, aio):
    weir = launch(database, max_connections=2)

    async def scenario():
        connection = await client(weir.port)
        work = asyncio.ensure_future(connection.query(client.slow(20)))
        while not work.done():
            database.kill_all()
            await asyncio.wait([work], timeout=0.2)
        with pytest.raises((DatabaseError, Lost)) as caught:
            answer = await work
            if client.is_postgres:
                answer.check()
        if isinstance(caught.value, DatabaseError):
            assert caught.value.code in LOST[client.is_postgres], caught.value
        fresh = await client(weir.port)
        assert await fresh.value("select 'fine'") == "fine"
        await fresh.close()

    aio(scenario())


def test_backend_gone_while_idle_is_invisible(launch, database, client, aio):
    weir = launch(database, max_connections=4)

    async def scenario():
        clients = [await client(weir.port) for _ in range(8)]
        for _ in range(3):
            await asyncio.gather(*(one.value("select 1") for one in clients))
            # Again and again: one that was just logging in is not there to be killed yet.
            until(lambda: not database.kill_all() and not database.value(database.count_sql),
                  "all are dead")
            values = await asyncio.gather(*(one.value("select 2") for one in clients))
            assert values == ["2"] * 8
        for one in clients:
            await one.close()

    aio(scenario())


def test_idle_in_transaction_times_out(launch, database, client, aio):
    weir = launch(database, max_connections=2,
                  config={"timeouts": {"idle_transaction_timeout": "300ms"}})

    async def scenario():
        connection = await client(weir.port)
        await connection.query("begin")
        await asyncio.wait_for(connection.stream.reader.read(1), 10)
        fresh = await client(weir.port)
        assert await fresh.value("select 'fine'") == "fine"
        await fresh.close()
        connection.stream.close()

    aio(scenario())


def test_a_client_that_waits_too_long_keeps_its_session(launch, database, client, aio):
    weir = launch(database, max_connections=1 if client.is_postgres else 2,
                  config={"timeouts": {"query_wait_timeout": "300ms"}})

    async def scenario():
        holder, waiter = await client(weir.port), await client(weir.port)
        await holder.query("begin")
        holders = [holder]
        code = None
        for _ in range(3):  # MySQL keeps a reserve of unknown size: take all there are
            try:
                answer = await waiter.query("select 1")
                if client.is_postgres:
                    answer.check()
            except DatabaseError as error:
                code = error.code
                break
            extra = await client(weir.port)
            holders.append(extra)
            await extra.query("begin")
            await extra.query("select 1")
        assert code == ("53300" if client.is_postgres else 1040)
        for one in holders:
            await one.query("rollback")
        assert await waiter.value("select 'kept'") == "kept"
        for one in (*holders, waiter):
            await one.close()

    aio(scenario())


async def postgres_client(port):
    return await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)


def test_a_chained_transaction_keeps_its_backend(launch, any_postgres, aio):
    weir = launch(any_postgres, max_connections=1)

    async def scenario():
        one, other = await postgres_client(weir.port), await postgres_client(weir.port)
        await one.query("begin isolation level repeatable read")
        waits = asyncio.create_task(other.value("select 'at last'"))
        for ending in ("commit and chain", "rollback and chain", "commit and chain"):
            answer = (await one.query(ending)).check()
            assert answer.status == "T"
            assert await one.value("show transaction_isolation") == "repeatable read"
        assert not waits.done()
        assert (await one.query("commit")).status == "I"
        assert await waits == "at last"
        await one.close()
        await other.close()

    aio(scenario())


def test_a_prepared_transaction_is_nobodys(launch, any_postgres, aio):
    weir = launch(any_postgres, max_connections=1)

    async def scenario():
        one, other = await postgres_client(weir.port), await postgres_client(weir.port)
        (await one.query("create table two_phase (n int)")).check()
        await one.query("begin")
        (await one.query("insert into two_phase values (1)")).check()
        answer = (await one.query("prepare transaction 'weirpool'")).check()
        assert (answer.tags, answer.status) == (["PREPARE TRANSACTION"], "I")
        assert await other.value("select count(*) from two_phase") == "0"
        (await other.query("commit prepared 'weirpool'")).check()
        assert await one.value("select count(*) from two_phase") == "1"
        (await one.query("drop table two_phase")).check()
        await one.close()
        await other.close()

    aio(scenario())
