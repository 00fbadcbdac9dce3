"""Servers that turn weirpool's logins away: who waits, who is told, and who must not notice."""

import asyncio

import pymysql
import pytest

from servers import DATABASE, PASSWORD, USER
from weirtest.poll import until, until_async
from weirtest.wire import DatabaseError


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


def test_a_server_that_is_full_is_not_pressed(launch, mysql_like, client_of, aio):
    """1040 for whoever comes next: those that it has taken serve everybody."""
    client = client_of(mysql_like)
    most, before = 12, mysql_like.value("select @@global.max_connections")
    mysql_like.execute(f"set global max_connections = {most}")
    weir = launch(mysql_like, max_connections=40, config={"timeouts": {
        "connect_backoff_min": "10ms", "connect_backoff_max": "50ms"}})
    clients, rounds = 60, 5

    def lets_in_again():
        try:
            mysql_like.execute(f"set global max_connections = {before}")
            return True
        except pymysql.OperationalError:
            return False

    async def work(number):
        one = await client(weir.port, timeout=60)
        for _ in range(rounds):
            assert await one.value(client.slow(0.02, number), timeout=60) == str(number)
        await one.close()

    async def scenario():
        await asyncio.gather(*(work(number) for number in range(clients)))

    try:
        aio(scenario())
        metrics = weir.metrics()
        assert 0 < metrics.total("weirpool_server_connects_total", result="failed") < clients
        opened = metrics.total("weirpool_server_connects_total", result="ok", database=DATABASE)
        assert opened <= most + 1, "an administrator may have one more"
        weir.stop()  # who holds all connections keeps out who would allow more
    finally:
        weir.kill()
        until(lets_in_again, "the server takes connections again")


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
