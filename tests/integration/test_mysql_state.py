"""Session state of MySQL clients over fewer backends than clients: what follows them, what keeps
their backend and until when, and what the server is told for it."""

import asyncio

import pytest

from history import History
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.wire import DatabaseError


async def connect(weir, **more):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, charset=0, **more)


@pytest.fixture
def weir(launch, mysql_like):
    """One worker and one backend for everybody (the other slot is reserved)."""
    return launch(mysql_like, max_connections=2, config={"workers": 1})


def play(weir, mysql_like, aio, scenario, clients=2):
    async def run(told):
        opened = [await connect(weir) for _ in range(clients)]
        await opened[0].query("select 1")
        told.clear()
        await scenario(told, *opened)
        for one in opened:
            await one.close()

    with History(mysql_like) as told:
        aio(run(told))


def statements(told):
    """Texts alone; both servers name their own kinds."""
    return [text for _, text in told()]


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


def test_insert_ids_are_each_clients_own(weir, mysql_like, aio):
    async def scenario(told, one, two):
        await one.query("create table if not exists ids (id int auto_increment primary key)")
        inserted = {}
        for client in (one, two, one):
            inserted[client] = (await client.query("insert into ids values ()")).last_id
        assert inserted[one] != inserted[two]
        told.clear()
        for client in (one, two):
            assert await client.value("select last_insert_id()") == str(inserted[client])
        assert statements(told) == [], "weirpool knows them"
        for client in (two, one):
            assert await client.value("select last_insert_id() + 0") == str(inserted[client])
        await one.query("drop table ids")

    play(weir, mysql_like, aio, scenario)


def test_diagnostics_are_of_the_own_statement(weir, mysql_like, aio):
    async def scenario(told, one, two):
        await one.query("create table if not exists diag (i int primary key)")
        await one.query("insert ignore into diag values (1), (1)")
        with pytest.raises(DatabaseError):
            await two.query("select no_such_column")
        rows = (await one.query("show warnings")).rows
        assert [(level, code) for level, code, _ in rows] == [(b"Warning", b"1062")]
        rows = (await two.query("show warnings")).rows
        assert [(level, code) for level, code, _ in rows] == [(b"Error", b"1054")]
        await one.query("insert into diag values (2), (3)")
        await two.query("select 1 union select 2 union select 3")
        assert await one.value("select row_count()") == "2"
        assert await two.value("select found_rows()") == "3"
        assert (await one.query("show warnings")).rows == []
        await two.query("select sql_calc_found_rows i from diag limit 1")
        other = asyncio.ensure_future(one.value("select 'waits its turn'"))
        assert await two.value("select found_rows()") == "3"
        assert await other == "waits its turn"
        await one.query("drop table diag")

    play(weir, mysql_like, aio, scenario)


def test_statements_without_warnings_are_not_asked_about(weir, mysql_like, aio):
    async def scenario(told, one, two):
        await one.query("select 1")
        await two.query("do 0")
        assert statements(told) == ["select 1", "do 0"]
        with pytest.raises(DatabaseError):
            await one.query("select nonsense")
        await two.query("select 1")
        assert statements(told)[2:] == ["select nonsense", "SHOW WARNINGS", "select 1"]

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
