"""Weirpool short of memory, and workers that do not keep up: who is refused, who waits, and that
all is well again afterwards."""

import asyncio
import time

import pytest

from proxy import as_it_comes
from servers import DATABASE, PASSWORD, USER
from weirtest import pgwire
from weirtest.flood import Flood
from weirtest.poll import until
from weirtest.wire import DatabaseError

SHORT = ("53300", 1040)
RULES = [{"tag": f"class={name}", "class": name} for name in ("critical", "sheddable")]


def backends(client, count):
    """MySQL keeps one in reserve for ending statements."""
    return count if client.is_postgres else count + 1


def of_class(name):
    return f"/* class='{name}' */ select '{name}'"


async def refused(asking):
    try:
        answer = await asking
        if hasattr(answer, "check"):
            answer.check()
    except DatabaseError as error:
        return error
    return None


def set_memory_high(weir, mebi):
    weir.config["limits"]["memory_high"] = mebi
    weir.reload()


def test_short_of_memory_nobody_new_comes_in_and_the_least_important_goes_first(
        launch, database, client, aio):
    weir = launch(database, max_connections=backends(client, 1), config={
        "workers": 1, "limits": {"memory_high": 0}, "admission": {"rules": RULES}})

    async def scenario():
        holder, *waiters = [await client(weir.port) for _ in range(4)]
        await holder.query("begin")
        await holder.query("select 1")
        standing = {name: asyncio.ensure_future(one.query(of_class(name)))
                    for name, one in zip(("critical", "normal", "sheddable"), waiters)}
        await asyncio.to_thread(
            until, lambda: weir.metrics().total("weirpool_pool_queue_length") == 3, "all wait")
        await asyncio.to_thread(set_memory_high, weir, 1)
        for name in ("sheddable", "normal"):
            error = await asyncio.wait_for(refused(standing[name]), 20)
            assert error is not None and error.code in SHORT, error
        await asyncio.to_thread(
            until, lambda: weir.metrics().total("weirpool_memory_state") == 2, "it is dire")
        with pytest.raises(DatabaseError) as shut_out:
            await client(weir.port)
        assert shut_out.value.code in SHORT
        assert not standing["critical"].done()
        assert weir.http_status("/readyz") == 503 and weir.http_status("/livez") == 200
        await asyncio.to_thread(set_memory_high, weir, 0)
        await asyncio.to_thread(
            until, lambda: weir.metrics().total("weirpool_memory_state") == 0, "it is over")
        await holder.query("commit")
        assert await refused(standing["critical"]) is None
        newcomer = await client(weir.port)
        for one in (holder, newcomer, *waiters):
            assert await one.value("select 'kept'") == "kept"
            await one.close()

    aio(scenario())
    metrics = weir.metrics()
    assert metrics.total("weirpool_faults_total", reason="short_of_memory") == 1
    for name in ("normal", "sheddable"):
        assert metrics.total("weirpool_admission_shed_total",
                             **{"class": name, "reason": "memory"}) == 1, name
    for name in ("memory_tight", "memory_dire", "memory_ample"):
        (event,) = until(lambda name=name: weir.events(name), f"{name} is logged")
        assert event["resident_mib"] >= 1, event
    assert weir.events("memory_tight")[0]["memory_high_mib"] == 1
    assert weir.events("memory_tight")[0]["clients"] == 4
    assert weir.events("memory_ample")[0]["peak_mib"] >= 1


def test_who_looks_after_it_gets_in_however_short_memory_is(launch, postgres, aio):
    weir = launch(postgres, ready=False, config={"limits": {"memory_high": 1}})

    async def scenario():
        with pytest.raises(DatabaseError) as shut_out:
            await pgwire.PgConn.connect("127.0.0.1", weir.port, USER, PASSWORD, DATABASE)
        assert shut_out.value.fields["S"] == "FATAL" and shut_out.value.code == "53300"
        console = await pgwire.PgConn.connect("127.0.0.1", weir.port, USER, PASSWORD, "pgbouncer")
        assert (await console.query("show version")).rows
        await console.close()

    until(lambda: weir.events("memory_tight"), "it is short")
    aio(scenario())


