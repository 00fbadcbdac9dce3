"""CALL over fewer backends than clients: what a procedure leaves stays with its caller, one that
leaves nothing costs no backend, and OUT parameters reach every kind of client."""

import asyncio
import struct

import pytest

from history import History
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.mywire import DEPRECATE_EOF
from weirtest.wire import DatabaseError

OUT_PARAMETERS = 0x1000  # SERVER_PS_OUT_PARAMS
BODIES = {
    "reads": "begin declare n int default 0; select 1 into n; select n; end",
    "adds": "insert into kept (v) values (1)",
    "fails": "signal sqlstate '45000'",
    "sets_and_fails": "begin set @x = 9; signal sqlstate '45000'; end",
    "sets": "set @x = 7",
    "selects_into": "select 7 into @x",
    "assigns": "select @x := 7",
    "locks": "do get_lock('mine', 1)",
    "makes": "begin create temporary table mine (i int); select 1; end",
    "prepares": "prepare mine from 'select 7'",
    "deeper": "call p_locks()",
    "by_function": "do takes_lock()",
    "gives": None,
}
LEFT = {
    "sets": ("select @x", "7"),
    "selects_into": ("select @x", "7"),
    "assigns": ("select @x", "7"),
    "sets_and_fails": ("select @x", "9"),
    "locks": ("select is_used_lock('mine') = connection_id() + 0", "1"),
    "deeper": ("select is_used_lock('mine') = connection_id() + 0", "1"),
    "by_function": ("select is_used_lock('mine') = connection_id() + 0", "1"),
    "makes": ("select count(*) from mine", "0"),
    "prepares": ("execute mine", "7"),
}


async def connect(weir, **more):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, charset=0, **more)


@pytest.fixture
def procedures(mysql_like, aio):
    """Made by the user that calls them, as an application's migrations do."""
    async def make():
        one = await connect(mysql_like)
        await one.query("create table if not exists kept (v int)")
        await one.query("create function takes_lock() returns int return get_lock('mine', 1)")
        for name, body in BODIES.items():
            await one.query(f"create procedure p_{name}() {body}" if body else
                            f"create procedure p_{name}(in a int, out b int, inout c varchar(20)) "
                            "begin select a; set b = a + 1; set c = concat(c, '!'); end")
        await one.close()

    async def drop():
        one = await connect(mysql_like)
        for name in BODIES:
            await one.query(f"drop procedure p_{name}")
        await one.query("drop function takes_lock")
        await one.query("drop table kept")
        await one.close()

    mysql_like.execute("set global log_bin_trust_function_creators = 1")
    aio(make())
    yield
    aio(drop())


def weir_of(launch, server, policy="track"):
    return launch(server, max_connections=2,
                  config={"workers": 1, "pool": {"session_state": {"routines": policy}}})


async def call(one, name):
    if "fails" not in name:
        return await one.query(f"call p_{name}()")
    with pytest.raises(DatabaseError) as caught:
        await one.query(f"call p_{name}()")
    assert caught.value.code == 1644
    return None


def test_what_leaves_nothing_keeps_no_backend(launch, mysql_like, procedures, aio):
    weir = weir_of(launch, mysql_like)

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        prepared = await two.prepare("select concat('kept')")
        for round in range(3):
            for name in ("reads", "adds", "fails"):
                await call(one, name)
                assert (await two.execute(prepared)).value() == "kept"
            await one.query("begin")
            await call(one, "adds")
            await one.query("rollback")
            if round == 0:  # seen for the first time, the backend is reset
                told.clear()
        assert [text for kind, text in told() if kind.startswith("Reset")] == []
        assert sum(text == "select concat('kept')" and kind == "Prepare"
                   for kind, text in told()) == 0
        await one.close()
        await two.close()

    with History(mysql_like) as told:
        aio(scenario())
    assert weir.metrics().total("weirpool_pins_total") == 0


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_stays_with_its_caller(launch, mysql_like, procedures, aio, name):
    weir = weir_of(launch, mysql_like)
    ask, wanted = LEFT[name]

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        await one.query("select 1")
        await call(one, name)
        waiting = asyncio.ensure_future(two.value("select coalesce(@x, 'nothing')"))
        assert await one.value(ask) == wanted
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done(), "its backend is not free"
        one.command(mywire.COM_RESET)
        await one.answer()
        assert await waiting == "nothing"
        assert await two.value("select coalesce(is_used_lock('mine'), 'free')") == "free"
        await one.close()
        await two.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_pins_total") >= 1


