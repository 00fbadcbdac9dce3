"""Statements of the extended protocol, message by message: who talks to the server itself and who
shares one of its backends must hear the same."""

import asyncio
import struct

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.pgwire import SYNC, bind, execute, parse, query


FLUSH = "select pg_stat_force_next_flush(), count(*) from pg_class"


def run(name=""):
    return bind("", name) + execute() + SYNC


# Each step: who, what is sent in one piece, how many ReadyForQuery answer it.
SCRIPTS = {
    "Parse in a failed transaction": [
        ("A", parse("a", "select 1") + SYNC, 1), ("A", query("begin") + query("select 1/0"), 2),
        ("A", parse("b", "select 1") + SYNC, 1), ("A", query("rollback"), 1),
        ("A", parse("b", "select 1") + SYNC, 1), ("A", run("b"), 1), ("A", run("a"), 1)],
    "Parse behind what fails the transaction": [
        ("A", parse("a", "select 1") + SYNC, 1), ("B", parse("z", "select 1") + SYNC, 1),
        ("A", query("begin") + query("select 1/0") + parse("b", "select 1") + SYNC, 3),
        ("A", query("rollback"), 1), ("A", parse("b", "select 1") + run("b"), 1)],
    **{f"an unnamed statement of {size} bytes, bound later": [
        ("A", parse("", f"select length('{'x' * size}')") + pgwire.message(b"D", b"S\0") + SYNC, 1),
        ("B", query("select 1"), 1), ("A", run(), 1), ("B", query("select 2"), 1)]
       for size in (60000, 300000)},
    **{f"{text}, extended": [
        ("A", parse("s", "select 1") + SYNC, 1), ("A", parse("", text) + run(), 1),
        ("A", run("s"), 1), ("A", parse("s", "select 2") + run("s"), 1),
        ("A", parse("d", text) + SYNC, 1), ("A", run("d"), 1), ("A", run("s"), 1),
        ("A", parse("s", "select 3") + SYNC, 1),
        ("A", parse("", text) + bind("", "") + execute() + parse("s", "select 4") + run("s"), 1),
        ("A", query("begin") + query("select 1/0") + parse("", text) + run(), 3),
        ("A", query("rollback"), 1), ("A", run("s"), 1), ("A", query(text), 1), ("A", run("s"), 1)]
       for text in ("deallocate s", "/* x */ deallocate prepare s")},
    "closed between Bind and Execute of its DEALLOCATE": [
        ("A", parse("s", "select 1") + SYNC, 1),
        ("A", parse("", "deallocate s") + bind("", "") + pgwire.message(b"C", b"Ss\0") + execute()
         + SYNC, 1),
        ("A", parse("s", "select 2") + run("s"), 1),
        ("A", parse("", "deallocate s") + bind("", "") + pgwire.message(b"C", b"Ss\0")
         + parse("s", "select 3") + execute() + SYNC, 1),
        ("A", run("s"), 1)],
    "comments, and where the error is": [
        ("A", parse(f"c{number}", text.format(number)) + run(f"c{number}"), 1)
        for number, text in enumerate([
            "/*id={}*/ select 1", "/*id={}*/ select 1", "/*id={}*/ selec 1", "/*id={}*/ selec 1",
            "--id={}\nselect nothing", "select nothing --id={}", "select nothing --id={}\n",
            "/*id={}*/ select '1' || x -- y", "/*id={}*/ select 1 as \"/*id=1*/\" -- y"])],
    "Parse of ROLLBACK in a failed transaction": [
        ("B", parse("r", "rollback") + SYNC, 1),
        ("A", query("begin") + query("select 1/0") + parse("r", "rollback") + run("r"), 3),
        ("A", query("select 1"), 1)],
}


async def play(port, script):
    clients, heard = {}, []
    for who, sent, answers in script:
        if who not in clients:
            clients[who] = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)
        clients[who].send(sent)
        for _ in range(answers):
            answer = await clients[who].answer()
            heard.append((who, answer.kinds, answer.rows, answer.tags,
                          [(error.code, error.message, error.fields.get("P"))
                           for error in answer.errors], answer.status))
    for one in clients.values():
        await one.close()
    return heard


