"""The console: PgBouncer's commands, columns and verbs, asked by the clients people ask with."""

import asyncio
import json
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import psycopg
import psycopg2
import pytest

from proxy import Metrics
from servers import (DATABASE, HOST, LEGACY_PASSWORD, LEGACY_USER, PASSWORD, USER, free_port,
                     newest)
from weirtest import pgwire
from weirtest.poll import until
from weirtest.poll import until

CLIENTS = Path(__file__).resolve().parent / "clients"
JDBC = "/usr/share/java/postgresql.jar"

# PgBouncer 1.25, in the order of the wire.
COLUMNS = {
    "POOLS": "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req "
             "sv_active sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login "
             "maxwait maxwait_us pool_mode load_balance_hosts",
    "STATS": "database total_server_assignment_count total_xact_count total_query_count "
             "total_received total_sent total_xact_time total_query_time total_wait_time "
             "total_client_parse_count total_server_parse_count total_bind_count "
             "avg_server_assignment_count avg_xact_count avg_query_count avg_recv avg_sent "
             "avg_xact_time avg_query_time avg_wait_time avg_client_parse_count "
             "avg_server_parse_count avg_bind_count",
    "DATABASES": "name host port database force_user pool_size min_pool_size reserve_pool_size "
                 "server_lifetime pool_mode load_balance_hosts max_connections "
                 "current_connections max_client_connections current_client_connections paused "
                 "disabled",
    "CLIENTS": "type user database replication state addr port local_addr local_port "
               "connect_time request_time wait wait_us close_needed ptr link remote_pid tls "
               "application_name prepared_statements id",
    "LISTS": "list items",
    "USERS": "name pool_size reserve_pool_size pool_mode max_user_connections "
             "current_connections max_user_client_connections current_client_connections",
    "CONFIG": "key value default changeable",
    "VERSION": "version",
    "STATE": "key value",
}
COLUMNS["SERVERS"] = COLUMNS["CLIENTS"]


def console_url(weir, name="postgres", database="pgbouncer", user=USER, password=PASSWORD):
    return f"postgresql://{user}:{password}@{HOST}:{weir.ports[name]}/{database}"


@pytest.fixture
def weirpool(launch, postgres):
    return launch({"postgres": postgres}, config={
        "admin": {"users": [USER], "stats_users": [LEGACY_USER]}})


@pytest.fixture
def console(weirpool):
    """SQL -> rows, each by column name; an error raises."""
    connection = psycopg2.connect(console_url(weirpool))
    connection.autocommit = True

    def ask(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            if cursor.description is None:
                return None
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]

    yield ask
    connection.close()


def application(weirpool, **more):
    connection = psycopg2.connect(console_url(weirpool, database=DATABASE), **more)
    connection.autocommit = True
    return connection


