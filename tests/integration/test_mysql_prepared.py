"""Prepared statements over fewer backends than clients: what clients see, and what the server is
told for it."""

import asyncio
import struct

import pytest

from history import History
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.wire import DatabaseError

LONGLONG = 8


async def connect(weir, **more):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, **more)


def test_an_impatient_client_costs_others_no_statement(launch, mysql_like, aio):
    """Its wait_timeout is set for each of its transactions and set back; nothing is reset."""
    weir = launch(mysql_like, max_connections=2, config={"workers": 1})

    async def scenario(told):
        one, two = await connect(weir, charset=0), await connect(weir, charset=0)
        kept = await two.prepare("select concat('kept')")
        before = await two.value("select @@wait_timeout")
        await one.query("set wait_timeout = 300")
        told.clear()
        assert await one.value("select @@wait_timeout") == "300"
        assert (await two.execute(kept)).value() == "kept"
        assert await two.value("select @@wait_timeout") == before
        assert [text for _, text in told()] == [
            "SET @@session.wait_timeout=300", "select @@wait_timeout",
            "SET @@session.wait_timeout=DEFAULT", "select concat('kept')", "select @@wait_timeout"]
        await one.close()
        await two.close()

    with History(mysql_like) as told:
        aio(scenario(told))


def test_settings_of_one_statement_keep_no_backend(launch, mariadb, aio):
    """Connector/J's setQueryTimeout, prepared or not: nothing of it is left, for anybody."""
    weir = launch(mariadb, max_connections=2, config={"workers": 1})
    setting = "set statement max_statement_time = 5, sort_buffer_size = 65536 for "

    async def scenario(told):
        one, two = await connect(weir, charset=0), await connect(weir, charset=0)
        kept = await two.prepare("select concat('kept')")
        timed = await one.prepare(setting + "select concat(@@sort_buffer_size)")
        before = await two.value("select concat(@@sort_buffer_size, '/', @@max_statement_time)")
        told.clear()
        for _ in range(2):
            assert await one.value(setting + "select @@sort_buffer_size") == "65536"
            assert (await two.execute(kept)).value() == "kept"
            assert (await one.execute(timed)).value() == "65536"
            assert await two.value(
                "select concat(@@sort_buffer_size, '/', @@max_statement_time)") == before
        with pytest.raises(DatabaseError):
            await one.query(setting + "select nonsense")
        await two.query("set lc_time_names = 'de_DE'")
        assert await one.value("select concat(@@sort_buffer_size, '/', @@max_statement_time)") == before
        assert not [text for _, text in told() if text.startswith("SET @@session.sort")]
        await one.query("begin")
        await one.query(setting + "select 1")
        await one.query("set sort_buffer_size = 98304")
        await one.query("commit")
        assert await two.value("select @@sort_buffer_size") == before.split("/")[0]
        assert await one.value("select @@sort_buffer_size") == "98304"
        await one.close()
        await two.close()

    with History(mariadb) as told:
        aio(scenario(told))
    assert weir.metrics().total("weirpool_pins_total") == 0


async def hold_a_backend(weir):
    """Takes the backend that would be lent next, so that the next statement meets another one."""
    holder = await connect(weir)
    await holder.query("begin")
    await holder.query("select 1")
    return holder


def test_statements_do_not_pin(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=2)

    async def scenario():
        clients = [await connect(weir) for _ in range(10)]
        ids = [await one.prepare(f"select concat(?, '/{n}')") for n, one in enumerate(clients)]
        for _ in range(3):
            answers = await asyncio.gather(*(
                one.execute(which, [b"%d" % n])
                for n, (one, which) in enumerate(zip(clients, ids))))
            assert [a.rows for a in answers] == [[(b"%d/%d" % (n, n),)] for n in range(10)]
        for one in clients:
            await one.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_pins_total") == 0


def told_about(launch, server, aio, scenario):
    """Runs scenario(weir, told) with everything on one worker and a client's settings equal to a
    new backend's: whatever the server is told has been told for a reason."""
    weir = launch(server, max_connections=3, config={"workers": 1})
    with History(server) as told:
        aio(scenario(weir, told))