@pytest.mark.parametrize("name", SCRIPTS)
def test_nobody_can_tell_the_difference(launch, any_postgres, aio, name):
    weir = launch(any_postgres, max_connections=1)
    direct = aio(play(any_postgres.port, SCRIPTS[name]))
    for _ in range(2):
        assert aio(play(weir.port, SCRIPTS[name])) == direct


def test_an_unnamed_statement_too_long_to_be_kept_pins(launch, postgres, aio):
    weir = launch(postgres, max_connections=2)
    size = 1 << 21
    script = [("A", parse("", f"select length('{'x' * size}')") + SYNC, 1),
              ("B", query("select 1"), 1), ("A", run(), 1), ("B", query("select 2"), 1)]
    assert aio(play(weir.port, script)) == aio(play(postgres.port, script))
    assert weir.metrics().total("weirpool_pins_total") == 1


@pytest.mark.parametrize("most, sizes", [(100, [2 << 20]), (100, [1_000_000] * 10), (1, [1] * 20)])
def test_named_statements_too_long_or_too_many_to_be_kept_pin(launch, any_postgres, aio, most,
                                                              sizes):
    config = {"pool": {"max_prepared_statements": most}}
    weir = launch(any_postgres, max_connections=2, config=config)
    texts = [f"select {number}, length('{'x' * size}')" for number, size in enumerate(sizes)]
    last = f"s{len(texts) - 1}"
    script = [*(("A", parse(f"s{number}", text) + run(f"s{number}"), 1)
                for number, text in enumerate(texts)),
              ("B", query("select 1"), 1), ("A", run(last), 1), ("A", run("s0"), 1),
              # Names are one set, whoever keeps them; and another client's are its own.
              ("A", parse(last, "select 1") + SYNC, 1), ("A", parse("s0", texts[0]) + SYNC, 1),
              ("B", parse(last, "select 'b'") + run(last), 1), ("A", run(last), 1),
              ("A", query("begin") + query("select 1/0") + parse("t", texts[0]) + SYNC, 3),
              ("A", query("rollback"), 1), ("A", query(f"deallocate {last}"), 1),
              ("A", run(last), 1), ("A", query("discard all"), 1), ("A", run("s0"), 1),
              ("A", parse(last, texts[0]) + run(last), 1)]
    assert aio(play(weir.port, script)) == aio(play(any_postgres.port, script))
    assert weir.metrics().total("weirpool_pins_total") >= 1

    async def others_have_none():
        two = await connect(weir.port)
        assert (await two.query(f"select count(*) from pg_prepared_statements "
                                f"where name = '{last}'")).value() == "0"
        (await two.extended("select 1", name=last)).check()
        await two.close()

    for _ in range(2):
        aio(others_have_none())


@pytest.mark.parametrize("text", ["/*traceparent='00-{:032x}-01'*/ select 1",
                                  "select 1 /*traceparent='00-{:032x}-01'*/",
                                  "select 1 -- traceparent='00-{:032x}-01'"])
def test_trace_comments_make_no_new_statements(launch, postgres, aio, text):
    weir = launch(postgres, max_connections=1)

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        for number in range(20):
            answer = await one.extended(text.format(number), name=f"s{number}")
            assert answer.check().rows == [(b"1",)]
        assert await one.value("select count(*) from pg_prepared_statements "
                               "where name like 'weirpool%'") == "1"
        await one.close()

    aio(scenario())


def test_statements_prepared_in_sql_share_backends(launch, postgres, aio):
    """Clients with the same statements share one backend for nothing; those with others too, and
    nobody is pinned."""
    weir = launch(postgres, max_connections=1)
    count = f"select xact_commit from pg_stat_database where datname = '{DATABASE}'"

    async def scenario():
        clients = [await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
                   for _ in range(3)]
        watcher = await pgwire.PgConn.connect(HOST, postgres.port, USER, PASSWORD, DATABASE)
        for one in clients[:2]:
            (await one.query("prepare p(int) as select $1 + 1")).check()
        (await clients[2].query("prepare p(int) as select $1 + 2")).check()
        for number in range(10):
            for one, more in zip(clients, (1, 1, 2)):
                assert await one.value(f"execute p({number})") == str(number + more)
        await clients[0].query(FLUSH)
        before = int(await watcher.value(count))
        for number in range(100):
            for one in clients[:2]:
                assert await one.value(f"execute p({number})") == str(number + 1)
        await clients[0].query(FLUSH)
        after = int(await watcher.value(count))
        for one in (*clients, watcher):
            await one.close()
        return after - before

    assert 200 <= aio(scenario()) <= 230
    pins = {labels["reason"]: value for name, labels, value in weir.metrics().samples
            if name == "weirpool_pins_total"}
    assert not pins.get("sql_prepare"), pins