def value(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_columns_are_pgbouncers(weirpool, console):
    app = application(weirpool)
    value(app, "select 1")
    for name, expected in COLUMNS.items():
        rows = console(f"SHOW {name}")
        assert list(rows[0]) == expected.split(), name
    app.close()


def test_times_of_a_client_that_keeps_its_backend_are_told_while_it_is_there(launch, postgres):
    weir = launch({"postgres": postgres}, config={"pool_mode": "session"})
    admin = psycopg2.connect(console_url(weir))
    admin.autocommit = True
    app, other = application(weir), application(weir)

    def times():
        with admin.cursor() as cursor:
            cursor.execute("SHOW STATS_TOTALS")
            names = [column.name for column in cursor.description]
            (row,) = [row for row in (dict(zip(names, one)) for one in cursor.fetchall())
                      if row["database"] == DATABASE]
        return float(row["xact_time"]) / 1e6, float(row["query_time"]) / 1e6

    value(app, "select pg_sleep(0.3)")
    until(lambda: min(times()) >= 0.3, "both are told")
    assert max(times()) < 5
    value(other, "select pg_sleep(0.5)")  # the first client is idle meanwhile
    until(lambda: min(times()) >= 0.8, "the other's too")
    with app.cursor() as cursor:
        cursor.execute("begin")
    before = times()
    value(other, "select pg_sleep(2)")  # it is idle in its transaction
    with app.cursor() as cursor:
        cursor.execute("commit")
    until(lambda: times()[0] - before[0] >= 4, "the transactions of both")
    assert 2 <= times()[1] - before[1] < 4, "idle in a transaction is no query"
    for one in (app, other, admin):
        one.close()


def test_pools_and_stats_count_what_happens(weirpool, console):
    first, second = application(weirpool), application(weirpool, application_name="web")
    value(first, "select 1")
    with second.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select pg_backend_pid()")
        (pid,) = cursor.fetchone()
    (pool,) = [row for row in console("SHOW POOLS") if row["database"] == DATABASE]
    assert (pool["user"], pool["cl_active"], pool["cl_waiting"]) == (USER, 2, 0)
    assert pool["sv_active"] == 1 and pool["maxwait"] == 0
    (client,) = [row for row in console("SHOW CLIENTS") if row["application_name"] == "web"]
    assert client["state"] == "active" and client["remote_pid"] == pid
    assert time.strptime(client["connect_time"].rsplit(" ", 1)[0], "%Y-%m-%d %H:%M:%S")
    (server,) = [row for row in console("SHOW SERVERS") if row["remote_pid"] == pid]
    assert server["ptr"] == client["link"] and server["link"] == client["ptr"]
    assert server["state"] == "active"
    with second.cursor() as cursor:
        cursor.execute("commit")
    (stats,) = [row for row in console("SHOW STATS_TOTALS") if row["database"] == DATABASE]
    assert stats["xact_count"] == 2 and stats["query_count"] == 4
    assert stats["bytes_received"] > 0 and stats["bytes_sent"] > 0 and stats["xact_time"] > 0
    lists = {row["list"]: row["items"] for row in console("SHOW LISTS")}
    assert lists["used_clients"] == 3
    first.close()
    second.close()


def test_it_needs_no_backend_and_works_when_all_are_taken(launch, postgres):
    weir = launch({"postgres": postgres}, max_connections=1,
                  config={"limits": {"max_client_conn": 2}})
    holder = psycopg2.connect(console_url(weir, database=DATABASE))
    value(holder, "select 1")  # inside a transaction
    other = psycopg2.connect(console_url(weir, database=DATABASE))
    with pytest.raises(psycopg2.OperationalError, match="too many connections"):
        psycopg2.connect(console_url(weir, database=DATABASE))
    admin = psycopg2.connect(console_url(weir, database="weirpool"))
    admin.autocommit = True
    assert value(admin, "SHOW VERSION").startswith("PgBouncer 1.25.")
    for one in (holder, other, admin):
        one.close()


def test_psql(weirpool, program):
    url = console_url(weirpool)
    out = program("psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", stdin=(
        "SHOW VERSION;\n;\nSET DateStyle = 'ISO';\n"
        "SHOW STATE \\; -- two at once; really\nSHOW STATE;\n"))
    assert out.count("paused|no") == 2
    assert "PgBouncer 1.25." in out
    assert "KILL_CLIENT" in program("sh", "-c", f"psql '{url}' -Xc 'SHOW HELP' 2>&1")


def test_psycopg3_by_the_extended_protocol(weirpool):
    with psycopg.connect(console_url(weirpool), autocommit=True) as admin:
        for binary in (False, True):
            cursor = admin.cursor(binary=binary)
            for _ in range(7):  # and from the sixth on as a prepared statement
                row = cursor.execute("SHOW LISTS").fetchone()
                assert row == ("databases", 1)
            cursor.execute("SHOW STATS")
            assert [column.name for column in cursor.description] == COLUMNS["STATS"].split()
            assert cursor.fetchone()[1] == 0
        with admin.pipeline():
            cursors = [admin.execute("SHOW VERSION") for _ in range(5)]
        assert len({one.fetchone() for one in cursors}) == 1
    with psycopg.connect(console_url(weirpool)) as admin:  # with transactions around everything
        assert admin.execute("SHOW STATE").fetchone() == ("active", "yes")


def test_jdbc(weirpool, program):
    url = f"jdbc:postgresql://{HOST}:{weirpool.ports['postgres']}/pgbouncer"
    for mode in ("simple", "extended"):
        assert program("java", "-cp", JDBC, CLIENTS / "java/Console.java",
                       f"{url}?preferQueryMode={mode}", USER, PASSWORD) == "done\n"


def test_roles_are_checked_per_command(weirpool, console):
    watcher = psycopg2.connect(
        console_url(weirpool, user=LEGACY_USER, password=LEGACY_PASSWORD))
    watcher.autocommit = True
    assert value(watcher, "SHOW POOLS")
    for command in ("PAUSE", "RELOAD", "KILL_CLIENT 1", "SHUTDOWN", "SET log.level = debug"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), watcher.cursor() as cursor:
            cursor.execute(command)
    watcher.close()
    weirpool.config["admin"]["stats_users"] = []
    weirpool.reload()
    with pytest.raises(psycopg2.OperationalError, match="not allowed"):
        psycopg2.connect(console_url(weirpool, user=LEGACY_USER, password=LEGACY_PASSWORD))
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(console_url(weirpool, password="wrong"))
    assert console("SHOW STATE")


def test_pause_waits_for_transactions_and_resume_lets_clients_go(weirpool, console, postgres, aio):
    async def scenario():
        port = weirpool.port
        inside = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)
        waiting = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)
        admin = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, "pgbouncer")
        await inside.query("begin")
        assert await inside.value("select 1") == "1"
        pause = asyncio.ensure_future(admin.query(f"PAUSE {DATABASE}"))
        await until_async(lambda: console("SHOW DATABASES")[0]["paused"] == 1)
        late = asyncio.ensure_future(waiting.value("select 'served'"))
        await until_async(lambda: any(
            row["state"] == "waiting" for row in console("SHOW CLIENTS")))
        assert not pause.done()
        assert await inside.value("select 2") == "2"
        await inside.query("commit")
        await asyncio.wait_for(pause, 20)
        assert postgres.value(postgres.count_sql) == 0
        assert not late.done()
        console(f"RESUME {DATABASE}")
        assert await asyncio.wait_for(late, 20) == "served"
        for one in (inside, waiting, admin):
            await one.close()

    async def until_async(condition):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, lambda: until(condition, "it shows", 20))

    aio(scenario())