def test_whose_text_nobody_may_read_keeps_its_backend(launch, mysql_like, procedures, aio):
    weir = weir_of(launch, mysql_like)
    maria = "Maria" in type(mysql_like).__name__
    mysql_like.execute(f"create procedure {DATABASE}.hidden() do 1")
    mysql_like.execute(f"revoke all on *.* from {USER}@'%%'")
    mysql_like.execute(f"grant execute, select, insert on {DATABASE}.* to {USER}@'%%'")
    try:
        async def scenario():
            one, two = await connect(weir), await connect(weir)
            await one.query("call hidden()")
            waiting = asyncio.ensure_future(two.value("select 'served'"))
            await asyncio.wait([waiting], timeout=0.1)
            assert not waiting.done()
            await one.close()
            assert await waiting == "served"
            await two.close()

        aio(scenario())
    finally:
        mysql_like.execute(f"grant all on *.* to {USER}@'%%'")
        mysql_like.execute(f"drop procedure {DATABASE}.hidden")
    assert weir.metrics().total("weirpool_pins_total", reason="routine") == 1, maria


def test_a_call_that_cannot_begin_pins_nobody(launch, mysql_like, procedures, aio):
    weir = weir_of(launch, mysql_like)

    async def scenario():
        one, two = await connect(weir), await connect(weir)
        for sql, code in (("call nowhere()", 1305), ("call p_sets(1)", 1318)):
            with pytest.raises(DatabaseError) as caught:
                await one.query(sql)
            assert caught.value.code == code
            assert await two.value("select 'served'") == "served"
        await one.close()
        await two.close()

    aio(scenario())
    assert weir.metrics().total("weirpool_pins_total") == 0


def test_other_policies(launch, mysql_like, procedures, aio):
    async def scenario(weir, policy):
        one, two = await connect(weir), await connect(weir)
        if policy == "refuse":
            with pytest.raises(DatabaseError) as caught:
                await one.query("call p_reads()")
            assert caught.value.code == 1235
            with pytest.raises(DatabaseError):
                await one.prepare("call p_reads()")
        else:
            await one.query("call p_selects_into()" if policy == "allow" else "call p_reads()")
        waiting = asyncio.ensure_future(two.value("select coalesce(@x, 'nothing')"))
        if policy == "pin":
            await asyncio.wait([waiting], timeout=0.1)
            assert not waiting.done()
            one.command(mywire.COM_RESET)
            await one.answer()
        assert await waiting == "nothing"
        await one.close()
        await two.close()

    for policy in ("pin", "refuse", "allow"):
        aio(scenario(weir_of(launch, mysql_like, policy), policy))


async def out_parameters(port, capabilities):
    """The bodies of all packets behind a prepared CALL."""
    one = await mywire.MyConn.connect(HOST, port, USER, PASSWORD, DATABASE, charset=0,
                                      capabilities=capabilities)
    old = not capabilities & DEPRECATE_EOF
    one.command(mywire.COM_STMT_PREPARE, b"call p_gives(?, ?, ?)")
    statement, columns, parameters = struct.unpack_from("<IHH", await one.receive(), 1)
    assert (columns, parameters) == (0, 3)
    for _ in range(parameters + old):
        await one.receive()
    one.command(mywire.COM_STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1) + b"\0\1" +
                struct.pack("<H", mywire.VAR_STRING) * 3 +
                b"".join(mywire.lenenc_bytes(value) for value in (b"41", b"0", b"who")))
    heard = [await one.receive()]
    while heard[-1][0] != 0:  # the OK behind all results
        for _ in range(heard[-1][0] + old):
            heard.append(await one.receive())
        heard.append(await one.receive())
        while heard[-1][0] != 0xFE:
            heard.append(await one.receive())
        heard.append(await one.receive())
    await one.ping()
    await one.close()
    return heard


def without_status(body):
    """What else a status says of a statement (which indexes, more to come) is not put in early."""
    if body[0] != 0xFE or len(body) > 9:
        return body, False
    status = struct.unpack_from("<H", body, 3)[0]
    return body[:3] + body[5:], bool(status & OUT_PARAMETERS)


@pytest.mark.parametrize("modern", [True, False])
def test_out_parameters_are_told_as_by_the_server(launch, mysql_like, procedures, aio, modern):
    """Packet by packet, with the mark wherever a server puts it."""
    weir = weir_of(launch, mysql_like)
    capabilities = mywire.CAPABILITIES if modern else mywire.CAPABILITIES & ~DEPRECATE_EOF
    direct = [without_status(body) for body in aio(out_parameters(mysql_like.port, capabilities))]
    through = [without_status(body) for body in aio(out_parameters(weir.port, capabilities))]
    assert [body for body, _ in through] == [body for body, _ in direct]
    first, *more = [at for at, (_, marked) in enumerate(direct) if marked]
    # MySQL has taken it back by the end of the row, unless that is the only place for it.
    told = [at for at, (_, marked) in enumerate(through) if marked]
    assert told[0] == first and len(told) == (1 if modern else 2) and set(more) <= set(told)
