"""What servers do at the edges of a transaction or of a session, with a second client in line for the
only backend: it is served when the first one can need it no longer, and finds nothing of it."""

import asyncio

import pytest

import servers
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.wire import DatabaseError

IGNORE_SPACE = 256
GBK, SJIS = 28, 13
SET_OPTION, MULTI_ON, MULTI_OFF = 27, b"\0\0", b"\1\0"


async def connect(weir, charset=0, capabilities=mywire.CAPABILITIES, database=DATABASE):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, database, charset=charset,
                                       capabilities=capabilities)


@pytest.fixture
def weir(launch, mysql_like):
    """One worker and one backend for everybody (the other slot is reserved)."""
    return launch(mysql_like, max_connections=2, config={"workers": 1})


@pytest.fixture
def table(mysql_like):
    mysql_like.execute(f"create table if not exists {DATABASE}.edges (i int primary key, n int) "
                       "engine = innodb")
    mysql_like.execute(f"insert into {DATABASE}.edges values (1, 0), (2, 0)")
    yield "edges"
    mysql_like.execute(f"drop table if exists {DATABASE}.edges")


async def in_line(client, sql="select 'served'"):
    """Asks, and sees that there is nothing to answer with yet."""
    asked = asyncio.ensure_future(client.value(sql))
    await asyncio.wait([asked], timeout=0.1)
    assert not asked.done()
    return asked


async def refused(client, sql):
    with pytest.raises(DatabaseError) as caught:
        await client.query(sql)
    return caught.value.code


# ---------------------------------------------------------------------------------- transactions


def test_what_is_said_of_the_next_transaction_is_not_another_clients(weir, aio, table):
    async def scenario():
        one, two = await connect(weir), await connect(weir)
        await one.query("set transaction read only")
        asked = await in_line(two)
        await one.query("begin")
        assert await refused(one, f"update {table} set n = 1") == 1792
        await one.query("commit")
        assert await asked == "served"
        await two.query(f"update {table} set n = 2")
        await one.query(f"update {table} set n = 3")  # it was for one transaction
        await one.close()
        await two.close()

    aio(scenario())


def test_a_statement_that_commits_ends_the_transaction(weir, mysql_like, aio, table):
    async def scenario():
        one, two = await connect(weir), await connect(weir)
        await one.query("begin")
        await one.query(f"update {table} set n = 7")
        asked = await in_line(two, f"select n from {table} where i = 1")
        await one.query("create table if not exists edges_too (i int)")
        assert await asked == "7"
        await one.query("rollback")
        assert await two.value(f"select n from {table} where i = 1") == "7"
        await one.query("drop table edges_too")
        await one.close()
        await two.close()

    aio(scenario())


def test_who_waits_for_a_lock_too_long_keeps_its_transaction(launch, mysql_like, aio, table):
    """1205 undoes the statement, 1213 the transaction; the backend stays until the client ends it."""
    weir = launch(mysql_like, max_connections=4, config={"workers": 1})

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        for client in (one, two):
            await client.query("set innodb_lock_wait_timeout = 1")
            await client.query("begin")
        await one.query(f"update {table} set n = 1 where i = 1")
        await two.query(f"update {table} set n = 2 where i = 2")
        assert await refused(two, f"update {table} set n = 2 where i = 1") == 1205
        assert await two.value(f"select n from {table} where i = 2") == "2"
        await one.query("set innodb_lock_wait_timeout = 30")
        await two.query("set innodb_lock_wait_timeout = 30")
        first = asyncio.ensure_future(one.query(f"update {table} set n = 1 where i = 2"))
        await asyncio.wait([first], timeout=0.1)
        second = asyncio.ensure_future(two.query(f"update {table} set n = 2 where i = 1"))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        failed = [out for out in outcomes if isinstance(out, DatabaseError)]
        assert [error.code for error in failed] == [1213]
        for client in (one, two):
            await client.query("commit")
            assert await client.value("select @@in_transaction" if isinstance(
                mysql_like, servers.MariaDbServer) else "select 0") == "0"
        rows = await one.query(f"select n from {table} order by i")
        assert len({row[0] for row in rows.rows}) == 1, "all of one of them and nothing of the other"
        await one.close()
        await two.close()

    aio(scenario())


def test_a_prepared_xa_transaction_outlives_its_client(weir, mysql_like, aio, table):
    async def scenario():
        one, two = await connect(weir), await connect(weir)
        await one.query("xa start 'edge'")
        await one.query(f"update {table} set n = 5 where i = 1")
        asked = await in_line(two, "select 'served'")
        await one.query("xa end 'edge'")
        await one.query("xa prepare 'edge'")
        await one.close()
        assert await asked == "served"
        assert await two.value(f"select n from {table} where i = 1") == "0"
        await two.close()

    aio(scenario())
    assert [row[-1] for row in mysql_like.execute("xa recover")] in (["edge"], [b"edge"])
    mysql_like.execute("xa rollback 'edge'")