@pytest.mark.parametrize("described", [False, True])
def test_a_changed_table_is_no_clients_problem(launch, postgres, aio, described):
    """"cached plan must not change result type": on every backend, for old clients and new."""
    weir = launch(postgres, max_connections=3)
    text = "select * from healed"

    async def scenario():
        owner = await pgwire.PgConn.connect(HOST, postgres.port, USER, PASSWORD, DATABASE)
        await owner.query("create table healed as select 1 as a")
        clients = [await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
                   for _ in range(9)]

        async def ask(one, *before):
            one.send(*before, pgwire.bind("", "s"),
                     *([pgwire.describe_portal()] if described else []), pgwire.execute(),
                     pgwire.SYNC)
            return await one.answer()

        await asyncio.gather(*(ask(one, pgwire.parse("s", text)) for one in clients))
        await asyncio.gather(*(ask(one) for one in clients))
        await owner.query("alter table healed add b text default 'new'")
        for answer in await asyncio.gather(*(ask(one) for one in clients)):
            assert answer.check().rows == [(b"1", b"new")]
        late = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        assert (await ask(late, pgwire.parse("s", text))).check().rows == [(b"1", b"new")]
        for one in (*clients, late):
            await one.close()
        await owner.query("drop table healed")
        await owner.close()

    aio(scenario())


def test_the_search_path_decides_about_the_columns(launch, any_postgres, aio):
    """Who knows some hears of others, and is served again where they are what it knows."""
    weir = launch(any_postgres, max_connections=2)

    async def conduct(port):
        one = await connect(port)
        seen = []
        one.send(pgwire.parse("s", "select * from shaped"),
                 pgwire.message(b"D", b"Ss\0"), pgwire.SYNC)
        (await one.answer()).check()
        for path in ("shape_a", "shape_b", "shape_a", "shape_c", "shape_a, shape_b"):
            (await one.query(f"set search_path = {path}")).check()
            one.send(pgwire.bind("", "s"), pgwire.execute(), pgwire.SYNC)
            answer = await one.answer()
            seen.append((answer.rows, [error.code for error in answer.errors]))
        await one.close()
        return seen

    async def scenario():
        owner = await connect(any_postgres.port)
        for letter, columns in (("a", "1 as n"), ("b", "'x'::text as n"), ("c", "2 as n")):
            (await owner.query(f"create schema shape_{letter}")).check()
            (await owner.query(f"create table shape_{letter}.shaped as select {columns}")).check()
        (await owner.query(f"alter role {USER} set search_path = shape_a")).check()
        try:
            direct = await conduct(any_postgres.port)
            assert [errors for _, errors in direct] == [[], ["0A000"], [], [], []]
            for _ in range(3):
                assert await conduct(weir.port) == direct
        finally:
            (await owner.query(f"alter role {USER} reset search_path")).check()
            for letter in "abc":
                await owner.query(f"drop schema shape_{letter} cascade")
            await owner.close()

    aio(scenario())


async def connect(port, **startup):
    return await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE, **startup)


async def types_of(one, name):
    """What the server calls the types of the statement's parameters."""
    one.send(pgwire.message(b"D", b"S" + name.encode() + b"\0"), SYNC)
    found = None
    while True:
        kind, body = await one.receive()
        if kind == b"t":
            (count,) = struct.unpack_from("!h", body)
            found = struct.unpack_from(f"!{count}i", body, 2)
        if kind == b"Z":
            return found


async def insert(port, table, value):
    """As a client that comes, prepares, inserts and goes."""
    one = await connect(port)
    answer = await one.extended(f"insert into {table} values ($1)", [value], name="s")
    await one.close()
    return [error.code for error in answer.errors]


