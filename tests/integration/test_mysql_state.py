"""Session state of MySQL clients over fewer backends than clients: what follows them, what keeps
their backend and until when, and what the server is told for it."""

import asyncio

import pytest

from history import History, play, statements
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.wire import DatabaseError, Lost


async def connect(weir, **more):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, charset=0, **more)


@pytest.fixture
def weir(launch, mysql_like):
    """One worker and one backend for everybody (the other slot is reserved)."""
    return launch(mysql_like, max_connections=2, config={"workers": 1})


def test_equal_settings_cost_nothing(weir, mysql_like, aio):
    async def scenario(told, one, two):
        for client in (one, two):
            await client.query("set time_zone = '+03:00', sql_mode = 'ANSI'")
        told.clear()
        for _ in range(3):
            assert await one.value("select @@time_zone") == "+03:00"
            assert await two.value("select @@sql_mode like '%ANSI%'") == "1"
        assert statements(told) == ["select @@time_zone", "select @@sql_mode like '%ANSI%'"] * 3

    play(weir, mysql_like, aio, scenario)


def test_only_the_difference_is_set_and_undone(weir, mysql_like, aio):
    async def scenario(told, one, two):
        before = await two.value("select @@time_zone")
        prepared = await two.prepare("select concat('kept')")
        await one.query("set time_zone = '+03:00'")
        told.clear()
        assert await two.value("select @@time_zone") == before
        assert (await two.execute(prepared)).value() == "kept"
        assert await one.value("select @@time_zone") == "+03:00"
        assert statements(told) == [
            "SET @@session.time_zone=DEFAULT", "select @@time_zone", "select concat('kept')",
            "SET @@session.time_zone='+03:00'", "select @@time_zone"]

    play(weir, mysql_like, aio, scenario)


def test_settings_that_follow(weir, mysql_like, aio):
    isolation = "transaction_isolation" if "MySql" in type(mysql_like).__name__ else "tx_isolation"
    settings = {
        "set session transaction isolation level read committed":
            (f"select @@{isolation}", "READ-COMMITTED"),
        "set autocommit = 0": ("select @@autocommit", "0"),
        "set names latin1": ("select @@character_set_client", "latin1"),
        "set names utf8mb4 collate utf8mb4_bin": ("select @@collation_connection", "utf8mb4_bin"),
        "set collation_connection = utf8mb4_unicode_ci":
            ("select @@collation_connection", "utf8mb4_unicode_ci"),
        "set character_set_results = null": ("select @@character_set_results is null", "1"),
        "set session sort_buffer_size = 65536": ("select @@sort_buffer_size", "65536"),
        "set lc_time_names = 'de_DE'": ("select @@lc_time_names", "de_DE"),
        "set @who = 'one', @n = 5": ("select concat(@who, @n)", "one5"),
        "use other": ("select database()", "other"),
    }

    async def scenario(told, one, two):
        plain = {ask: await two.query(ask) for ask, _ in settings.values()}
        for sql, (ask, wanted) in settings.items():
            await one.query(sql)
            assert (await two.query(ask)).rows == plain[ask].rows, sql
            assert await one.value(ask) == wanted, sql
        one.command(mywire.COM_RESET)
        await one.answer()
        await one.query("use app")
        for ask, _ in settings.values():
            assert (await one.query(ask)).rows == plain[ask].rows, ask

    play(weir, mysql_like, aio, scenario)
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_settings_for_everybody_keep_no_backend(weir, mysql_like, aio):
    persist = [] if "MariaDB" in mysql_like.value("select version()") else [
        "set persist slow_launch_time = 3", "set @@persist.slow_launch_time = 2",
        "reset persist slow_launch_time"]

    async def scenario(told, one, two):
        for sql in ("set global slow_launch_time = 3", "set @@global.slow_launch_time = default",
                    "set global transaction isolation level repeatable read", *persist):
            await one.query(sql)
            assert await two.value("select 'served'") == "served", sql

    play(weir, mysql_like, aio, scenario)
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_everybody_finds_a_new_default(launch, mysql_like, aio):
    """On old backends as on new ones: what a client has not set itself is what SET GLOBAL says."""
    weir = launch(mysql_like, max_connections=4, config={"workers": 1})
    before = mysql_like.value("select @@global.sort_buffer_size")

    async def scenario():
        clients = [await connect(weir) for _ in range(3)]

        async def seen():
            """On as many backends as there are."""
            values = []
            for one in clients[:3]:
                await one.query("begin")
                values.append(await one.value("select @@sort_buffer_size"))
            for one in clients[:3]:
                await one.query("commit")
            return values

        one, own, _ = clients
        await own.query("set session sort_buffer_size = 98304")
        assert await seen() == [str(before), "98304", str(before)]
        await one.query("set global sort_buffer_size = 65536")
        clients.append(await connect(weir))
        assert await seen() == ["65536", "98304", "65536"]
        assert await clients[3].value("select @@sort_buffer_size") == "65536"
        await one.query("set @@global.sort_buffer_size = 131072")
        assert await seen() == ["131072", "98304", "131072"]
        await own.query("set session sort_buffer_size = default")
        assert await seen() == ["131072"] * 3
        for one in clients:
            await one.close()

    try:
        aio(scenario())
    finally:
        mysql_like.execute(f"set global sort_buffer_size = {before}")
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_settings_of_one_message_follow(weir, mysql_like, aio):
    """Each result of it has said what it changed."""
    async def scenario(told, one, two):
        asking = "select concat(@@time_zone, @@sql_safe_updates + 0, @@character_set_client)"
        plain = await two.value(asking)
        await one.query("set time_zone = '+01:00'; set sql_safe_updates = 1; set names latin1")
        for _ in range(2):
            assert await two.value(asking) == plain
            assert await one.value(asking) == "+01:001latin1"
        assert weir.metrics().total("weirpool_pins_total") == 0
        await one.query("set time_zone = '+02:00'; set @mine = concat(1)")
        waiting = asyncio.ensure_future(two.value("select 'served'"))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        one.command(mywire.COM_RESET)
        await one.answer()
        assert await waiting == "served"

    play(weir, mysql_like, aio, scenario)


