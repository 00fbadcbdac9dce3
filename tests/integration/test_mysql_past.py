"""What looks back at a client's own last statement, where its backend serves others in between:
parts of larger statements, prepared ones, and more warnings than are kept."""

import asyncio
import struct

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.wire import DatabaseError

LOOKS_BACK = "find the one before it from now on"


async def connect(weir):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, charset=0)


@pytest.fixture
def weir(launch, mysql_like):
    mysql_like.execute(f"create table if not exists {DATABASE}.past (i int primary key)")
    mysql_like.execute(f"create table if not exists {DATABASE}.log (n int)")
    mysql_like.execute(f"insert ignore into {DATABASE}.past values (1), (2), (3)")
    yield launch(mysql_like, max_connections=2, config={"workers": 1})
    mysql_like.execute(f"drop table {DATABASE}.past, {DATABASE}.log")


def play(weir, aio, scenario):
    async def run():
        one, two = await connect(weir), await connect(weir)
        await scenario(one, two)
        await one.close()
        await two.close()

    aio(run())


@pytest.mark.parametrize("do, ask, answer", [
    ("update past set i = i + 10 where i < 10", "select row_count() + 1", "4"),
    ("select i from past", "select i, found_rows() from past limit 1", None),
    ("update past set i = i + 10 where i < 10", "insert into log values (row_count())", "3"),
    ("insert ignore into past values (1), (1)", "set @n = @@warning_count", "1"),
    ("insert ignore into past values (1), (2)", "get diagnostics @n = row_count", "0"),
])
def test_larger_statements_never_tell_of_others(weir, mysql_like, aio, do, ask, answer):
    """The first fails, and keeps the backend for those that follow."""
    shown = {"insert": "select n from log", "set": "select @n", "get": "select @n"}

    async def scenario(one, two):
        await one.query(do)
        await two.query("delete from log")
        with pytest.raises(DatabaseError, match=LOOKS_BACK) as caught:
            await one.query(ask)
        assert caught.value.code == 1235
        mysql_like.execute(f"delete from {DATABASE}.past")
        mysql_like.execute(f"insert into {DATABASE}.past values (1), (2), (3)")
        if "warning" in ask:
            mysql_like.execute(f"delete from {DATABASE}.past where i = 1")
        await one.query(do)
        waiting = asyncio.ensure_future(two.query("delete from log where n < 0"))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done(), "nobody comes in between"
        got = await one.query(ask)
        after = shown.get(ask.split()[0])
        value = await one.value(after) if after else got.rows[0][-1].decode()
        assert value == (answer or "3")
        one.command(mywire.COM_RESET)
        await one.answer()
        await waiting

    play(weir, aio, scenario)


def test_where_they_follow_within_one_text_or_transaction(weir, aio):
    async def scenario(one, two):
        await one.query("select 1")
        got = await one.query("insert into log values (1), (2); select row_count() + 0")
        assert got.value() == "2"
        await one.query("begin")
        await one.query("insert into log values (5)")
        assert await one.value("select row_count() + 0") == "1"
        await one.query("commit")
        assert await two.value("select 'served'") == "served"

    play(weir, aio, scenario)
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_prepared_ones_alone_are_known(weir, aio):
    """As the server: eight bytes, behind the NULL bits."""
    async def scenario(one, two):
        asked = await one.prepare("select row_count()")
        await one.query("insert into log values (1), (2), (3)")
        await two.query("select 1")
        one.command(mywire.COM_STMT_EXECUTE, struct.pack("<IBI", asked, 0, 1))
        bodies = [await one.receive() for _ in range(4)]
        assert struct.unpack("<q", bodies[2][2:]) == (3,)

    play(weir, aio, scenario)


def test_more_warnings_than_are_kept(weir, mysql_like, aio):
    """They stay where they are until the next statement."""
    async def scenario(one, two):
        await one.query("set max_error_count = 65535")
        values = ", ".join(["row('x')"] * 3000)
        await one.query(f"select cast(a.column_0 as signed) from (values {values}) as a"
                        if "Maria" not in type(mysql_like).__name__ else
                        "select cast(concat('x', seq) as signed) from seq_1_to_3000")
        told = int(await one.value("select @@warning_count"))
        waiting = asyncio.ensure_future(two.value("select 'served'"))
        assert told == 3000
        assert len((await one.query("show warnings limit 2990, 5")).rows) == 5
        assert len((await one.query("show warnings")).rows) == told
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        await one.query("select count(*) from log")
        assert await waiting == "served"
        assert (await one.query("show warnings")).rows == []

    play(weir, aio, scenario)


def test_warnings_of_others_are_never_shown(weir, aio):
    """MariaDB leaves them behind for statements that use no table, inside a transaction too."""
    async def scenario(one, two):
        for leave in ("select cast('secret' as signed)", "select no_such_secret"):
            for first in ([], ["do 1"], ["begin"], ["set autocommit = 0", "select 'x'"]):
                try:
                    await one.query(leave)
                except DatabaseError as error:
                    assert error.code == 1054
                for sql in first:
                    await two.query(sql)
                for ask in ("show warnings", "show errors"):
                    assert (await two.query(ask)).rows == [], (leave, first)
                assert await two.value("select @@warning_count") == "0"
                await two.query("rollback")
                await two.query("set autocommit = 1")

    play(weir, aio, scenario)
