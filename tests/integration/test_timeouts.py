"""What lasts too long is ended, and says so."""

import asyncio

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost


def told(client, error, sqlstate, number):
    assert isinstance(error, DatabaseError), error
    assert error.code == (sqlstate if client.is_postgres else number), error


def test_a_query_is_cancelled_after_query_timeout(launch, postgres, client_of, aio):
    weir = launch(postgres, max_connections=2, config={"timeouts": {"query_timeout": "300ms"}})

    client = client_of(postgres)

    async def scenario():
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        with pytest.raises(DatabaseError) as caught:
            await one.value("select pg_sleep(60)")
        assert caught.value.code == "57014"
        other = await client(weir.port)
        assert await other.value("select 2") == "2"
        await other.close()

    aio(scenario())
    until(lambda: postgres.value("select count(*) from pg_stat_activity where "
                                 "query like 'select pg_sleep(60)%' and state = 'active'") == 0,
          "the statement has gone at the server")


def test_users_have_timeouts_of_their_own(launch, postgres, aio):
    weir = launch(postgres, max_connections=3, config={
        "timeouts": {"query_timeout": "1m", "idle_transaction_timeout": "200ms"},
        "users": {USER: {"password": PASSWORD, "query_timeout": "300ms",
                         "idle_transaction_timeout": "1h"}}})

    async def connect():
        return await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)

    async def scenario():
        patient, hasty = await connect(), await connect()
        (await patient.query("begin")).check()
        with pytest.raises(DatabaseError) as caught:
            await hasty.value("select pg_sleep(60)")
        assert caught.value.code == "57014"
        assert await patient.value("select 3") == "3", "its own limit is an hour"
        weir.config["users"][USER] = {"password": PASSWORD}
        weir.reload()
        assert await patient.value("select pg_sleep(0.4)") == "", "the general limit is a minute"
        with pytest.raises((DatabaseError, Lost)):
            (await patient.answer()).check()

    aio(scenario())


def test_a_query_that_runs_too_long_ends_its_client(launch, mysql_like, client_of, aio):
    weir = launch(mysql_like, max_connections=2, config={"timeouts": {"query_timeout": "300ms"}})
    client = client_of(mysql_like)

    async def scenario():
        one = await client(weir.port)
        with pytest.raises(DatabaseError) as caught:
            await one.value("select sleep(20)")
        assert caught.value.code == 3024

    aio(scenario())
    until(lambda: mysql_like.value("select count(*) from information_schema.processlist where "
                                   "info = 'select sleep(20)'") == 0,
          "the statement has gone at the server")


def test_a_transaction_ends_after_transaction_timeout(launch, database, client, aio):
    weir = launch(database, config={"timeouts": {"transaction_timeout": "500ms"}})

    async def scenario():
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        await one.query("begin")
        with pytest.raises((DatabaseError, Lost)) as caught:
            for _ in range(200):
                await one.value("select 1")
                await asyncio.sleep(0.02)
        if isinstance(caught.value, DatabaseError):
            told(client, caught.value, "25P04", 4031)
        other = await client(weir.port)
        assert await other.value("select 1") == "1"
        await other.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_faults_total", reason="transaction_timeout") == 1


def test_backends_idle_for_long_are_checked(launch, database, client, aio):
    """With a delay of zero before every lending; what the client hears is the same."""
    weir = launch(database, max_connections=1, config={"timeouts": {"server_check_delay": "0"}})

    async def scenario():
        one = await client(weir.port)
        first = await one.value(client.backend_id)
        for number in range(20):
            assert await one.value(f"select '{number}'") == str(number)
        assert await one.value(client.backend_id) == first
        await one.close()

    aio(scenario())


LONG = pgwire.query(f"select '{'x' * 100000}'")
STALLS = {
    "rows of a COPY": pgwire.query("copy stalled from stdin"),
    "half a statement": LONG[:50000],
    "half a batch": pgwire.parse("", "select 1") + pgwire.bind("", "") + pgwire.execute(),
    "half a Bind": pgwire.parse("", "select $1::text") + pgwire.bind("", "", [b"x" * 9000])[:6000],
    "answers not taken": pgwire.query("select repeat('x', 1000) from generate_series(1, 50000)"),
}


@pytest.mark.parametrize("limit", ["idle_transaction_timeout", "idle_transaction_timeout_waiting"])
@pytest.mark.parametrize("stall", STALLS)
def test_a_client_that_stalls_its_statement_loses_its_backend(launch, postgres, aio, stall, limit):
    weir = launch(postgres, max_connections=1, config={"timeouts": {limit: "300ms"}})

    async def scenario():
        owner = await pgwire.PgConn.connect(HOST, postgres.port, USER, PASSWORD, DATABASE)
        (await owner.query("create table if not exists stalled (n int)")).check()
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        other = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        one.send(STALLS[stall])
        until(lambda: weir.metrics().total(
            "weirpool_client_connections", state="active") == 1, "it has begun")
        assert await other.value("select 1") == "1"
        one.abort()
        await other.close()
        await owner.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_faults_total", reason="idle_transaction_timeout") == 1