def test_suspend_holds_everything_and_resume_lets_it_go(weirpool, console, aio):
    """Also an answer of which half is on its way, and a transaction."""

    async def scenario():
        arguments = (HOST, weirpool.port, USER, PASSWORD, DATABASE)
        reading = await pgwire.PgConn.connect(*arguments)
        inside = await pgwire.PgConn.connect(*arguments)
        (await inside.query("begin")).check()
        answer = asyncio.ensure_future(reading.query(
            "select i, repeat('x', 100), case when i % 500 = 0 then pg_sleep(0.02) end "
            "from generate_series(1, 50000) i"))
        await asyncio.sleep(0)  # it is on its way
        await asyncio.to_thread(console, "SUSPEND")
        states = {row["key"]: row["value"] for row in await asyncio.to_thread(console, "SHOW STATE")}
        assert states == {"active": "no", "paused": "no", "suspended": "yes"}
        held = asyncio.ensure_future(inside.query("select 1"))
        arrived, _ = await asyncio.wait([answer, held], timeout=1)
        assert not arrived
        await asyncio.to_thread(console, "RESUME")
        result = await answer
        result.check()
        assert [int(row[0]) for row in result.rows] == list(range(1, 50001))
        (await held).check()
        (await inside.query("commit")).check()
        await reading.close()
        await inside.close()

    aio(scenario())