def test_the_server_is_told_no_more_than_needed(launch, mysql_like, aio):
    async def scenario(weir, told):
        one, two = await connect(weir, charset=0), await connect(weir, charset=0)
        told.clear()
        a = await one.prepare("select concat(?, 'x')")
        await one.execute(a, [b"1"])
        assert told() == [("Prepare", "select concat(?, 'x')"),
                          ("Execute", "select concat('1', 'x')")]
        told.clear()
        one.close_statement(a)
        b = await two.prepare("select concat(?, 'x')")
        await two.execute(b, [b"2"])
        await two.query("select 3")
        assert told() == [("Prepare", "select concat(?, 'x')"), ("Close stmt", ""),
                          ("Execute", "select concat('2', 'x')"), ("Query", "select 3")]
        await one.close()
        await two.close()

    told_about(launch, mysql_like, aio, scenario)


def test_another_backend_gets_the_statement_first(launch, mysql_like, aio):
    async def scenario(weir, told):
        one = await connect(weir, charset=0)
        which = await one.prepare("select concat(?, 'y')")
        await one.execute(which, [b"1"])
        holder = await hold_a_backend(weir)
        told.clear()
        for n in range(3):
            assert (await one.execute(which, [b"%d" % n])).rows == [(b"%dy" % n,)]
        assert told() == [("Prepare", "select concat(?, 'y')"),
                          ("Execute", "select concat('0', 'y')"),
                          ("Execute", "select concat('1', 'y')"),
                          ("Execute", "select concat('2', 'y')")]
        await holder.close()
        await one.close()

    told_about(launch, mysql_like, aio, scenario)


def test_types_of_another_client_never_apply(launch, mysql_like, aio):
    """Both have bound their types before; now both send values alone, on one backend."""
    weir = launch(mysql_like, max_connections=2)

    async def scenario():
        text, number = await connect(weir), await connect(weir)
        a, b = await text.prepare("select concat(?)"), await number.prepare("select concat(?)")
        for _ in range(2):
            await text.execute(a, [b"abc"])
            await number.execute_raw(b, LONGLONG, struct.pack("<q", 77))
            assert (await text.execute_raw(a, None, b"\3def")).rows == [(b"def",)]
            assert (await number.execute_raw(b, None, struct.pack("<q", 78))).rows == [(b"78",)]
        await text.close()
        await number.close()

    aio(scenario())


def test_query_attributes_do_not_pin(launch, mysql, aio):
    """What Connector/J, mysql2 and the C API negotiate: more clients than backends, values without
    types, and attributes that only their own statement sees."""
    mysql.execute("install component 'file://component_query_attributes'")
    weir = launch(mysql, max_connections=2)
    sql = "select concat(?, '/', coalesce(mysql_query_attribute_string('who'), 'none'))"

    async def scenario():
        asking = mywire.CAPABILITIES | mywire.QUERY_ATTRIBUTES
        clients = [await connect(weir, capabilities=asking) for _ in range(6)]
        assert all(one.attributes for one in clients)
        ids = [await one.prepare(sql) for one in clients]
        for _ in range(3):
            answers = await asyncio.gather(*(
                one.execute(which, [b"%d" % n], attributes=[(b"who", b"client %d" % n)])
                for n, (one, which) in enumerate(zip(clients, ids))))
            assert [a.rows for a in answers] == [[(b"%d/client %d" % (n, n),)] for n in range(6)]
        number, texts = clients[0], clients[1:]
        for _ in range(3):
            await number.execute_raw(ids[0], LONGLONG, struct.pack("<q", 77))
            answers = await asyncio.gather(
                number.execute_raw(ids[0], None, struct.pack("<q", 78)),
                *(one.execute_raw(which, None, b"\3abc") for one, which in zip(texts, ids[1:])))
            assert [a.value() for a in answers] == ["78/none"] + ["abc/none"] * 5
        for one in clients:
            await one.close()

    aio(scenario())
    mysql.execute("uninstall component 'file://component_query_attributes'")
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_names_are_those_of_the_schema_at_prepare(launch, mysql_like, aio):
    for schema in (DATABASE, "other"):
        mysql_like.execute(f"create or replace view {schema}.whose as select '{schema}' as name")
    weir = launch(mysql_like, max_connections=3, config={"workers": 1})

    async def scenario():
        one = await connect(weir)
        which = await one.prepare("select name from whose")
        assert (await one.execute(which)).value() == DATABASE
        await one.query("use other")
        assert (await one.execute(which)).value() == DATABASE
        holder = await hold_a_backend(weir)
        assert (await one.execute(which)).value() == DATABASE
        assert await one.value("select database()") == "other"
        await holder.close()
        await one.close()

    aio(scenario())
    for schema in (DATABASE, "other"):
        mysql_like.execute(f"drop view {schema}.whose")


