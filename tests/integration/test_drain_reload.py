"""Signals: TERM drains at transaction boundaries with a deadline, HUP reloads all or nothing."""

import asyncio
import shutil
import signal
import ssl
import time

import pytest

from conftest import Client
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost

GONE = {"57P01", 1053}
DRAIN = {"drain": {"lame_duck": "1500ms", "timeout": "20s"}}


def exit_code(weir, seconds):
    return until(lambda: weir.process.poll() is not None, "it ends", seconds) and (
        weir.process.returncode)


async def in_thread(function, *arguments):
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def test_ready_and_alive(launch, database):
    weir = launch(database)
    assert weir.http_status("/livez") == 200
    assert weir.http_status("/readyz") == 200
    assert weir.http_status("/no-such-page") == 404


def test_lame_duck_is_not_ready_but_still_accepts(launch, database, client, aio):
    weir = launch(database, config=DRAIN)

    async def scenario():
        weir.signal(signal.SIGTERM)
        await in_thread(lambda: until(lambda: weir.http_status("/readyz") == 503, "503", 5))
        assert weir.http_status("/livez") == 200
        late = await client(weir.port)
        assert await late.value("select 'served'") == "served"
        await late.close()

    aio(scenario())
    assert exit_code(weir, 15) == 0


def test_clients_leave_at_their_transaction_boundary(launch, database, client, aio):
    weir = launch(database, config={"drain": {"lame_duck": "50ms", "timeout": "20s"}})

    async def told_goodbye(connection):
        with pytest.raises((DatabaseError, Lost)) as caught:
            await connection.query("select 1", timeout=5)
        if isinstance(caught.value, DatabaseError):
            assert caught.value.code in GONE, caught.value

    async def scenario():
        idle, inside, busy = [await client(weir.port) for _ in range(3)]
        await inside.query("begin")
        await inside.query("select 1")
        working = asyncio.ensure_future(busy.value(client.slow(2, "whole")))
        await in_thread(lambda: until(lambda: database.value(
            database.count_sql) >= 2, "both have a backend"))
        weir.signal(signal.SIGTERM)
        await in_thread(lambda: until(lambda: weir.events("drain_begin"), "the drain begins", 10))
        await told_goodbye(idle)
        for number in range(5):
            assert await inside.value(f"select '{number}'") == str(number)
        assert await working == "whole"
        assert weir.process.poll() is None, "it left while a transaction was open"
        await inside.query("commit")
        await told_goodbye(inside)
        await told_goodbye(busy)

    aio(scenario())
    assert exit_code(weir, 10) == 0


def test_the_deadline_ends_a_transaction_that_never_ends(launch, database, client, aio):
    weir = launch(database, config={"drain": {"lame_duck": "10ms", "timeout": "1s"}})

    async def scenario():
        inside = await client(weir.port)
        await inside.query("begin")
        await inside.query("select 1")
        weir.signal(signal.SIGTERM)
        began = time.monotonic()
        await inside.stream.at_end(15)
        assert time.monotonic() - began > 0.8, "the deadline was not waited for"
        inside.stream.close()

    aio(scenario())
    assert exit_code(weir, 15) == 0
    until(lambda: database.value(database.count_sql) == 0, "no backend is left behind")


def test_new_clients_are_turned_away_while_draining(launch, database, client, aio):
    weir = launch(database, config={"drain": {"lame_duck": "10ms", "timeout": "5s"}})

    async def scenario():
        inside = await client(weir.port)
        await inside.query("begin")
        await inside.query("select 1")
        weir.signal(signal.SIGTERM)
        await in_thread(lambda: until(lambda: weir.events("drain_begin"), "the drain begins", 10))
        with pytest.raises((DatabaseError, Lost)):
            await client(weir.port)
        await inside.query("commit")
        inside.stream.close()

    aio(scenario())
    assert exit_code(weir, 15) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_interrupt_and_quit_are_quick(launch, database, client, aio, number):
    weir = launch(database, config=DRAIN)

    async def scenario():
        idle = await client(weir.port)
        weir.signal(number)
        began = time.monotonic()
        await idle.stream.at_end(10)
        assert time.monotonic() - began < 1.4, "it sat out the lame duck time"
        idle.stream.close()

    aio(scenario())
    assert exit_code(weir, 10) == 0


def test_reload_adds_a_user_and_keeps_clients(launch, database, client, aio):
    weir = launch(database)

    async def scenario():
        inside = await client(weir.port)
        with pytest.raises(DatabaseError):
            await client(weir.port, password="second")
        weir.config["users"][USER] = {"password": PASSWORD, "old_password": "second"}
        await in_thread(weir.reload)
        fresh = await client(weir.port, password="second")
        assert await fresh.value("select 'new'") == "new"
        assert await inside.value("select 'old'") == "old"
        await fresh.close()
        await inside.close()

    aio(scenario())


def test_a_reload_takes_leave_of_who_is_configured_no_more(launch, database, client, aio):
    second = {"password": PASSWORD}
    weir = launch(database, config={
        "users": {"second": second},
        "databases": {DATABASE: {}, "other": {}}})
    for sql in second_user(database):
        database.execute(sql)
    try:
        async def told(connection, *codes):
            with pytest.raises((DatabaseError, Lost)) as caught:
                await connection.query("select 1", timeout=5)
            assert isinstance(caught.value, Lost) or caught.value.code in codes, caught.value

        async def scenario():
            stays = await client(weir.port)
            inside = await client(weir.port, database="other")
            await inside.query("begin")
            await inside.query("select 1")
            dropped = await client(weir.port, user="second")
            del weir.config["users"]["second"]
            del weir.config["databases"]["other"]
            await in_thread(weir.reload)
            await told(dropped, "57P01", 1053)
            assert await inside.value("select 'whole'") == "whole"
            await inside.query("commit")
            await told(inside, "3D000", 1049)
            assert await stays.value("select 'stays'") == "stays"
            await stays.close()

        aio(scenario())
    finally:
        database.execute("drop user second" + ("" if database.protocol == "postgresql" else "@'%%'"))


