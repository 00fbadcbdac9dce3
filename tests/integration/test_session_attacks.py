"""Clients that hide from Weirpool what they do to their session: the next one finds nothing of it."""

import asyncio
import struct

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire

LOOKS = ("select count(*) from pg_listening_channels()",
         "select count(*) from pg_class where relpersistence = 't'",
         "select count(*) from pg_locks where locktype = 'advisory'",
         "select count(*) from pg_cursors", "show work_mem",
         "select count(*) from pg_prepared_statements where from_sql")

# pg_advisory_lock(5), called by its number, in binary.
LOCK = pgwire.message(b"F", struct.pack("!IhhhiqH", 2880, 1, 1, 1, 8, 5, 0))

# The backslash is the second byte of a character and escapes nothing.
HALF = pgwire.message(b"Q", b"select E'\x83\x5c'; listen x; --'\0")

HIDDEN = {
    "doubled quote": ["select E'a''\\''; listen x; --'"],
    "quote in the next line": ["select E'a' -- x\n'\\''; listen x; --'"],
    "unicode name": ['create table U&"pg\\005ftemp".t (a int)'],
    "unicode function": ["select U&\"set\\005fconfig\"('work_mem', '77MB', false)"],
    "search path": ["set search_path = 'pg_temp'", "create table t (a int)"],
    "search path by function": ["select set_config('search_path', 'pg_temp', false)",
                                "create table t (a int)"],
    "reset that is undone": ["do $$ begin set work_mem = '77MB'; end $$", "reset all; select 1/0"],
    "reset rolled back": ["do $$ begin set work_mem = '77MB'; end $$", "begin; reset all",
                          "rollback"],
    "lock by SQL prepare": ["prepare p as select pg_advisory_lock(1)", "select 1", "execute p",
                            "deallocate p"],
    "text put together": ["do $$ begin execute 'create ' || 'temp table t (a int)'; end $$"],
    "cursor of a DO": ["do $$ begin execute 'declare c cursor with hold for select 1'; end $$"],
    "function by number": [LOCK],
    "half a character": ["set client_encoding = 'SJIS'", HALF],
    "half a character at once": [pgwire.query("set client_encoding = 'SJIS'") + HALF, "select 1"],
}


async def connect(port):
    return await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden_stays_with_its_client(launch, postgres, aio, name):
    weir = launch(postgres, max_connections=1)

    async def scenario():
        bad, good = await connect(weir.port), await connect(weir.port)
        clean = [await good.value(look) for look in LOOKS]
        for step in HIDDEN[name]:
            bad.send(step if isinstance(step, bytes) else pgwire.query(step))
            while (await bad.receive())[0] != b"Z":
                pass
        look = asyncio.ensure_future(good.value(LOOKS[0]))
        await asyncio.sleep(0)
        await bad.close()
        assert [await look] + [await good.value(one) for one in LOOKS[1:]] == clean
        await good.close()

    aio(scenario())


def test_no_notification_is_lost_while_the_session_is_asked_about(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)
    count = 300

    async def scenario():
        listener, sender = await connect(weir.port), await connect(postgres.port)
        (await listener.query("listen x")).check()

        async def notify():
            for number in range(count):
                (await sender.query(f"notify x, '{number}'")).check()

        sending = asyncio.ensure_future(notify())
        heard, turn = "", 0
        while not sending.done():
            turn += 1
            heard += (await listener.query(f"set work_mem = {8192 + turn}")).kinds
        heard += (await listener.query("select 1")).kinds
        assert heard.count("A") == count
        await listener.close()
        await sender.close()

    aio(scenario())


def test_a_temporary_table_stands_in_front_of_a_statement_others_know(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)
    text = "select a from shadowed"

    async def scenario():
        one, two = await connect(weir.port), await connect(weir.port)
        await two.query("create table shadowed as select 'public' as a")
        await one.query("create temp table first (a int)")
        await one.query("drop table first")
        assert (await two.extended(text, name="s")).check().rows == [(b"public",)]
        await one.query("create temp table shadowed as select 'temporary' as a")
        assert (await one.extended(text, name="s")).check().rows == [(b"temporary",)]
        await one.close()
        assert (await two.extended(text, name="t")).check().rows == [(b"public",)]
        await two.query("drop table shadowed")
        await two.close()

    aio(scenario())


def test_a_statement_read_under_unknown_settings_is_nobody_elses(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)
    text = "select 1 where (select null::int) = null"

    async def scenario():
        one = await connect(weir.port)
        await one.query("do $$ begin set transform_null_equals = on; end $$")
        assert (await one.extended(text, name="s")).check().rows == [(b"1",)]
        await one.close()
        two = await connect(weir.port)
        assert (await two.extended(text, name="s")).check().rows == []
        await two.close()

    aio(scenario())


@pytest.mark.parametrize("how", ["deallocate {}", "do $$ begin execute 'deallocate {}'; end $$"])
def test_statements_of_everybody_survive_one_client(launch, postgres, aio, how):
    weir = launch(postgres, max_connections=1)

    async def scenario():
        bad, good = await connect(weir.port), await connect(weir.port)
        (await good.extended("select 42", name="s")).check()
        name = await bad.value("select name from pg_prepared_statements")
        (await bad.query(how.format(name))).check()
        await bad.close()
        good.send(pgwire.bind("", "s"), pgwire.execute(), pgwire.SYNC)
        assert (await good.answer()).check().rows == [(b"42",)]
        await good.close()

    aio(scenario())


def test_the_reset_calls_no_operator_of_the_clients(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)
    trap = """create schema trap; create table trap.called (a text);
        create function trap.join(text, text) returns text language plpgsql as $$ begin
        insert into trap.called values ('yes'); return textcat($1, $2); end $$;
        create operator trap.|| (function = trap.join, leftarg = text, rightarg = text)"""

    async def scenario():
        bad = await connect(weir.port)
        (await bad.query(trap)).check()
        await bad.query("set search_path = trap, pg_catalog")
        (await bad.query("select setseed(0.1)")).check()
        pid = await bad.value("select pg_backend_pid()")
        await bad.close()
        good = await connect(weir.port)
        assert await good.value("select count(*) from trap.called") == "0"
        assert await good.value("select pg_backend_pid()") == pid
        await good.query("drop schema trap cascade")
        await good.close()

    aio(scenario())