def test_a_dropped_table_is_an_error_of_the_execute(launch, mysql_like, aio):
    mysql_like.execute(f"create table {DATABASE}.going (n int)")
    weir = launch(mysql_like, max_connections=3, config={"workers": 1})

    async def scenario():
        one = await connect(weir)
        which = await one.prepare("select cast(n as char) from going")
        await one.execute(which)
        mysql_like.execute(f"drop table {DATABASE}.going")
        for _ in range(2):  # where it is known, and where it is not
            with pytest.raises(DatabaseError) as caught:
                await one.execute(which)
            assert caught.value.code == 1146
            holder = await hold_a_backend(weir)
        await holder.close()
        mysql_like.execute(f"create table {DATABASE}.going (n int, m int)")
        assert (await one.execute(which)).rows == []
        await one.close()

    aio(scenario())
    mysql_like.execute(f"drop table {DATABASE}.going")


def test_cursors_keep_their_backend_and_give_it_back(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=2)

    async def scenario():
        one, other = await connect(weir), await connect(weir)
        which = await one.prepare("with recursive g(n) as (select 1 union all select n + 1 from g "
                                  "where n < 25) select cast(n as char) from g")
        answer = await one.execute(which, cursor=1)
        assert answer.rows == [] and answer.status & mywire.CURSOR_EXISTS
        rows = []
        while not answer.status & mywire.LAST_ROW_SENT:
            answer = await one.fetch(which, 10)
            rows += answer.rows
        assert rows == [(b"%d" % n,) for n in range(1, 26)]
        assert await other.value("select 'free again'") == "free again"
        with pytest.raises(DatabaseError) as caught:
            await one.fetch(which, 10)
        assert caught.value.code == 1421
        await one.execute(which, cursor=1)
        one.close_statement(which)
        assert await other.value("select 'free again'") == "free again"
        await one.close()
        await other.close()

    aio(scenario())