def test_user_variables_are_never_anothers(weir, mysql_like, aio):
    async def scenario(told, one, two):
        await one.query("set @secret = 'one''s', @b = 7")
        assert (await two.query("select @secret, @b")).rows == [(None, None)]
        told.clear()
        assert (await one.query("select @secret, @b")).rows == [(b"one's", b"7")]
        assert statements(told) == ["SET @b=7,@secret='one''s'", "select @secret, @b"]
        await one.query("set @b = @b + 1")  # no literal: from here on it keeps its backend
        assert await one.value("select @b") == "8"
        one.command(mywire.COM_RESET)
        await one.answer()
        assert (await two.query("select @secret, @b")).rows == [(None, None)]
        assert (await one.query("select @secret, @b")).rows == [(None, None)]

    play(weir, mysql_like, aio, scenario)


@pytest.mark.parametrize("take, give", [
    (["create temporary table t1 (i int)", "create temporary table t2 (i int)"],
     ["drop table t1", "drop temporary table t2"]),
    (["lock tables locked read"], ["unlock tables"]),
    (["flush tables with read lock"], ["unlock tables"]),
    (["select get_lock('a', 5)", "do get_lock('b', 5)", "select get_lock('a', 5)"],
     ["select release_lock('a')", "select release_lock('b')", "select release_lock('a')"]),
    (["select get_lock('a', 5)"], ["select release_all_locks()"]),
    (["prepare p from 'select 1'", "execute p"], ["deallocate prepare p"]),
    (["handler locked open"], ["handler locked close"]),
    (["xa start 'x1'", "xa end 'x1'"], ["xa rollback 'x1'"]),
])
def test_what_keeps_a_backend_gives_it_back(weir, mysql_like, aio, take, give):
    mysql_like.execute(f"create table if not exists {DATABASE}.locked (i int primary key)")

    async def scenario(told, one, two):
        for sql in take:
            await one.query(sql)
        waiting = asyncio.ensure_future(two.value("select 'served'"))
        for sql in give:
            await asyncio.wait([waiting], timeout=0.1)
            assert not waiting.done(), f"before {sql} the backend is not free"
            await one.query(sql)
        assert await waiting == "served"
        assert await one.value("select 'again'") == "again"

    play(weir, mysql_like, aio, scenario)
    mysql_like.execute(f"drop table {DATABASE}.locked")


def test_a_prepared_lock_gives_its_backend_back(weir, mysql_like, aio):
    """As its text does: what the server answered decides, and what is released ends it."""
    async def scenario(told, one, two):
        async def free():
            return await asyncio.wait_for(two.value("select 'served'"), 10) == "served"

        holder = await mywire.MyConn.connect(HOST, mysql_like.port, USER, PASSWORD, DATABASE,
                                             charset=0)
        assert await holder.value("select get_lock('taken', 0)") == "1"
        take = await one.prepare("do get_lock(?, ?)")
        await one.execute(take, [b"taken", b"0"])
        assert await free(), "somebody else has it"
        for give, values in (("do release_lock(?)", [b"mine"]), ("do release_all_locks()", [])):
            back = await one.prepare(give)
            await one.execute(take, [b"mine", b"0"])
            waiting = asyncio.ensure_future(free())
            await asyncio.wait([waiting], timeout=0.1)
            assert not waiting.done() and await holder.value("select is_free_lock('mine')") == "0"
            await one.execute(back, values)
            assert await waiting, give
            assert await holder.value("select is_free_lock('mine')") == "1"
        await holder.close()

    play(weir, mysql_like, aio, scenario)


