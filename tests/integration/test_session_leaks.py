"""What a session leaves behind in transaction mode: the next client of its backend never sees it, and
the policies say whether it is kept, refused or forgotten."""

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.pgwire import query


def test_the_next_client_of_a_pinned_backend_finds_nothing(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)
    looks = ("select count(*) from pg_listening_channels()",
             "select count(*) from pg_class where relpersistence = 't'",
             "select count(*) from pg_locks where locktype = 'advisory'",
             "select count(*) from pg_cursors", "show work_mem",
             "select count(*) from pg_prepared_statements where from_sql")

    async def scenario():
        dirty = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        clean = [await dirty.value(look) for look in looks]
        await dirty.query("select 1 as kept")
        for text in ("listen x", "create temp table t (a int)", "select pg_advisory_lock(1)",
                     "declare c cursor with hold for select 1", "prepare p as select 1",
                     "select set_config(lower('WORK_MEM'), '1MB', false)"):
            (await dirty.query(text)).check()
        pid = await dirty.value("select pg_backend_pid()")
        await dirty.close()
        fresh = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        assert [await fresh.value(look) for look in looks] == clean
        assert await fresh.value("select pg_backend_pid()") == pid
        await fresh.close()

    aio(scenario())
    pins = {labels["reason"] for name, labels, _ in weir.metrics().samples
            if name == "weirpool_pins_total"}
    assert "temporary_object" in pins


LASTVAL = "select lastval()"
IN_BATCH = (pgwire.parse("", "begin") + pgwire.bind("", "") + pgwire.execute() +
            pgwire.parse("", LASTVAL) + pgwire.bind("", "") + pgwire.execute() + pgwire.SYNC)


@pytest.mark.parametrize("steps", [
    [pgwire.query(LASTVAL)],
    [pgwire.query("BEGIN"), pgwire.query(LASTVAL)],
    [pgwire.query("BEGIN"), pgwire.query("set local work_mem = 1024"),
     pgwire.parse("s", LASTVAL) + pgwire.bind("", "s") + pgwire.execute() + pgwire.SYNC],
    [IN_BATCH]])
def test_somebody_elses_sequence_is_never_seen(launch, any_postgres, aio, steps):
    weir = launch(any_postgres, max_connections=1)

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        two = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        (await one.query("create sequence somebodys; select nextval('somebodys')")).check()
        for step in steps:
            two.send(step)
            answer = await two.answer()
        assert [error.code for error in answer.errors] == ["55000"], answer.rows
        await two.query("rollback")
        await two.query("begin; select nextval('somebodys')")
        assert await two.value(LASTVAL) == "2"
        await two.query("rollback")
        await two.close()
        await one.query("drop sequence somebodys")
        await one.close()

    aio(scenario())


def test_policies(launch, postgres, aio):
    """What the operator refuses is refused, as the server itself would; what he allows passes."""
    weir = launch(postgres, max_connections=2, config={"pool": {"session_state": {
        "listen": "refuse", "parameters": "refuse", "advisory_locks": "allow",
        "sql_prepare": "refuse"}}})

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        for answer in (await one.query("listen x"), await one.extended("set work_mem = 1"),
                       await one.query("prepare p as select 1")):
            assert [error.code for error in answer.errors] == ["0A000"]
            assert answer.status == "I"
        await one.query("begin")
        assert (await one.query("listen x")).status == "E"
        assert (await one.query("commit")).tags == ["ROLLBACK"]
        assert await one.value("select pg_advisory_lock(1)") == ""
        assert await one.value("select pg_advisory_unlock_all()") == ""
        await one.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_reset_query_always(launch, postgres, aio):
    """What a function does to the session is gone all the same."""
    weir = launch(postgres, max_connections=1, config={"pool": {"reset_query_always": True}})

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        two = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        (await one.query("create function sneaky() returns text language plpgsql as $$ begin "
                         "return set_config('my.sneaky', 'here', false); end $$")).check()
        assert await one.value("select sneaky()") == "here"
        assert await two.value("select current_setting('my.sneaky', true)") == ""
        assert (await two.extended("select 1", name="s")).check().rows == [(b"1",)]
        assert await one.value("select 1") == "1"
        two.send(pgwire.bind("", "s"), pgwire.execute(), pgwire.SYNC)
        assert (await two.answer()).check().rows == [(b"1",)]
        await one.query("drop function sneaky()")
        await one.close()
        await two.close()

    aio(scenario())


@pytest.mark.parametrize("where", [{"databases": {DATABASE: {"reset_query_always": True}}},
                                   {"pool_mode": "session"}])
def test_everything_is_reset_whatever_else_was_seen(launch, postgres, aio, where):
    weir = launch(postgres, max_connections=1, config=where)

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        (await one.query("create or replace function pg_temp.sneaky() returns text language plpgsql "
                         "as $$ begin return set_config('work_mem', '7777kB', false); end $$")).check()
        assert await one.value("select pg_temp.sneaky()") == "7777kB"
        await one.close()
        two = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        assert await two.value("show work_mem") != "7777kB"
        await two.close()

    aio(scenario())


def test_nobody_hears_what_a_function_listens_to(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)

    async def scenario():
        owner = await pgwire.PgConn.connect(HOST, postgres.port, USER, PASSWORD, DATABASE)
        (await owner.query("create or replace function all_ears() returns void language plpgsql "
                           "as $$ begin listen secrets; end $$")).check()
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        two = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        (await one.query("select all_ears()")).check()
        (await two.query("begin; notify secrets, 'x'; commit")).check()
        for client in (two, one):
            # Its own notification comes with the answer that its backend gives next.
            client.send(query("select pg_notify('secrets', 'y')"))
            answer = (await client.answer()).check()
            assert "A" not in answer.kinds
        assert await two.value("select count(*) from pg_listening_channels()") == "0"
        (await owner.query("drop function all_ears()")).check()
        for client in (owner, one, two):
            await client.close()

    aio(scenario())
