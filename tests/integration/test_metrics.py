"""What can be watched: metrics with honest numbers and logs with a fixed shape and no secrets."""

import asyncio
import subprocess

import pytest

from conftest import Client
from servers import HOST, LEGACY_PASSWORD, PASSWORD
from weirtest import pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Stream

NAMES = {
    "weirpool_build_info", "weirpool_workers", "weirpool_client_connections",
    "weirpool_client_connections_limit", "weirpool_client_connections_accepted_total",
    "weirpool_client_logins_total", "weirpool_backend_connections_open",
    "weirpool_backend_connections_limit", "weirpool_server_connections",
    "weirpool_pool_queue_length", "weirpool_pool_wait_seconds_bucket",
    "weirpool_pool_wait_seconds_sum", "weirpool_pool_wait_seconds_count",
    "weirpool_transactions_total", "weirpool_server_connects_total",
    "weirpool_config_last_reload_successful", "weirpool_draining",
}


async def some_traffic(client, port):
    connection = await client(port)
    for number in range(10):
        await connection.value(f"select 'sql-in-the-log-{number}'")
    await connection.query("begin")
    await connection.query("select 1")
    await connection.query("commit")
    return connection


def test_names_and_promtool(launch, database, client, aio):
    weir = launch(database)
    aio(some_traffic(client, weir.port))
    text = weir.http("/metrics")
    missing = NAMES - weir.metrics().names()
    assert not missing, missing
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout


def test_numbers_are_true(launch, database, client, aio):
    weir = launch(database, max_connections=7)

    async def scenario():
        connection = await some_traffic(client, weir.port)
        idle = [await client(weir.port) for _ in range(3)]
        loop = asyncio.get_running_loop()

        def settled():
            metrics = weir.metrics()
            return (metrics.total("weirpool_client_connections") == 4
                    and metrics.total("weirpool_transactions_total") == 11 and metrics)

        metrics = await loop.run_in_executor(None, lambda: until(settled, "4 clients, 11 txns"))
        assert metrics.total("weirpool_client_logins_total", result="ok") == 4
        assert metrics.total("weirpool_backend_connections_limit") == 7
        assert 1 <= metrics.total("weirpool_backend_connections_open") <= 7
        assert metrics.total("weirpool_pool_wait_seconds_count") >= 11
        assert metrics.total("weirpool_draining") == 0
        for one in (connection, *idle):
            await one.close()
        await loop.run_in_executor(None, lambda: until(
            lambda: weir.metrics().total("weirpool_client_connections") == 0, "all have left"))

    aio(scenario())


def test_failed_logins_are_counted(launch, database, client, aio):
    weir = launch(database)

    async def scenario():
        for _ in range(3):
            with pytest.raises(DatabaseError):
                await client(weir.port, password="wrong")

    aio(scenario())
    until(lambda: weir.metrics().total("weirpool_faults_total", reason="login_denied") == 3,
          "three refusals are counted")


def test_waiting_clients_show(launch, postgres, aio):
    client = Client(postgres)
    weir = launch(postgres, max_connections=1)

    async def scenario():
        holder = await client(weir.port)
        await holder.query("begin")
        others = [await client(weir.port) for _ in range(5)]
        waits = [asyncio.ensure_future(one.query("select 1")) for one in others]
        await asyncio.get_running_loop().run_in_executor(None, lambda: until(
            lambda: weir.metrics().total("weirpool_pool_queue_length") == 5, "five wait"))
        await holder.query("commit")
        await asyncio.gather(*waits)
        for one in (holder, *others):
            await one.close()
        assert weir.metrics().total("weirpool_pool_queue_length") == 0

    aio(scenario())


def test_log_lines_have_one_shape_and_no_secrets(launch, postgres, mysql, aio):
    weir = launch({"postgres": postgres, "mysql": mysql},
                  config={"log": {"format": "json", "level": "debug", "connections": True}})

    async def scenario():
        for server in (postgres, mysql):
            name = "postgres" if server is postgres else "mysql"
            client = Client(server)
            await (await some_traffic(client, weir.ports[name])).close()
            with pytest.raises(DatabaseError):
                await client(weir.ports[name], password="guessed-password-5521")
            server.kill_all()
            await (await some_traffic(client, weir.ports[name])).close()
        stream = Stream()
        await stream.open(HOST, weir.ports["postgres"])
        stream.write(pgwire.message(b"\x01", b"guessed-password-5521"))
        await stream.at_end()
        stream.close()

    aio(scenario())
    weir.stop()
    events = weir.events()
    assert {"listening", "client_login", "drain_begin"} <= {one["event"] for one in events}
    for one in events:
        assert list(one)[:4] == ["ts", "level", "event", "msg"], one
        assert one["level"] in ("debug", "info", "warn", "error")
        assert one["event"].replace("_", "").isalnum() and one["event"].islower()
        assert one["ts"].endswith("Z") and "T" in one["ts"]
    for secret in (PASSWORD, LEGACY_PASSWORD, "guessed-password", "sql-in-the-log", "SCRAM-SHA"):
        assert secret not in weir.log_text(), secret


def test_client_supplied_names_cannot_forge_log_lines(launch, postgres, aio):
    client = Client(postgres)
    weir = launch(postgres, config={"log": {"connections": True}})
    forged = 'x"}\n{"level":"error","event":"forged'

    async def scenario():
        connection = await client(weir.port, application_name=forged)
        await connection.close()
        with pytest.raises(DatabaseError):
            await client(weir.port, user=forged)

    aio(scenario())
    weir.stop()
    assert all(one["event"] != "forged" for one in weir.events())


def test_state_changing_requests_need_post(launch, postgres):
    weir = launch(postgres)
    for path in ("/metrics", "/livez", "/readyz"):
        assert weir.http_status(path, "DELETE") in (404, 405), path
    assert weir.http_status("/api/v1/drain") in (404, 405)
    assert weir.is_ready()
