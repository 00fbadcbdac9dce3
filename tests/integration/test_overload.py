"""More is asked for than the database can do: who is served, what the others hear, and that they
stay connected."""

import asyncio
import json
import re
import time

import psycopg
import pymysql
import pytest

from proxy import as_it_comes
from servers import DATABASE, HOST, PASSWORD, USER, MariaDbServer
from weirtest import mywire, pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Stream

ADVICE = re.compile(r"retry_after_ms=(\d+) class=(\w+) wait_ms=(\d+)")
REFUSED = ("53300", 1040)


def backends(client, count):
    """MySQL keeps one in reserve for ending statements."""
    return count if client.is_postgres else count + 1


async def ask(connection, sql):
    """None: served; else the error it was refused with."""
    try:
        answer = await connection.query(sql)
        if hasattr(answer, "check"):
            answer.check()
    except DatabaseError as error:
        return error
    return None


def advice_of(error):
    return ADVICE.search(error.fields.get("D", "") or error.message)


class Flood:
    """Clients that ask, each on its connection, for so long; refused ones rest as long as the
    refusal says, and no client ever opens a second connection."""

    def __init__(self):
        self.served = []
        self.refused = []

    async def run(self, connection, sql, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            error = await ask(connection, sql)
            if error is None:
                self.served.append(time.monotonic() - began)
                continue
            self.refused.append(error)
            advice = advice_of(error)
            assert advice, error
            await asyncio.sleep(int(advice[1]) / 1000)


def test_a_flood_is_served_at_the_databases_pace_and_keeps_its_connections(
        launch, database, client, aio):
    weir = launch(database, max_connections=backends(client, 2),
                  config=as_it_comes(workers=1))
    flood = Flood()

    async def scenario():
        connections = [await client(weir.port) for _ in range(60)]
        await asyncio.gather(*(flood.run(one, client.slow(0.05), 4) for one in connections))
        until(lambda: weir.metrics().total("weirpool_pool_overloaded") == 0, "it is over")
        for one in connections:
            assert await one.value("select 'kept'") == "kept"
            await one.close()

    aio(scenario())
    metrics = weir.metrics()
    assert metrics.total("weirpool_client_logins_total", result="ok") == 60
    assert {error.code for error in flood.refused} <= set(REFUSED), flood.refused[:3]
    # Two backends, 50 ms each, four seconds.
    assert len(flood.served) > 60 and flood.refused, (len(flood.served), len(flood.refused))
    assert sorted(flood.served)[len(flood.served) // 2] < 1
    assert metrics.total("weirpool_admission_shed_total", **{"class": "normal"}) == len(
        flood.refused)
    assert metrics.total("weirpool_pool_overloads_total") >= 1
    until(lambda: weir.events("pool_overloaded") and weir.events("pool_recovered"), "both are logged")


def test_a_patient_crowd_on_several_workers_is_served(launch, database, client, aio):
    """Its backends are mostly with one worker or the other, the line is on both."""
    weir = launch(database, max_connections=backends(client, 4), config=as_it_comes(workers=4))
    flood = Flood()

    async def scenario():
        connections = [await client(weir.port) for _ in range(48)]
        await asyncio.gather(*(flood.run(one, client.slow(0.005), 4) for one in connections))
        for one in connections:
            await one.close()

    aio(scenario())
    assert not flood.refused, flood.refused[0]
    assert len(flood.served) > 200


def by_address(monkeypatch, node):
    monkeypatch.setattr(Stream, "source", (f"127.0.0.{node}", 0))


def by_proxy_header(monkeypatch, node):
    """All of them come through one balancer."""
    monkeypatch.setattr(Stream, "preface", f"PROXY TCP4 192.0.2.{node} 192.0.2.1 50000 6432\r\n".encode())


@pytest.mark.parametrize("come_from, listener", [
    (by_address, {}), (by_proxy_header, {"proxy_protocol_from": ["127.0.0.0/8"]})])
def test_a_wild_node_does_not_disturb_the_others(launch, database, client, aio, monkeypatch,
                                                 come_from, listener):
    weir = launch(database, max_connections=backends(client, 2),
                  config=as_it_comes(workers=1), listener_more=listener)
    greedy, polite = Flood(), Flood()

    async def scenario():
        come_from(monkeypatch, 2)
        many = [await client(weir.port) for _ in range(40)]
        come_from(monkeypatch, 3)
        one = await client(weir.port)
        statement = client.slow(0.03)
        storm = [asyncio.ensure_future(greedy.run(each, statement, 4)) for each in many]
        await polite.run(one, statement, 4)
        await asyncio.gather(*storm)
        for each in [one, *many]:
            await each.close()

    aio(scenario())
    assert greedy.refused
    assert not polite.refused, polite.refused[0]
    assert len(polite.served) > 10


def test_psycopg_keeps_its_connection_and_rolls_back_without_a_line(launch, postgres):
    weir = launch(postgres, max_connections=1,
                  config={"timeouts": {"query_wait_timeout": "200ms"}})
    url = f"postgresql://{USER}:{PASSWORD}@{HOST}:{weir.port}/{DATABASE}"
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as other:
        holder.execute("select 1")
        with pytest.raises(psycopg.errors.TooManyConnections) as refused:
            other.execute("begin")
        assert ADVICE.search(refused.value.diag.message_detail)
        assert not other.closed
        offered = weir.metrics().total("weirpool_admission_offered_total")
        other.execute("ROLLBACK")
        assert weir.metrics().total("weirpool_admission_offered_total") == offered
        holder.commit()
        assert other.execute("select 'still here'").fetchone() == ("still here",)
    assert weir.metrics().total("weirpool_client_logins_total", result="ok") == 2


@pytest.mark.parametrize("refuse_with, codes", [
    ("serialization_failure", ("40001", 1213)), ("lock_not_available", ("55P03", 1205))])
def test_refusals_are_told_in_the_terms_of_the_application(launch, database, client, aio,
                                                          refuse_with, codes):
    weir = launch(database, max_connections=backends(client, 1), config={
        "timeouts": {"query_wait_timeout": "100ms"},
        "admission": {"rules": [{"user": USER, "refuse_with": refuse_with}]}})

    async def scenario():
        holder, other = await client(weir.port), await client(weir.port)
        await holder.query("begin")
        await holder.value("select 1")
        error = await ask(other, "select 2")
        assert error.code == codes[0 if client.is_postgres else 1]
        assert advice_of(error)
        await holder.query("commit")
        assert await other.value("select 'kept'") == "kept"
        await holder.close()
        await other.close()

    aio(scenario())


def test_a_statement_timeout_ends_the_wait_with_its_own_error(launch, postgres):
    weir = launch(postgres, max_connections=1)
    url = f"postgresql://{USER}:{PASSWORD}@{HOST}:{weir.port}/{DATABASE}"
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as other:
        other.execute("set statement_timeout = '200ms'")
        holder.execute("select 1")
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute("select 'too late'")
        holder.commit()
        assert other.execute("select 'in time'").fetchone() == ("in time",)


def test_a_mysql_statements_own_time_ends_the_wait_with_its_own_error(launch, mysql_like, aio,
                                                                      client_of):
    weir = launch(mysql_like, max_connections=2)
    own_time = ("max_statement_time = 0.2" if isinstance(mysql_like, MariaDbServer)
                else "max_execution_time = 200")

    async def scenario():
        connect = client_of(mysql_like)
        holder, other = await connect(weir.port), await connect(weir.port)
        await other.query(f"set {own_time}")
        await holder.query("begin")
        await holder.value("select 1")
        error = await ask(other, "select 'too late'")
        assert error.code == 3024
        await holder.query("commit")
        assert await other.value("select 'in time'") == "in time"
        await holder.close()
        await other.close()

    aio(scenario())


def test_pymysql_keeps_its_connection_and_rolls_back_without_a_line(launch, mysql_like):
    weir = launch(mysql_like, max_connections=2,
                  config={"timeouts": {"query_wait_timeout": "200ms"}})

    def connect():
        return pymysql.connect(host=HOST, port=weir.port, user=USER, password=PASSWORD,
                               database=DATABASE, autocommit=True)

    holder, other = connect(), connect()
    holder.begin()
    holder.query("select 1")
    with pytest.raises(pymysql.err.OperationalError) as refused:
        other.begin()
    assert refused.value.args[0] == 1040 and ADVICE.search(refused.value.args[1])
    offered = weir.metrics().total("weirpool_admission_offered_total")
    other.rollback()
    assert weir.metrics().total("weirpool_admission_offered_total") == offered
    holder.commit()
    assert other.open
    with other.cursor() as cursor:
        cursor.execute("select 'still here'")
        assert cursor.fetchone() == ("still here",)
    assert weir.metrics().total("weirpool_client_logins_total", result="ok") == 2
    holder.close()
    other.close()


def test_a_statement_before_a_goodbye_is_finished(launch, database, client, aio):
    weir = launch(database, max_connections=backends(client, 1))

    async def scenario():
        leaver, stayer = await client(weir.port), await client(weir.port)
        backend = await leaver.value(client.backend_id)
        slow = client.slow(2)
        began = time.monotonic()
        if client.is_postgres:
            leaver.send(pgwire.query(slow))
        else:
            leaver.command(mywire.COM_QUERY, slow.encode())
        await asyncio.to_thread(until, lambda: weir.metrics().total(
            "weirpool_server_connections", state="active") == 1, "it runs")
        await leaver.close()
        assert await stayer.value(client.backend_id) == backend
        assert time.monotonic() - began > 1.9, "the statement was cut short"
        await stayer.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_cancel_requests_total") == 0


def test_idle_in_a_transaction_is_cut_short_while_others_wait(launch, database, client, aio):
    weir = launch(database, max_connections=backends(client, 1), config={
        "timeouts": {"idle_transaction_timeout_waiting": "500ms"}})

    async def scenario():
        idle, waiting = await client(weir.port), await client(weir.port)
        await idle.query("begin")
        await idle.query("select 1")
        assert await waiting.value("select 'served'", timeout=20) == "served"
        error = await ask(idle, "select 1")
        assert error.code in ("25P03", 4031), error
        await waiting.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_faults_total", reason="idle_transaction_timeout") == 1


def test_the_scaling_signal(launch, database, client, aio):
    weir = launch(database, max_connections=backends(client, 4))
    assert weir.http_status("/api/v1/scaling") == 503

    async def traffic():
        one = await client(weir.port)
        for _ in range(50):
            await one.query("select 1")
        await one.close()

    aio(traffic())
    until(lambda: weir.http_status("/api/v1/scaling") == 200, "a window is over", 60)
    signal = json.loads(weir.http("/api/v1/scaling"))
    assert signal["verdict"] == "scale_web_ok" and signal["reason"] == "none"
    assert signal["useful"] == 4
    for key in ("offered_per_second", "demand", "saturation", "wait_p95_seconds", "shed_ratio"):
        assert isinstance(signal[key], (int, float)), key
    assert DATABASE in {pool["database"] for pool in signal["pools"]}
    assert [one["backend"] for one in signal["backends"]] == ["db"]
    metrics = weir.metrics()
    assert metrics.total("weirpool_scaling_useful", scope="whole") == 4
    assert metrics.total("weirpool_scaling_verdict", scope="backend", backend="db",
                         verdict="scale_web_ok") == 1


def test_no_more_execute_than_the_database_makes_use_of(launch, postgres, client_of, aio):
    """All write one row and keep it for a moment: one after the other, however many at a time."""
    weir = launch(postgres, max_connections=30,
                  config=as_it_comes(admission={"elasticity": "enforce"}))

    def useful():
        return weir.metrics().total("weirpool_backend_connections_useful")

    async def writer(port, over):
        connection = await client_of(postgres)(port)
        while not over.is_set():
            await ask(connection, "update hot set n = n + 1 returning pg_sleep(0.002)")
        await connection.close()

    async def scenario():
        first = await client_of(postgres)(weir.port)
        (await first.query("create table hot as select 0 as n")).check()
        assert useful() == 30
        over = asyncio.Event()
        writers = [asyncio.ensure_future(writer(weir.port, over)) for _ in range(60)]
        end = time.monotonic() + 60
        while useful() > 15 and time.monotonic() < end:
            await asyncio.sleep(0.1)
        found, still_open = useful(), weir.metrics().total("weirpool_backend_connections_open")
        over.set()
        await asyncio.gather(*writers)
        assert found <= 15 and still_open == 30
        (await first.query("drop table hot")).check()
        await first.close()

    aio(scenario())
    event = weir.events("fewer_useful")[0]
    assert event["allowed"] == 30 and event["useful"] < 30
    assert weir.metrics().total("weirpool_backend_elasticity_ratio") < 0.5