def test_a_suspension_ends_with_its_console(weirpool):
    """Nobody would be there to end it."""
    app = application(weirpool)
    value(app, "select 1")
    console = psycopg2.connect(console_url(weirpool))
    console.autocommit = True
    with console.cursor() as cursor:
        cursor.execute("SUSPEND")
    console.close()
    assert value(app, "select 1") == 1
    app.close()


def test_fds_are_for_admins_and_none_is_handed_over(weirpool, console):
    columns = ("fd task user database addr port cancel link client_encoding std_strings datestyle "
               "timezone password scram_client_key scram_server_key")
    with psycopg.connect(console_url(weirpool), autocommit=True) as admin:
        cursor = admin.execute("SHOW FDS")
        assert [column.name for column in cursor.description] == columns.split()
        assert [column.type_code for column in cursor.description][-2:] == [17, 17]
        assert cursor.fetchall() == []
    watcher = console_url(weirpool, user=LEGACY_USER, password=LEGACY_PASSWORD)
    with psycopg.connect(watcher, autocommit=True) as stats:
        with pytest.raises(psycopg.Error, match="admin access needed"):
            stats.execute("SHOW FDS")
        with pytest.raises(psycopg.Error, match="admin access needed"):
            stats.execute("SHOW PREPARED_STATEMENTS")


def test_paused_clients_wait_within_their_deadline(launch, postgres):
    weir = launch({"postgres": postgres}, config={"timeouts": {"query_wait_timeout": "300ms"}})
    app = application(weir)
    value(app, "select 1")
    weir.signal(signal.SIGUSR1)
    until(lambda: weir.events("paused"), "it is paused")
    with pytest.raises(psycopg2.Error) as caught:
        value(app, "select 1")
    assert caught.value.pgcode == "53300"
    weir.signal(signal.SIGUSR2)
    until(lambda: weir.events("resumed"), "it is resumed")
    assert value(app, "select 'back'") == "back"
    app.close()


def test_reconnect_replaces_backends_and_wait_close_waits(weirpool, console):
    app = application(weirpool)
    before = value(app, "select pg_backend_pid()")
    console("RECONNECT")
    console("WAIT_CLOSE")
    assert value(app, "select pg_backend_pid()") != before
    app.close()


def test_a_killed_client_is_told_why(weirpool, console, aio):
    async def scenario():
        app = await pgwire.PgConn.connect(HOST, weirpool.port, USER, PASSWORD, DATABASE)
        await app.query("begin")
        await app.query("select 1")
        (client,) = [row for row in console("SHOW CLIENTS") if row["database"] == DATABASE]
        console(f"KILL_CLIENT {client['id']}")
        kind, body = await app.receive()
        assert (kind, pgwire.error_of(body).code) == (b"E", "57P01")

    aio(scenario())


def test_kill_and_disable(weirpool, console):
    other = application(weirpool)
    console(f"KILL {DATABASE}")
    with pytest.raises(psycopg2.Error):
        value(other, "select 1")
    console(f"RESUME {DATABASE}")
    console(f"DISABLE {DATABASE}")
    with pytest.raises(psycopg2.OperationalError, match="disabled"):
        application(weirpool)
    console(f"ENABLE {DATABASE}")
    back = application(weirpool)
    assert value(back, "select 'back'") == "back"
    back.close()


def test_set_reload_and_shutdown(weirpool, console):
    def setting(key):
        (row,) = [row for row in console("SHOW CONFIG") if row["key"] == key]
        return row["value"]

    console("SET query_wait_timeout = 7")
    assert setting("query_wait_timeout") == "7s"
    console("RELOAD")
    assert setting("query_wait_timeout") == "30s"
    weirpool.config["limits"] = {"max_client_conn": 0}
    weirpool.write_config()
    weirpool.expect_errors("config_reload")
    with pytest.raises(psycopg2.Error, match="RELOAD failed"):
        console("RELOAD")
    console("SHUTDOWN")
    assert weirpool.process.wait(20) == 0