# Sanitizers keep what is freed.
@pytest.mark.slow
def test_what_is_shed_gives_its_memory_back_and_newcomers_come_in_again(
        launch, postgres, client_of, aio):
    client = client_of(postgres)
    weir = launch(postgres, max_connections=1, config={"workers": 1})
    waiting = 1500
    statement = f"select '{'x' * 15000}'"

    async def scenario():
        holder = await client(weir.port)
        await holder.query("begin")
        await holder.query("select 1")
        many = [await client(weir.port) for _ in range(waiting)]
        before = weir.resident_kib() // 1024
        await asyncio.to_thread(set_memory_high, weir, before + 12)
        asked = [asyncio.ensure_future(refused(one.query(statement))) for one in many]
        errors = await asyncio.wait_for(asyncio.gather(*asked), 60)
        codes = {error.code for error in errors if error}
        assert codes == {"53300"} and None not in errors
        assert weir.events("memory_tight") and weir.events("memory_dire")
        await asyncio.to_thread(
            until, lambda: weir.metrics().total("weirpool_memory_state") == 0, "there is memory")
        newcomer = await client(weir.port)
        await holder.query("commit")
        for one in (newcomer, *many[:20]):
            assert await one.value("select 'kept'") == "kept"
        for one in (holder, newcomer, *many):
            await one.close()

    aio(scenario())
    (event,) = until(lambda: weir.events("memory_ample"), "it is logged")
    assert event["peak_mib"] > event["resident_mib"], event


def behind(weir):
    return weir.metrics().total("weirpool_workers_behind")


# It asks for nothing, so that Weirpool answers it alone.
EMPTY = pgwire.query("")
FLOODING = 64


def test_new_clients_go_to_the_worker_that_keeps_up(launch, postgres, client_of, aio):
    client = client_of(postgres)
    weir = launch(postgres, config=as_it_comes(workers=2, limits={"loop_lag_high": "20ms"}))

    async def scenario():
        # One after the other they go to the workers in turn.
        crowd = [await client(weir.port) for _ in range(2 * FLOODING)]
        newcomers = []
        with Flood(crowd[::2], EMPTY):
            for _ in range(20):
                await asyncio.to_thread(until, lambda: behind(weir) >= 1, "one is behind")
                began = time.monotonic()
                newcomers.append(await client(weir.port))
                assert time.monotonic() - began < 5
        for one in newcomers:
            assert await one.value("select 'in'") == "in"
        for one in (*crowd[1::2], *newcomers):
            await one.close()

    aio(scenario())
    until(lambda: behind(weir) == 0, "it has caught up")
    metrics = weir.metrics()
    assert metrics.total("weirpool_client_logins_total", result="ok") == 2 * FLOODING + 20
    # The looks that were late have been counted as such.
    late = (metrics.total("weirpool_loop_lag_seconds_count")
            - metrics.total("weirpool_loop_lag_seconds_bucket", le="0.025"))
    assert late >= 1


def test_while_all_workers_are_behind_newcomers_wait_to_be_accepted(
        launch, postgres, client_of, aio):
    client = client_of(postgres)
    weir = launch(postgres, config=as_it_comes(workers=1, limits={"loop_lag_high": "5ms"}))

    async def scenario():
        crowd = [await client(weir.port) for _ in range(FLOODING)]
        with Flood(crowd, EMPTY):
            await asyncio.to_thread(until, lambda: behind(weir) == 1, "it is behind")
            coming = []

            def held():
                return weir.metrics().total("weirpool_accepts_held_total") > 0

            # It catches up for moments, and whoever comes then is let in.
            for _ in range(100):
                await asyncio.to_thread(until, lambda: behind(weir) == 1, "it is behind again")
                coming += [asyncio.ensure_future(client(weir.port, timeout=60))
                           for _ in range(20)]
                if await asyncio.to_thread(held):
                    break
            assert await asyncio.to_thread(held)
            accepted = weir.metrics().total("weirpool_client_connections", state="login")
            assert accepted < len(coming)
        for one in await asyncio.gather(*coming):
            assert await one.value("select 'in'") == "in"
            await one.close()

    aio(scenario())
    until(lambda: behind(weir) == 0, "it has caught up")
    until(lambda: weir.events("workers_behind") and weir.events("workers_caught_up"),
          "both are logged")
