"""Backends that go at every point of a client's work: what it hears, and what it may do next."""

import asyncio

import psycopg2
import psycopg2.extensions
import pytest

import servers
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.gate import Gate
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost


@pytest.fixture
def gate(database):
    one = Gate(database)
    yield one
    one.close()


@pytest.fixture
def behind_gate(launch, gate):
    return launch(gate, max_connections=2)


@pytest.mark.parametrize("reset", [False, True])
def test_cut_while_idle_nobody_notices(behind_gate, gate, client, aio, reset):
    async def scenario():
        one = await client(behind_gate.port)
        for number in range(5):
            assert await one.value(f"select '{number}'") == str(number)
            assert gate.cut(reset) >= 1
        await one.close()

    aio(scenario())


def under_way(weir):
    return weir.metrics().total("weirpool_client_connections", state="active") == 1


async def cut_under(weir, gate, connection, sql):
    """Sends `sql`, cuts while its answer is held back, and returns the answer to it."""
    gate.hold()
    loop = asyncio.get_running_loop()
    answer = asyncio.ensure_future(connection.query(sql))
    await asyncio.sleep(0)
    await loop.run_in_executor(None, lambda: until(lambda: under_way(weir), "it is under way"))
    gate.cut()
    gate.release()
    return await answer


def test_cut_under_an_autocommit_statement_closes(behind_gate, gate, client, aio):
    async def scenario():
        one = await client(behind_gate.port)
        await one.value("select 1")
        with pytest.raises((DatabaseError, Lost)) as caught:
            (await cut_under(behind_gate, gate, one, "select 2")).check()
            raise Lost("nothing was said")
        if isinstance(caught.value, DatabaseError):
            # MySQL has no number that says this: it hears nothing.
            assert client.is_postgres and caught.value.code == "08007", caught.value
        with pytest.raises((DatabaseError, Lost)):
            await one.value("select 3")
        other = await client(behind_gate.port)
        assert await other.value("select 4") == "4"
        await other.close()

    aio(scenario())
    assert behind_gate.metrics().total("weirpool_faults_total", reason="outcome_unknown") == 1


def test_cut_at_commit_closes(behind_gate, gate, client, aio):
    async def scenario():
        one = await client(behind_gate.port)
        await one.query("begin")
        await one.value("select 1")
        with pytest.raises((DatabaseError, Lost)) as caught:
            (await cut_under(behind_gate, gate, one, "commit")).check()
            raise Lost("nothing was said")
        if isinstance(caught.value, DatabaseError):
            assert client.is_postgres and caught.value.code == "08007", caught.value

    aio(scenario())
    assert behind_gate.metrics().total("weirpool_faults_total", reason="outcome_unknown") == 1


async def error_of(connection, sql):
    with pytest.raises(DatabaseError) as caught:
        (await connection.query(sql)).check()
    return caught.value.code


def test_cut_under_a_statement_of_a_transaction(behind_gate, gate, client, aio):
    lost, failed = ("40001", "25P02") if client.is_postgres else (1213, 1213)

    async def scenario():
        one = await client(behind_gate.port)
        await one.query("begin")
        await one.value("select 1")
        with pytest.raises(DatabaseError) as caught:
            (await cut_under(behind_gate, gate, one, "select 2")).check()
        assert caught.value.code == lost
        assert await error_of(one, "select 3") == failed
        await one.query("rollback")
        assert await one.value("select 4") == "4"
        await one.query("begin")
        assert await one.value("select 5") == "5"
        await one.query("commit")
        await one.close()

    aio(scenario())


def test_cut_while_idle_in_a_transaction(behind_gate, gate, client, aio):
    lost = "40001" if client.is_postgres else 1213

    async def scenario():
        one = await client(behind_gate.port)
        await one.query("begin")
        await one.value("select 1")
        gate.cut()
        await asyncio.get_running_loop().run_in_executor(None, lambda: until(
            lambda: not under_way(behind_gate), "it has been noticed"))
        # The client has heard of nothing: its COMMIT must not look like one.
        assert await error_of(one, "commit") == lost
        await one.query("rollback")
        assert await one.value("select 2") == "2"
        await one.close()

    aio(scenario())


def test_killed_by_the_server_in_a_transaction(launch, database, client, aio):
    """The server says why before it closes; the session is no part of that."""
    weir = launch(database, max_connections=2)
    lost = "40001" if client.is_postgres else 1213

    async def scenario():
        loop = asyncio.get_running_loop()
        one = await client(weir.port)
        await one.query("begin")
        await one.value("select 1")
        assert await loop.run_in_executor(None, database.kill_all) >= 1
        await loop.run_in_executor(None, lambda: until(
            lambda: not under_way(weir), "it has been noticed"))
        assert await error_of(one, "select 2") == lost
        if client.is_mysql:  # drivers believe the status of the last OK
            await one.ping()
            assert one.status & mywire.IN_TRANSACTION
        await one.query("rollback")
        if client.is_mysql:
            assert not one.status & mywire.IN_TRANSACTION
        assert await one.value("select 3") == "3"
        await one.close()

    aio(scenario())