def test_long_data(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=2)

    async def scenario():
        one, other = await connect(weir), await connect(weir)
        which = await one.prepare("select concat(length(?), '')")
        for size in (0, 70_000, 3_000_000):
            data = b"x" * size
            one.long_data(which, 0, data[:size // 2])
            one.long_data(which, 0, data[size // 2:])
            assert (await one.execute_raw(which, mywire.VAR_STRING, b"")).value() == str(size)
            assert await other.value("select 'free'") == "free"
        one.long_data(which, 0, b"forgotten")
        await one.reset_statement(which)
        assert (await one.execute(which, [b"1234"])).value() == "4"
        one.long_data(99, 0, b"nobody's")
        assert await one.value("select 'no answer in between'") == "no answer in between"
        await one.close()
        await other.close()

    aio(scenario())


def test_a_reset_ends_them(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=2)

    async def scenario():
        one = await connect(weir)
        which = await one.prepare("select concat('a')")
        one.command(mywire.COM_RESET)
        await one.answer()
        with pytest.raises(DatabaseError) as caught:
            await one.execute(which)
        assert caught.value.code == 1243
        await one.close()

    aio(scenario())


def test_more_statements_than_the_server_takes(launch, mysql_like, aio):
    """max_prepared_stmt_count is for the whole server: what others have kept gives way."""
    before = mysql_like.value("select @@global.max_prepared_stmt_count")
    weir = launch(mysql_like, max_connections=2)
    mysql_like.execute("set global max_prepared_stmt_count = 10")

    async def scenario():
        one = await connect(weir)
        ids = [await one.prepare(f"select concat('{n}')") for n in range(30)]
        for _ in range(2):
            for n, which in enumerate(ids):
                assert (await one.execute(which)).value() == str(n)
        await one.close()

    try:
        aio(scenario())
    finally:
        mysql_like.execute(f"set global max_prepared_stmt_count = {before}")


def test_a_fresh_backend_that_may_prepare_nothing(launch, mysql_like, aio):
    """Others, not through Weirpool, have what max_prepared_stmt_count allows: a statement that a
    fresh backend lacks fails as a PREPARE would, and nothing else does."""
    before = mysql_like.value("select @@global.max_prepared_stmt_count")
    weir = launch(mysql_like, max_connections=3, config={"workers": 1})

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        ids = [await one.prepare(f"select concat('{n}')") for n in range(4)]
        await one.query("begin")
        assert (await one.execute(ids[0])).value() == "0"
        await two.query("begin")  # a second backend, which knows nothing yet
        held = mysql_like.execute("show global status like 'Prepared_stmt_count'")[0][1]
        mysql_like.execute(f"set global max_prepared_stmt_count = {held}")
        with pytest.raises(DatabaseError) as caught:
            await two.prepare("select concat('mine')")
        assert caught.value.code == 1461
        await two.query("commit")
        await one.query("commit")
        mysql_like.execute(f"set global max_prepared_stmt_count = {int(held) + 1}")
        for _ in range(2):  # one place is enough for all four, in turns
            await two.query("begin")
            await one.query("begin")
            for n, which in enumerate(ids):
                assert (await one.execute(which)).value() == str(n)
            await one.query("commit")
            await two.query("commit")
        mysql_like.execute("set global max_prepared_stmt_count = 0")
        mysql_like.kill_all()
        for _ in range(2):
            with pytest.raises(DatabaseError) as caught:
                await one.execute(ids[0])
            assert caught.value.code == 1461
            assert await one.value("select 'goes on'") == "goes on"
        mysql_like.execute(f"set global max_prepared_stmt_count = {before}")
        assert (await one.execute(ids[0])).value() == "0"
        await one.close()
        await two.close()

    try:
        aio(scenario())
    finally:
        mysql_like.execute(f"set global max_prepared_stmt_count = {before}")


def test_a_backend_keeps_no_more_than_configured(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=2,
                  config={"pool": {"max_prepared_statements": 5}})
    count = "show global status like 'Prepared_stmt_count'"

    async def scenario():
        one = await connect(weir)
        for n in range(40):
            which = await one.prepare(f"select concat('{n}')")
            await one.execute(which)
            one.close_statement(which)
        await one.query("select 1")
        assert int(mysql_like.execute(count)[0][1]) <= 5
        with pytest.raises(DatabaseError) as caught:
            for n in range(100):
                await one.prepare(f"select concat('{n}')")
        assert caught.value.code == 1461
        await one.close()

    aio(scenario())


def test_inside_a_transaction_of_another_backend(launch, mysql_like, aio):
    weir = launch(mysql_like, max_connections=3, config={"workers": 1})

    async def scenario():
        one = await connect(weir)
        await one.query("create table if not exists in_trx (n int)")
        which = await one.prepare("insert into in_trx values (?)")
        holder = await hold_a_backend(weir)
        await one.query("set autocommit = 0")
        await one.query("insert into in_trx values (1)")
        await one.execute(which, [b"2"])
        await one.query("rollback")
        assert await one.value("select count(*) from in_trx") == "0"
        await holder.close()
        await one.close()

    aio(scenario())
    mysql_like.execute(f"drop table {DATABASE}.in_trx")


def test_pipelined_last_statement_of_mariadb(launch, mariadb, aio):
    weir = launch(mariadb, max_connections=2)

    async def scenario():
        one = await connect(weir)
        one.command(mywire.COM_STMT_PREPARE, b"select concat('last')")
        one.command(mywire.COM_STMT_EXECUTE, struct.pack("<IBI", 0xFFFFFFFF, 0, 1))
        one.sequence = 1
        await one.prepared()
        one.sequence = 1
        assert (await one.answer(binary=True)).value() == "last"
        await one.close()

    aio(scenario())
