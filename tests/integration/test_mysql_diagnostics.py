"""What MySQL clients ask about their own last statement, while others use the same backend: insert
ids, warnings, row counts."""

import asyncio

import pytest

from history import play, statements
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.wire import DatabaseError


@pytest.fixture
def weir(launch, mysql_like):
    """One worker and one backend for everybody (the other slot is reserved)."""
    return launch(mysql_like, max_connections=2, config={"workers": 1})


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


def test_insert_ids_that_no_reply_tells(weir, mysql_like, aio):
    """Of a procedure, of LAST_INSERT_ID(expression), and none of an id that was given."""
    maria = "Maria" in type(mysql_like).__name__
    create = "create or replace procedure" if maria else "create procedure if not exists"
    mysql_like.execute(f"create table if not exists {DATABASE}.given "
                       "(id int auto_increment primary key, t varchar(20))")
    mysql_like.execute(f"{create} {DATABASE}.adds() insert into {DATABASE}.given (t) values ('p')")

    async def scenario(told, one, two):
        async def elsewhere():
            """Another client generates an id of its own on the one backend there is."""
            waiting = asyncio.ensure_future(two.query("insert into given (t) values ('theirs')"))
            done, _ = await asyncio.wait([waiting], timeout=5)
            assert done, "the backend is free"

        async def last(client):
            return int(await client.value("select last_insert_id()"))

        generated = (await one.query("insert into given (t) values ('x')")).last_id
        await elsewhere()
        told.clear()
        await one.query("insert into given (t) values ('y')")
        assert statements(told) == ["insert into given (t) values ('y')"], "nothing to ask"
        generated = (await one.query("insert into given (t) values ('x')")).last_id
        await elsewhere()
        assert (await one.query("insert into given values (1000, 'given')")).last_id == 1000
        await elsewhere()
        assert await last(one) == generated
        await one.query("begin")
        await one.query("insert into given values (1900, 'given')")
        assert await last(one) == generated
        await one.query("commit")
        prepared = await one.prepare("insert into given values (?, 'given')")
        assert (await one.execute(prepared, [b"2000"])).last_id == 2000
        await elsewhere()
        assert await last(one) == generated
        assert await one.value("select last_insert_id(4711)") == "4711"
        await elsewhere()
        assert await last(one) == 4711
        assert await one.value("select last_insert_id() + 0") == "4711"
        if maria:
            id = int(await one.value("insert into given (t) values ('r') returning id"))
            await elsewhere()
            assert await last(one) == id
        with pytest.raises(DatabaseError):
            await one.query("insert into given values (1000, 'twice')")
        await one.query("call adds()")
        if not maria:  # there the client keeps its backend
            await elsewhere()
        assert await last(one) == mysql_like.value(
            f"select max(id) from {DATABASE}.given where t = 'p'")

    play(weir, mysql_like, aio, scenario)
    mysql_like.execute(f"drop procedure {DATABASE}.adds")
    mysql_like.execute(f"drop table {DATABASE}.given")


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


def test_parts_of_the_diagnostics_are_what_the_server_says(weir, mysql_like, aio):
    asking = ["show warnings", "show warnings limit 1", "show warnings limit 1, 5", "show errors",
              "show warnings limit 1 offset 1", "show errors limit 1", "show count(*) warnings",
              "show count(*) errors", "show warnings"]

    async def scenario(told, one, two):
        straight = await mywire.MyConn.connect(HOST, mysql_like.port, USER, PASSWORD, DATABASE)
        for sql in ("select cast('a' as signed), cast('b' as signed)", "select no_such_column"):
            said = []
            for client in (one, straight):
                try:
                    await client.query(sql)
                except DatabaseError as error:
                    assert error.code == 1054
                said.append([])
                for ask in asking:
                    if client is one:
                        await two.query("select 'between'")
                    said[-1].append((await client.query(ask)).rows)
            assert said[0] == said[1]
        await straight.close()

    play(weir, mysql_like, aio, scenario)


def test_errors_of_commands_are_what_show_warnings_says(weir, mysql_like, aio):
    async def unknown(client):
        client.command(mywire.COM_INIT_DB, b"no_such_schema")
        await client.answer()

    commands = [unknown, lambda client: client.prepare("selec"),
                lambda client: client.prepare("select * from no_such_table"),
                lambda client: client.execute(4711)]

    async def scenario(told, one, two):
        straight = await mywire.MyConn.connect(HOST, mysql_like.port, USER, PASSWORD, DATABASE)
        for command in commands:
            said = []
            for client in (one, straight):
                await client.query("select 1 from (select 1) as s")
                await two.query("select cast('of another' as signed)")
                with pytest.raises(DatabaseError):
                    await command(client)
                await two.query("select 'between'")
                said.append([[level, code, text[:24]] for level, code, text in
                             (await client.query("show errors")).rows])
            assert said[0] == said[1] and len(said[0]) == 1
        await straight.close()

    play(weir, mysql_like, aio, scenario)


def test_statements_without_warnings_are_not_asked_about(weir, mysql_like, aio):
    async def scenario(told, one, two):
        await one.query("select 1")
        await two.query("do 0")
        assert statements(told) == ["select 1", "do 0"]
        with pytest.raises(DatabaseError):
            await one.query("select nonsense")
        await two.query("select 1")
        # MariaDB would show them behind a statement without a table.
        clears = "DO (SELECT 1 FROM (SELECT 1) AS weirpool)"
        maria = [clears] if "Maria" in type(mysql_like).__name__ else []
        assert statements(told)[2:] == ["select nonsense", "SHOW WARNINGS", *maria, "select 1"]

    play(weir, mysql_like, aio, scenario)