# --------------------------------------------------------------------------------------- sessions


@pytest.mark.parametrize("sql, code", [
    ("set session sort_buffer_size = 'much'", 1232), ("set nonsense = 1", 1193),
    ("set names nowhere", 1115), ("use nowhere", 1049)])
def test_what_the_server_refuses_to_set_is_not_wanted(weir, aio, sql, code):
    """Nor does it keep the backend."""
    async def scenario():
        one, two = await connect(weir), await connect(weir)
        assert await refused(one, sql) == code
        assert await two.value("select database()") == DATABASE
        assert await one.value("select database()") == DATABASE
        assert await two.value("select 'served'") == "served"
        await one.close()
        await two.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_who_drops_its_own_schema_keeps_its_backend_until_it_has_another(weir, mysql_like, aio):
    mysql_like.execute("create database if not exists edge")

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        await one.query("use edge")
        assert await two.value("select database()") == DATABASE
        await one.query("drop database edge")
        assert (await one.query("select database()")).rows == [(None,)]
        asked = await in_line(two, "select database()")
        await one.query(f"use {DATABASE}")
        assert await asked == DATABASE
        await one.close()
        await two.close()

    try:
        aio(scenario())
    finally:
        mysql_like.execute("drop database if exists edge")


@pytest.mark.parametrize("taken", [
    "set role edge_role", "call edge_takes()", "call edge_takes_unseen()"])
def test_a_role_is_its_clients_own(weir, mysql_like, aio, taken):
    mysql_like.execute("create role if not exists edge_role")
    mysql_like.execute(f"grant edge_role to {USER}@'%%'")
    for name, body in (("edge_takes", "set role edge_role"),
                       ("edge_takes_unseen", "call edge_takes()")):
        mysql_like.execute(f"drop procedure if exists {DATABASE}.{name}")
        mysql_like.execute(
            f"create definer = {USER}@'%%' procedure {DATABASE}.{name}() sql security invoker {body}")

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        before = (await two.query("select current_role()")).rows
        await one.query(taken)
        asked = await in_line(two)
        assert "edge_role" in await one.value("select current_role()")
        await one.close()
        assert await asked == "served"
        assert (await two.query("select current_role()")).rows == before
        await two.close()

    try:
        aio(scenario())
    finally:
        for name in ("edge_takes", "edge_takes_unseen"):
            mysql_like.execute(f"drop procedure {DATABASE}.{name}")
        mysql_like.execute("drop role edge_role")
    assert weir.metrics().total("weirpool_pins_total") == 1


@pytest.mark.parametrize("charset, lead", [(GBK, b"\xbf"), (SJIS, b"\x83")])
def test_a_backslash_inside_a_character_hides_no_lock(weir, mysql_like, aio, charset, lead):
    """The server reads a character and then a quote; whoever reads bytes sees a quote escaped."""
    hidden = b"select '" + lead + b"\\', get_lock('edge', 0), '" + b"x'"

    async def scenario():
        one, two = await connect(weir, charset), await connect(weir)
        answer = await one.query(hidden)
        assert answer.rows[0][1] == b"1"
        asked = await in_line(two, "select is_free_lock('edge')")
        await one.close()
        assert await asked == "1"
        await two.close()

    aio(scenario())


def test_options_of_the_connection_follow_their_client(launch, mysql_like, aio):
    """Several statements in one text, and spaces behind a function's name."""
    weir = launch(mysql_like, max_connections=2, config={"workers": 1})

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        one.command(SET_OPTION, MULTI_OFF)
        await one.receive()
        for _ in range(2):
            assert await refused(one, "select 1; select 2") == 1064
            assert (await two.query("select 1; select 2")).results == 2
        one.command(SET_OPTION, MULTI_ON)
        await one.receive()
        assert (await one.query("select 1; select 2")).results == 2
        await one.close()
        spaced = await connect(weir, capabilities=mywire.CAPABILITIES | IGNORE_SPACE)
        for _ in range(2):
            assert await spaced.value("select count (*) from (select 1) as t") == "1"
            assert "IGNORE_SPACE" in await spaced.value("select @@sql_mode")
            assert await refused(two, "select count (*) from (select 1) as t") in (1064, 1630)
            assert "IGNORE_SPACE" not in await two.value("select @@sql_mode")
        await spaced.close()
        await two.close()

    aio(scenario())
