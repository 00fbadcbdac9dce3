"""Backends that go at every point of a client's work: what it hears, and what it may do next."""

import asyncio

import psycopg2
import psycopg2.extensions
import pytest

import servers
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.gate import Gate
from weirtest.poll import until, until_async
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


def test_an_account_that_may_have_no_more_is_not_pressed(launch, postgres, client_of, aio):
    """53300 for the sixth connection: five serve everybody, nobody is turned away."""
    client = client_of(postgres)
    weir = launch(postgres, max_connections=20, config={"timeouts": {
        "connect_backoff_min": "10ms", "connect_backoff_max": "50ms"}})
    postgres.execute(f"alter role {USER} connection limit 5")
    try:
        async def work(number):
            one = await client(weir.port, timeout=60)
            for _ in range(5):
                assert await one.value(f"select '{number}' from pg_sleep(0.02)",
                                       timeout=60) == str(number)
            await one.close()

        async def scenario():
            await asyncio.gather(*(work(number) for number in range(60)))

        aio(scenario())
        failed = weir.metrics().total("weirpool_server_connects_total", result="failed")
        assert 0 < failed < 40, failed
    finally:
        postgres.execute(f"alter role {USER} connection limit -1")


@pytest.fixture
def narrow(database):
    """A user that may have one connection to the server."""
    if database.protocol == "postgresql":
        database.execute(f"create role narrow login password '{PASSWORD}' connection limit 1")
    else:
        database.execute(f"create user narrow@'%%' identified by '{PASSWORD}' "
                         "with max_user_connections 1")
        database.execute(f"grant select on {DATABASE}.* to narrow@'%%'")
    yield "narrow"
    until(lambda: not database.value(database.count_sql), "its connections are gone")
    database.execute("drop role narrow" if database.protocol == "postgresql"
                     else "drop user narrow@'%%'")


def test_the_limit_of_one_account_slows_nobody_else(launch, database, narrow, client, aio):
    weir = launch(database, max_connections=8, config={"users": {
        USER: {"password": PASSWORD}, narrow: {"password": PASSWORD}}})

    async def scenario():
        first = await client(weir.port, user=narrow)
        await first.query("begin")
        await first.value("select 1")
        second = await client(weir.port, user=narrow)
        waits = asyncio.ensure_future(second.value("select 'served'"))
        refused = "weirpool_server_connects_total"
        await asyncio.get_running_loop().run_in_executor(None, lambda: until(
            lambda: weir.metrics().total(refused, result="failed") >= 1, "the account is full"))
        # Opened one after the other, well before anybody asks for the account again.
        others = []
        for number in range(5):
            others.append(await client(weir.port))
            await others[-1].query("begin")
            assert await others[-1].value(f"select '{number}'", timeout=1) == str(number)
        assert not waits.done()
        assert weir.metrics().total(refused, result="failed") == 1
        await first.query("commit")
        assert await waits == "served"
        for each in (first, second, *others):
            await each.close()

    aio(scenario())
    weir.stop()


def test_what_costs_a_login_its_session_costs_others_a_statement(launch, postgres, client_of, aio):
    """Drivers close behind a FATAL; the session stays, so it is an ERROR."""
    client = client_of(postgres)
    weir = launch(postgres, max_connections=2, config={"timeouts": {"unknown_database_ttl": "1ms"}})

    async def scenario():
        second = await client(weir.port, database="other")
        assert await second.value("select 1") == "1"
        postgres.execute("alter database other allow_connections false")
        postgres.kill_all()  # nothing that is open can serve
        answer = await second.query("select 1")
        assert [error.fields["S"] for error in answer.errors] == ["ERROR"], answer.errors
        assert (answer.errors[0].code, answer.status) == ("57P03", "I")
        postgres.execute("alter database other allow_connections true")

        async def served():
            return not (await second.query("select 2")).errors

        await until_async(served, "the session is served again")
        await second.close()

    try:
        aio(scenario())
    finally:
        postgres.execute("alter database other allow_connections true")


@pytest.mark.slow
@pytest.mark.parametrize("closed, opened", [
    (f"revoke connect on database other from public, {USER}",
     f"grant connect on database other to public, {USER}"),
    ("alter database other allow_connections false", "alter database other allow_connections true")],
    ids=["no-right", "takes-nobody"])
def test_a_database_that_takes_nobody_slows_nobody_else(launch, postgres, client_of, aio, closed,
                                                        opened):
    """42501 and 55000 are about one database: neither its host nor the other pools are backed off."""
    client = client_of(postgres)
    weir = launch(postgres, max_connections=8, config={"timeouts": {"unknown_database_ttl": "1ms"}})

    async def refused(until_done):
        count = 0
        while not until_done.is_set():
            with pytest.raises(DatabaseError) as caught:
                await client(weir.port, database="other")
            assert caught.value.code == "57P03", caught.value
            count += 1
        return count

    async def scenario():
        done = asyncio.Event()
        askers = [asyncio.ensure_future(refused(done)) for _ in range(3)]
        others = []
        for number in range(5):
            others.append(await client(weir.port))
            await others[-1].query("begin")
            assert await others[-1].value(f"select '{number}'", timeout=2) == str(number)
        done.set()
        assert min(await asyncio.gather(*askers)) > 0
        for each in others:
            await each.close()

    postgres.execute(closed)
    try:
        aio(scenario())
    finally:
        postgres.execute(opened)

    async def welcome():
        one = await client(weir.port, database="other")
        assert await one.value("select current_database()") == "other"
        await one.close()

    aio(welcome())


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


def test_a_password_that_has_changed_ends_nobody_who_can_be_served(
        launch, postgres, client_of, aio):
    """The server takes no new login: what is open goes on serving everybody in turn."""
    client = client_of(postgres)
    weir = launch(postgres, max_connections=2)

    async def scenario():
        holder, other = await client(weir.port), await client(weir.port)
        await holder.query("begin")
        await holder.query("select 1")
        await asyncio.to_thread(postgres.execute, f"alter role {USER} password 'changed'")
        try:
            waiting = asyncio.ensure_future(other.value("select 'served'"))
            await asyncio.to_thread(until, lambda: weir.metrics().total(
                "weirpool_server_connects_total", result="failed") > 0, "a login is refused")
            assert not waiting.done()
            await holder.query("commit")
            assert await waiting == "served"
        finally:
            await asyncio.to_thread(
                postgres.execute, f"alter role {USER} password '{PASSWORD}'")
        for one in (holder, other):
            await one.close()

    aio(scenario())