def test_what_is_new_has_new_names(weirpool, console):
    app = application(weirpool, application_name="listener")
    with app.cursor() as cursor:
        cursor.execute("listen channel")
    until(lambda: console("SHOW PINS"), "the pin shows")
    (pin,) = console("SHOW PINS")
    assert pin["application_name"] == "listener" and pin["reason"] == "listen"
    (pool,) = console("SHOW POOLS_EXTENDED")
    assert pool["pinned"] == 1 and pool["max_connections"] == 20
    with psycopg.connect(console_url(weirpool, database=DATABASE), autocommit=True) as other:
        other.execute("select 'prepared'", prepare=True)
        assert any("prepared" in row["statement"] for row in console("SHOW PREPARED_STATEMENTS"))
    assert any(row["event"] == "listening" for row in console("SHOW EVENTS"))
    app.close()


def test_http_has_the_same(weirpool, console):
    def get(path):
        return json.loads(weirpool.http(f"/api/v1/{path}"))

    app = application(weirpool)
    value(app, "select 1")
    assert get("status")["clients"] == 2 and get("status")["paused"] is False
    (pool,) = get("pools")
    assert (pool["database"], pool["cl_active"]) == (DATABASE, 1)
    assert {row["database"] for row in get("clients")} == {DATABASE, "pgbouncer"}
    assert get("servers")[0]["state"] == "idle"
    assert any(row["event"] == "listening" for row in get("events"))
    assert weirpool.http_status("/api/v1/pause") == 405
    assert json.loads(weirpool.http(f"/api/v1/pause?database={DATABASE}", "POST"))["ok"]
    assert console("SHOW DATABASES")[0]["paused"] == 1
    assert weirpool.http_status("/api/v1/resume", "POST") == 200
    assert weirpool.http_status("/api/v1/resume", "POST") == 409
    assert weirpool.http_status("/api/v1/reload", "POST") == 200
    assert value(app, "select 1") == 1
    app.close()
    assert weirpool.http_status("/api/v1/drain", "POST") == 200
    assert weirpool.process.wait(20) == 0


def test_go_drivers(weirpool, go, program):
    url = f"postgres://{USER}:{PASSWORD}@{HOST}:{weirpool.port}/pgbouncer"
    for driver in ("pgx", "pq"):
        assert program(go(CLIENTS / "go/console.go"), driver, url) == "done\n"


def test_the_exporter_everybody_uses(weirpool):
    """Prometheus' own exporter for PgBouncer, unmodified."""
    app = application(weirpool)
    value(app, "select 1")
    port = free_port()
    exporter = newest("exporter") / "usr/bin/prometheus-pgbouncer-exporter"
    process = subprocess.Popen(
        [exporter, f"--web.listen-address={HOST}:{port}",
         f"--pgBouncer.connectionString={console_url(weirpool)}?sslmode=disable"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def scrape():
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as page:
                return Metrics(page.read().decode())
        except OSError:
            return None

    try:
        metrics = until(scrape, "the exporter answers", 30)
    finally:
        process.kill()
        process.wait(10)
    labels = {"database": DATABASE, "user": USER}
    assert metrics.total("pgbouncer_up") == 1
    assert metrics.total("pgbouncer_pools_client_active_connections", **labels) == 1
    assert metrics.total("pgbouncer_pools_server_idle_connections", **labels) == 1
    assert metrics.total("pgbouncer_stats_totals_queries_pooled_total", database=DATABASE) == 1
    assert metrics.total("pgbouncer_stats_totals_sql_transactions_pooled_total",
                         database=DATABASE) == 1
    assert metrics.total("pgbouncer_databases_pool_size", database=DATABASE) == 20
    assert metrics.total("pgbouncer_config_max_client_connections") == 10000
    assert metrics.total("pgbouncer_used_clients") == 2
    assert "pgbouncer_config_max_user_connections" in metrics.names()
    assert any("PgBouncer 1.25" in labels.get("version", "")
               for name, labels, _ in metrics.samples if name == "pgbouncer_version_info")
    app.close()