@pytest.mark.parametrize("before,change,value", [
    ("create table retyped (v int)",
     "alter table retyped alter v type text", b"word"),
    ("create type mood as enum ('well'); create table retyped (v mood)",
     "drop table retyped; drop type mood; create type mood as enum ('ill'); "
     "create table retyped (v mood)", b"ill"),
    ("create table retyped (v int)",
     "drop table retyped; create table retyped (v date)", b"2026-01-01")])
def test_types_changed_elsewhere_are_found_out_by_the_first(launch, any_postgres, aio, before,
                                                            change, value):
    weir = launch(any_postgres, max_connections=1)

    async def scenario():
        owner = await connect(any_postgres.port)
        (await owner.query("drop table if exists retyped; drop type if exists mood")).check()
        (await owner.query(before)).check()
        assert await insert(weir.port, "retyped", b"1" if "int" in before else b"well") == []
        (await owner.query(change)).check()
        heard = [await insert(weir.port, "retyped", value) for _ in range(3)]
        assert heard[1:] == [[], []], heard
        (await owner.query("drop table retyped; drop type if exists mood")).check()
        await owner.close()

    aio(scenario())


def test_types_changed_through_weirpool_are_described_at_once(launch, any_postgres, aio):
    weir = launch(any_postgres, max_connections=2)
    integer, text = 23, 25

    async def scenario():
        one, two = await connect(weir.port), await connect(weir.port)
        (await one.query("create table redescribed (v int)")).check()
        statement = parse("s", "insert into redescribed values ($1)")
        for client in (one, two):
            client.send(statement, SYNC)
            (await client.answer()).check()
            assert await types_of(client, "s") == (integer,)
        (await two.query("begin")).check()
        (await two.query("alter table redescribed alter v type text")).check()
        (await two.query("commit")).check()
        three = await connect(weir.port)
        three.send(statement, SYNC)
        (await three.answer()).check()
        assert await types_of(three, "s") == (text,)
        # Who has it prepared keeps what it knows, as without a proxy.
        assert await types_of(one, "s") == (integer,)
        (await one.query("drop table redescribed")).check()
        for client in (one, two, three):
            await client.close()

    aio(scenario())


def test_a_setting_changed_behind_parse_changes_nobody_elses_statement(launch, any_postgres, aio):
    """The server reads a text anew when its table has changed, under the settings of the moment."""
    weir = launch(any_postgres, max_connections=1)
    text = "select extract(epoch from '2026-01-01 00:00'::timestamptz)::bigint from zoned"

    async def scenario():
        owner = await connect(any_postgres.port)
        (await owner.query("drop table if exists zoned; create table zoned as select 1 as a")).check()
        direct = (await owner.extended(text)).value()
        one = await connect(weir.port)
        assert (await one.extended(text, name="s")).value() == direct
        (await one.query("set timezone = 'Pacific/Kiritimati'")).check()
        (await owner.query("alter table zoned add b int")).check()
        one.send(run("s"))
        assert (await one.answer()).value() != direct
        two = await connect(weir.port)
        assert (await two.extended(text, name="s")).value() == direct
        (await owner.query("drop table zoned")).check()
        for client in (owner, one, two):
            await client.close()

    aio(scenario())


def test_as_many_parameters_as_the_protocol_has_numbers(launch, postgres, aio):
    weir = launch(postgres, max_connections=1)
    count = 65535
    text, integer = f"select $1 + coalesce(${count}, $1) + coalesce($2, $1)", 23
    values = struct.pack("!H", count) + struct.pack("!i", 1) + b"1" + struct.pack("!i", -1) * (
        count - 1)

    async def scenario():
        heard = []
        for port in (postgres.port, weir.port):
            one = await connect(port)
            other = await connect(port)
            types = struct.pack("!H", count) + struct.pack("!i", integer) * count
            one.send(pgwire.message(b"P", b"s\0" + text.encode() + b"\0" + types), SYNC)
            heard.append((await one.answer()).check().kinds)
            assert await other.value("select 1") == "1"
            one.send(pgwire.message(b"B", b"\0s\0" + struct.pack("!h", 0) + values
                                    + struct.pack("!h", 0)), execute(), SYNC)
            answer = (await one.answer()).check()
            heard.append((answer.kinds, answer.rows))
            await one.close()
            await other.close()
        assert heard[:2] == heard[2:] and heard[1] == ("2DCZ", [(b"3",)])

    aio(scenario())