def test_whoever_does_not_get_a_lock_gives_its_backend_back(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=3, config={"workers": 1})

    async def scenario():
        holder, *losers = [await connect(weir) for _ in range(4)]
        assert await holder.value("select get_lock('job', 0)") == "1"
        prepared = await losers[0].prepare("select cast(get_lock('job', 0) as char)")
        for one in losers * 2:
            assert await one.value("select get_lock('job', 0)") == "0"
            assert await one.value("select get_lock(\"job\", 0) as got") == "0"
        assert (await losers[0].execute(prepared)).value() == "0"
        assert await holder.value("select release_lock('job')") == "1"
        assert await losers[0].value("select get_lock(\"job\", 0)") == "1"
        assert await losers[0].value("select release_lock('job')") == "1"
        for one in losers:
            assert await one.value("select 'served'") == "served"
        for one in (holder, *losers):
            await one.close()

    aio(scenario())


def test_what_a_server_remembers_of_statements_is_seen_by_nobody_else(weir, mysql_like, aio):
    """No reset makes the servers forget all of it: such a backend is closed."""
    async def scenario(told, one, two):
        for ask in ("set profiling = 1", "set optimizer_trace = 'enabled=on'"):
            for leave in (mywire.COM_RESET, mywire.COM_QUIT):
                client = await connect(weir)
                await client.query(ask)
                await client.query("select 'of one client alone'")
                traces = "select query from information_schema.optimizer_trace"
                left = [*(await client.query("show profiles")).rows, *(await client.query(traces)).rows]
                assert any(b"of one client alone" in row[-1] for row in left), ask
                client.command(leave)
                if leave == mywire.COM_RESET:
                    await client.answer()
                for other in (two, client)[:1 + (leave == mywire.COM_RESET)]:
                    assert (await other.query("show profiles")).rows == []
                    assert (await other.query(traces)).rows == []
                await client.close()

    play(weir, mysql_like, aio, scenario)


def test_settings_under_which_quotes_end_elsewhere(weir, mysql_like, aio):
    """The scanner follows the client's sql_mode and character set."""
    async def scenario(told, one, two):
        await one.query("set sql_mode = 'NO_BACKSLASH_ESCAPES'")
        await one.query("select 'a\\', get_lock('quoted', 5), ' '")
        waiting = asyncio.ensure_future(two.value("select 'served'"))
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done(), "a lock was taken: the backend is the client's"
        await one.query("select release_all_locks()")
        assert await waiting == "served"

    play(weir, mysql_like, aio, scenario)


def test_a_servers_own_quotes_are_known_from_the_first_statement_on(launch, mysql_like, aio):
    before = mysql_like.value("select @@global.sql_mode")
    mysql_like.execute("set global sql_mode = 'ANSI_QUOTES'")
    try:
        weir = launch(mysql_like, max_connections=2, config={"workers": 1})

        async def scenario():
            one, two = await connect(weir), await connect(weir)
            await one.query("select \"a\\\", get_lock('quoted', 5), \"a\\\" from "
                            "(select 1 as \"a\\\") as t")
            waiting = asyncio.ensure_future(two.value("select 'served'"))
            await asyncio.wait([waiting], timeout=0.2)
            assert not waiting.done(), "a lock was taken: the backend is the client's"
            await one.query("select release_all_locks()")
            assert await waiting == "served"
            await one.close()
            await two.close()

        aio(scenario())
    finally:
        mysql_like.execute(f"set global sql_mode = '{before}'")


def test_a_message_that_the_server_finds_too_large_is_its_own_to_refuse(launch, mysql_like, aio):
    """And nothing of it is collected here."""
    before = mysql_like.value("select @@global.max_allowed_packet")
    mysql_like.execute("set global max_allowed_packet = 1048576")
    try:
        weir = launch(mysql_like, max_connections=3, config={"workers": 1})

        def resident():
            with open(f"/proc/{weir.pid}/statm") as numbers:
                return int(numbers.read().split()[1]) * 4096

        async def scenario():
            one, two = await connect(weir), await connect(weir)
            assert await one.value("select length('" + "x" * 1_000_000 + "')") == "1000000"
            small = resident()
            with pytest.raises((DatabaseError, Lost, OSError)) as caught:
                await one.query("select '" + "x" * (15 << 20) + "'")
            # Its last words may be lost on the way, as they may without Weirpool.
            if isinstance(caught.value, DatabaseError):
                assert caught.value.code == 1153
            assert resident() - small < 8 << 20
            assert await two.value("select 'unharmed'") == "unharmed"
            await two.close()

        aio(scenario())
    finally:
        mysql_like.execute(f"set global max_allowed_packet = {before}")
