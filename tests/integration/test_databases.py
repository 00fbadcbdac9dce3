"""Pool modes, names for databases, bounds of their own, and several hosts, with real servers."""

import asyncio

import pytest

from servers import DATABASE, USER
from weirtest.gate import Gate
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost


def test_session_mode_keeps_what_transaction_mode_would_not(launch, database, client, aio):
    weir = launch(database, max_connections=2, config={"pool_mode": "session"})

    async def scenario():
        one = await client(weir.port)
        backend = await one.value(client.backend_id)
        await one.query("create temporary table t (a int)")
        for number in range(5):
            await one.query(f"insert into t values ({number})")
            assert await one.value(client.backend_id) == backend
        assert await one.value("select count(*) from t") == "5"
        await one.close()
        # The next one may have the same backend, and finds nothing in it.
        other = await client(weir.port)
        with pytest.raises(DatabaseError):
            await other.value("select count(*) from t")
        await other.close()

    aio(scenario())


def test_statement_mode_refuses_transactions(launch, database, client, aio):
    weir = launch(database, max_connections=2, config={"users": {USER: {"pool_mode": "statement"}}})

    async def scenario():
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        with pytest.raises((DatabaseError, Lost)):
            answer = await one.query("begin")
            if client.is_postgres:
                answer.check()
            await one.value("select 2")
        other = await client(weir.port)
        assert await other.value("select 3") == "3"
        await other.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_faults_total", reason="transaction_refused") == 1


def test_pools_with_a_minimum_are_filled_before_clients_come(launch, database):
    weir = launch(database, config={"databases": {
        "shop": {"database": DATABASE, "user": USER, "min_pool_size": 3},
        "other": {"database": DATABASE, "min_pool_size": 3}}})
    metrics = weir.metrics()
    assert metrics.total("weirpool_server_connections", database="shop", state="idle") == 3
    assert metrics.total("weirpool_server_connections") == 3


def test_a_name_leads_to_a_database_and_nothing_else_does(launch, database, client, aio):
    weir = launch(database, config={"databases": {
        "shop": {"database": DATABASE}, "tiny": {"database": "other", "pool_size": 1}}})
    current = "select current_database()" if client.is_postgres else "select database()"

    async def scenario():
        one = await client(weir.port, database="shop")
        assert await one.value(current) == DATABASE
        await one.close()
        with pytest.raises(DatabaseError) as caught:
            await client(weir.port, database=DATABASE)
        assert caught.value.code == ("3D000" if client.is_postgres else 1049)
        several = [await client(weir.port, database="tiny") for _ in range(5)]
        backends = await asyncio.gather(*(each.value(client.backend_id) for each in several))
        assert len(set(backends)) == 1
        for each in several:
            await each.close()

    aio(scenario())


def test_clients_of_a_user_are_counted(launch, database, client, aio):
    weir = launch(database, config={"users": {USER: {"max_user_client_connections": 2}}})

    async def scenario():
        first, second = await client(weir.port), await client(weir.port)
        with pytest.raises(DatabaseError) as caught:
            await client(weir.port)
        assert caught.value.code == ("53300" if client.is_postgres else 1040)
        await first.close()
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            try:
                third = await client(weir.port)
                break
            except DatabaseError:
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)
        assert await third.value("select 1") == "1"
        await second.close()
        await third.close()

    aio(scenario())


def test_connect_options_hold_for_every_backend(launch, postgres, client_of, aio):
    client = client_of(postgres)
    weir = launch(postgres, config={"databases": {
        "*": {"connect_options": "-c statement_timeout=4321ms"}}})

    async def scenario():
        one = await client(weir.port)
        assert await one.value("show statement_timeout") == "4321ms"
        await one.close()

    aio(scenario())


class TwoHosts:
    def __init__(self, protocol, *hosts):
        self.protocol = protocol
        self.address = ", ".join(host.address for host in hosts)


def test_the_second_host_serves_while_the_first_is_down(launch, database, client, aio):
    down = Gate(database)
    up = Gate(database)
    weir = launch(TwoHosts(database.protocol, down, up), max_connections=2)
    down.close()

    async def scenario():
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        await one.close()

    aio(scenario())
    up.close()


def test_a_server_that_stops_writing_is_left(launch, postgres, client_of, aio):
    """A read-only role stands for a standby: the question to the server is the same."""
    client = client_of(postgres)
    gates = Gate(postgres), Gate(postgres)
    server = TwoHosts(postgres.protocol, *gates)
    weir = launch(server, max_connections=2, config={
        "backends": {"db": {"target_session_attrs": "read-write"}},
        "timeouts": {"connect_backoff_min": "10ms", "connect_backoff_max": "100ms"}})

    async def scenario():
        loop = asyncio.get_running_loop()
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        await loop.run_in_executor(None, lambda: postgres.execute(
            f"alter role {USER} set default_transaction_read_only = on"))
        try:
            answer = await one.query("create table refused (a int)")
            if not answer.errors:  # the backend is from before: nobody has asked it yet
                await one.query("drop table refused")
            gates[0].cut()
            gates[1].cut()
            waiting = asyncio.ensure_future(one.value("select 2", timeout=60))
            await loop.run_in_executor(None, lambda: until(
                lambda: weir.metrics().total("weirpool_server_connects_total", result="failed") > 2,
                "no host will do"))
            assert not waiting.done()
        finally:
            await loop.run_in_executor(None, lambda: postgres.execute(
                f"alter role {USER} reset default_transaction_read_only"))
        assert await waiting == "2"
        await one.close()

    aio(scenario())
    for gate in gates:
        gate.close()