@pytest.mark.parametrize("wanted", ["any", "read-write"])
def test_a_server_that_turns_read_only(launch, mysql, client_of, aio, wanted):
    """Where any server will do its refusal is an answer like others. Where a writer is wanted the
    backend is left, and the client waits for one."""
    mysql.execute(f"create table {DATABASE}.written (i int)")
    weir = launch(mysql, max_connections=2, config={
        "backends": {"db": {"target_session_attrs": wanted}},
        "timeouts": {"connect_backoff_min": "10ms", "connect_backoff_max": "100ms"}})

    def failed():
        return weir.metrics().total("weirpool_server_connects_total", result="failed")

    async def scenario():
        one = await client_of(mysql)(weir.port)
        await one.query("insert into written values (1)")
        first = await one.value("select @@pseudo_thread_id")
        mysql.execute("set global super_read_only = on")
        try:
            assert await error_of(one, "insert into written values (2)") == 1290
            asking = asyncio.ensure_future(one.value("select @@pseudo_thread_id", timeout=60))
            if wanted == "any":
                assert await asking == first
            else:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, lambda: until(
                    lambda: failed() > 0, "the server will not do"))
                assert not asking.done()
        finally:
            mysql.execute("set global read_only = off")
        assert (await asking == first) == (wanted == "any")
        await one.query("insert into written values (3)")
        await one.close()

    aio(scenario())
    assert mysql.value(f"select group_concat(i order by i) from {DATABASE}.written") == "1,3"
    mysql.execute(f"drop table {DATABASE}.written")


def test_a_temporary_table_is_not_replaced_by_nothing(behind_gate, gate, client, aio):
    """Pinned state went with the backend: the session cannot go on."""
    async def scenario():
        one = await client(behind_gate.port)
        await one.query("create temporary table t (a int)")
        await one.query("begin")
        await one.query("insert into t values (1)")
        gate.cut()
        with pytest.raises((DatabaseError, Lost)):
            await one.value("select count(*) from t")
            await one.value("select count(*) from t")

    aio(scenario())


def test_psycopg_goes_on_after_a_rollback(launch, postgres):
    gate = Gate(postgres)
    weir = launch(gate, max_connections=2)
    connection = psycopg2.connect(host=HOST, port=weir.port, user=USER, password=PASSWORD,
                                  dbname=DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("select 1")
        gate.cut()
        with pytest.raises(psycopg2.errors.SerializationFailure):
            cursor.execute("select 2")
        with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
            cursor.execute("select 3")
        connection.rollback()
        cursor.execute("select 4")
        assert cursor.fetchone() == (4,)
        gate.cut()
        until(lambda: not under_way(weir), "it has been noticed")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            connection.commit()
        cursor.execute("select 5")
        assert cursor.fetchone() == (5,)
    connection.close()
    gate.close()


def test_clients_wait_while_the_server_restarts(launch, certificates, client_of, aio):
    """Not the shared server: this one is restarted under its clients."""
    from servers import PostgresServer

    server = PostgresServer.create(certificates)
    try:
        client = client_of(server)
        weir = launch(server, max_connections=4)

        async def scenario():
            loop = asyncio.get_running_loop()
            clients = [await client(weir.port) for _ in range(8)]
            for one in clients:
                assert await one.value("select 1") == "1"
            await loop.run_in_executor(None, server.halt)
            waiting = [asyncio.ensure_future(one.value("select 2", timeout=60))
                       for one in clients]
            await loop.run_in_executor(None, lambda: until(
                lambda: weir.metrics().total("weirpool_pool_queue_length") == 8,
                "all of them wait"))
            await loop.run_in_executor(None, server.start)
            assert await asyncio.gather(*waiting) == ["2"] * 8
            for one in clients:
                await one.close()

        aio(scenario())
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PostgresServer", "MariaDbServer"])
def test_a_server_that_stays_away_is_said_at_once_and_found_again(launch, certificates, client_of, aio,
                                                                kind):
    """Its clients keep their sessions, and when it is back it is found within a second."""
    server = getattr(servers, kind).create(certificates)
    try:
        client = client_of(server)
        weir = launch(server, max_connections=4)
        weir.expect_errors("backend_down")

        async def scenario():
            loop = asyncio.get_running_loop()
            one = await client(weir.port)
            assert await one.value("select 1") == "1"
            await loop.run_in_executor(None, server.halt)
            with pytest.raises(DatabaseError) as refused:
                await one.value("select 2", timeout=60)
            code = "53300" if client.is_postgres else 1040
            assert refused.value.code == code
            assert weir.metrics().total("weirpool_backend_circuit_state") != 0
            began = loop.time()
            with pytest.raises(DatabaseError) as again:
                await one.value("select 3")
            assert again.value.code == code
            assert loop.time() - began < 0.5
            await loop.run_in_executor(None, server.start)
            await loop.run_in_executor(None, lambda: until(
                lambda: weir.metrics().total("weirpool_backend_circuit_state") == 0,
                "it is found again", 1.5))
            assert await one.value("select 4") == "4"
            await one.close()

        aio(scenario())
    finally:
        server.stop()