def second_user(server):
    if server.protocol == "postgresql":
        return (f"create role second login password '{PASSWORD}'",)
    return (f"create user second@'%%' identified by '{PASSWORD}'",
            "grant all on *.* to second@'%%'")


def of_pool(weir):
    return weir.metrics().total("weirpool_server_connections", database=DATABASE)


def test_a_lower_bound_holds_after_a_reload(launch, database, client, aio):
    weir = launch(database, config={"pool": {"default_pool_size": 8}})

    async def scenario():
        many = [await client(weir.port) for _ in range(8)]
        for one in many:
            await one.query("begin")
            await one.query("select 1")
        for one in many[:4]:
            await one.query("commit")
        assert of_pool(weir) == 8
        weir.config["pool"]["default_pool_size"] = 2
        await in_thread(weir.reload)
        await in_thread(lambda: until(lambda: of_pool(weir) == 4, "what is idle goes", 20))
        for one in many[4:]:
            assert await one.value("select 'undisturbed'") == "undisturbed"
            await one.query("commit")
        await in_thread(lambda: until(lambda: of_pool(weir) == 2, "the others, too", 20))
        for one in many:
            assert await one.value("select 'served'") == "served"
            await one.close()

    aio(scenario())


@pytest.mark.parametrize("breakage", [
    {"no_such_key": 1}, {"limits": {"max_client_conn": -1}}, {"users": {"x": {}}},
    {"timeouts": {"query_wait_timeout": 5}}])
def test_a_bad_reload_changes_nothing(launch, postgres, aio, breakage):
    client = Client(postgres)
    weir = launch(postgres)
    weir.expect_errors("config_reload")
    good = weir.config

    async def scenario():
        inside = await client(weir.port)
        weir.config = {**good, **breakage,
                       "users": {**good["users"], **breakage.get("users", {})}}
        await in_thread(weir.reload, False)
        assert await inside.value("select 1") == "1"
        fresh = await client(weir.port)
        assert await fresh.value("select 2") == "2"
        await fresh.close()
        await inside.close()
        assert weir.metrics().total("weirpool_config_last_reload_successful") == 0
        weir.config = good
        await in_thread(weir.reload)
        assert weir.metrics().total("weirpool_config_last_reload_successful") == 1

    aio(scenario())


def test_a_reload_that_leaves_no_descriptor_to_clients_changes_nothing(launch, postgres, aio):
    client = Client(postgres)
    weir = launch(postgres, nofile=500)
    weir.expect_errors("config_reload")
    weir.config["backends"]["db"]["max_connections"] = 1000
    assert "descriptors" in weir.reload(False)["detail"]

    async def scenario():
        one = await client(weir.port)
        assert await one.value("select 1") == "1"
        await one.close()

    aio(scenario())
    weir.config["backends"]["db"]["max_connections"] = 20
    weir.reload()


def test_a_reload_says_what_needs_a_restart(launch, postgres):
    weir = launch(postgres)
    weir.config["workers"] = 1
    assert "workers" in weir.reload()["needs_restart"]


def test_reloads_in_a_storm_of_clients(launch, database, client, aio):
    weir = launch(database, max_connections=4)

    async def scenario():
        done = asyncio.Event()

        async def busy(number):
            count = 0
            while not done.is_set():
                connection = await client(weir.port)
                for step in range(10):
                    assert await connection.value(f"select '{number}-{step}'") == f"{number}-{step}"
                await connection.close()
                count += 1
            return count

        crowd = [asyncio.ensure_future(busy(number)) for number in range(20)]
        for number in range(10):
            weir.config["limits"] = {"max_client_conn": 1000 + number}
            await in_thread(weir.reload)
        done.set()
        assert min(await asyncio.gather(*crowd)) > 0

    aio(scenario())


def test_a_certificate_is_replaced_under_live_clients(launch, postgres, certificates, aio, tmp_path):
    shown, key = tmp_path / "shown.pem", tmp_path / "shown.key"

    def show(cert, its_key):
        shutil.copyfile(cert, shown)
        shutil.copyfile(its_key, key)
        key.chmod(0o600)

    show(certificates.cert, certificates.key)
    weir = launch(postgres, listener_tls={"mode": "require", "cert_file": str(shown),
                                           "key_file": str(key)},
                  config={"limits": {"max_client_conn": 2}})
    trusting = ssl.create_default_context(cafile=certificates.ca)
    trusting.check_hostname = False

    async def connect():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, tls=trusting)
        return one, one.stream.writer.get_extra_info("ssl_object").getpeercert()["subject"]

    async def scenario():
        first, before = await connect()
        show(certificates.wrong_cert, certificates.wrong_key)
        await in_thread(weir.reload)
        assert await first.value("select 'still here'") == "still here"
        second, after = await connect()
        assert before != after
        assert await first.value("select 'and here'") == "and here"
        # Who is one too many hears so inside TLS.
        with pytest.raises(DatabaseError) as caught:
            await connect()
        assert caught.value.code == "53300"
        await first.close()
        await second.close()

    aio(scenario())
