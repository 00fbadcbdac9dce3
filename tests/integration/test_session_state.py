"""Session state in transaction mode: the same scripts of several clients, played against the server
itself and through Weirpool with few backends, must hear the same answers."""

import asyncio

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.pgwire import SYNC, bind, execute, parse, query

# Each step: who, what. "+" in front: as an extended batch. A client is connected when it first
# speaks, with the startup parameters its name has here.
STARTUP = {"S": {"application_name": "starter", "timezone": "Asia/Tokyo"},
           "O": {"options": "-c work_mem=9216 -c my.tenant=seven"}}

SHOW = ("select current_setting('work_mem'), current_setting('search_path'), "
        "coalesce(current_setting('my.tenant', true), ''), current_setting('timezone'), current_user, "
        "current_setting('statement_timeout'), current_setting('application_name') in "
        "('', 'starter')")

SCRIPTS = {
    "a setting follows its client and no other": [
        ("A", "set work_mem = 8192"), ("B", SHOW), ("A", SHOW), ("B", "set work_mem = '5MB'"),
        ("A", SHOW), ("B", SHOW), ("C", SHOW), ("A", "reset work_mem"), ("B", SHOW), ("A", SHOW)],
    "extended": [
        ("A", "+set work_mem = 8192"), ("B", "+" + SHOW), ("A", "+" + SHOW), ("A", "+reset all"),
        ("A", "+" + SHOW), ("B", "+" + SHOW)],
    "made-up parameters": [
        ("A", "set my.tenant = 'a'"), ("B", "set my.tenant = 'b'"), ("A", SHOW), ("B", SHOW),
        ("C", SHOW), ("A", "begin; set my.tenant = 'x'; rollback"), ("A", SHOW),
        ("A", "reset my.tenant"), ("A", SHOW), ("C", SHOW)],
    "set_config": [
        ("A", "select set_config('my.tenant', 'a', false), set_config('work_mem', '1MB', true)"),
        ("A", SHOW), ("B", SHOW), ("A", "select pg_catalog.set_config('search_path', 'x', false)"),
        ("A", SHOW), ("B", SHOW)],
    "rolled back": [
        ("A", "begin"), ("A", "set work_mem = '1MB'"), ("A", SHOW), ("A", "rollback"), ("A", SHOW),
        ("B", SHOW), ("A", SHOW)],
    "rolled back to a savepoint": [
        ("A", "begin"), ("A", "set work_mem = '1MB'"), ("A", "savepoint s"),
        ("A", "set work_mem = '2MB'"), ("A", "set timezone = 'Asia/Tokyo'"),
        ("A", "rollback to s"), ("A", SHOW), ("A", "commit"), ("B", SHOW), ("A", SHOW)],
    "in a statement that fails": [
        ("A", "set work_mem = '1MB'"), ("A", "set work_mem = '2MB'; select 1/0"), ("A", SHOW),
        ("A", "begin; set work_mem = '3MB'; commit; select 1/0"), ("B", SHOW), ("A", SHOW)],
    "set local": [
        ("A", "begin"), ("A", "set local work_mem = '1MB'"), ("A", SHOW), ("A", "commit"),
        ("A", SHOW), ("A", "set local work_mem = '1MB'"), ("A", SHOW), ("B", SHOW)],
    "a wrong value": [
        ("A", "set work_mem = 'nonsense'"), ("A", "set no_such_thing = 1"), ("A", SHOW),
        ("B", SHOW), ("A", SHOW)],
    "lists and quotes": [
        ("A", "set search_path = \"$user\", \"we,ird\", public"), ("B", SHOW), ("A", SHOW),
        ("A", "set search_path = ''"), ("B", SHOW), ("A", SHOW),
        ("A", "set my.tenant = 'it''s \\ \"x\"'"), ("B", SHOW), ("A", SHOW)],
    "startup parameters": [
        ("S", SHOW), ("A", SHOW), ("O", SHOW), ("S", "set timezone = 'UTC'"), ("S", SHOW),
        ("S", "reset timezone"), ("A", SHOW), ("S", SHOW), ("O", "set work_mem = '1MB'"),
        ("O", SHOW), ("O", "reset all"), ("A", SHOW), ("O", SHOW), ("O", "discard all"),
        ("A", SHOW), ("O", SHOW), ("S", "discard all"), ("S", SHOW)],
    "back to the startup parameters inside a transaction": [
        (who, line) for who in "SO" for line in (
            "begin", "set timezone = 'PRC'", "set work_mem = '1MB'", "reset timezone", SHOW,
            "+set work_mem to default", SHOW, "savepoint s", "set work_mem = '2MB'", "reset all", SHOW,
            "rollback to s", SHOW, "reset my.tenant", SHOW, "savepoint t", "set search_path = nowhere",
            "reset search_path; select 1/0", "rollback to t", SHOW, "commit", SHOW, "begin",
            "set work_mem = '3MB'", "reset work_mem", "rollback", SHOW, "begin; reset all", SHOW,
            "commit", SHOW)] + [("A", SHOW)],
    "roles": [
        ("A", "set role worker"), ("B", SHOW), ("A", SHOW), ("B", SHOW),
        ("A", "set work_mem = '7MB'"), ("B", SHOW), ("A", SHOW), ("A", "reset role"),
        ("B", SHOW), ("A", SHOW), ("A", "set session authorization worker"), ("A", SHOW),
        ("B", "begin"), ("B", "set local role worker"), ("B", SHOW), ("B", "commit"), ("B", SHOW)],
    "characteristics": [
        ("A", "set session characteristics as transaction isolation level serializable"),
        ("B", "show transaction_isolation"), ("A", "show transaction_isolation"),
        ("A", "set default_transaction_read_only = on"), ("B", "create table ro (a int)"),
        ("A", "drop table ro"), ("A", "set default_transaction_read_only = off"),
        ("A", "drop table ro")],
    "temporary tables": [
        ("A", "create temp table t as select 1 as a"), ("B", "select * from t"),
        ("A", "select * from t"), ("A", "drop table t"), ("B", "create temp table t as select 2"),
        ("A", "select * from t"), ("B", "discard temp"), ("B", "select * from t"),
        ("C", "begin; create temp table t on commit drop as select 3; commit"),
        ("C", "select * from t"), ("C", "begin; create temp table t (a int); rollback"),
        ("C", "select * from t")],
    "temporary tables by a path": [
        ("A", "begin"), ("A", "set local search_path = 'pg_temp'"), ("A", "create table t (a int)"),
        ("A", "commit"), ("B", "select * from t"), ("A", "select * from t"),
        ("A", "drop table t"), ("B", "begin"), ("B", "set search_path to E'pg\\x5ftemp', public"),
        ("B", "create table t (a int)"), ("B", "reset search_path"), ("B", "commit"),
        ("A", "select * from t"), ("B", "select * from t")],
    "cursors with hold": [
        ("A", "declare c cursor with hold for select generate_series(1, 3)"),
        ("B", "fetch c"), ("A", "fetch c"), ("A", "fetch c"), ("A", "close c"), ("A", "fetch c")],
    "advisory locks": [
        ("A", "select pg_advisory_lock(7)"), ("B", "select pg_try_advisory_lock(7)"),
        ("A", "select pg_try_advisory_lock(7)"), ("A", "select pg_advisory_unlock(7)"),
        ("B", "select pg_try_advisory_lock(7)"), ("A", "select pg_advisory_unlock(7)"),
        ("B", "select pg_try_advisory_lock(7)"), ("B", "select pg_advisory_unlock_all()"),
        ("A", "select pg_advisory_unlock(7)")],
    "prepared in SQL": [
        ("A", "prepare p(int) as select $1 + 1"), ("B", "prepare p(int) as select $1 + 2"),
        ("A", "execute p(1)"), ("B", "execute p(1)"), ("C", "execute p(1)"),
        ("A", "deallocate p"), ("A", "execute p(1)"), ("B", "execute p(1)"),
        ("B", "deallocate all"), ("B", "execute p(1)")],
    "prepared in SQL, or not": [
        ("A", "prepare p as select 1"), ("A", "prepare p as select 2"), ("B", "execute p"),
        ("A", "execute p"), ("A", "prepare bad as select * from no_such_table"),
        ("A", "execute bad"), ("A", "begin"), ("A", "prepare q as select 3"), ("A", "rollback"),
        ("B", "execute q"), ("A", "execute q"), ("A", "begin"), ("A", "select 1/0"),
        ("A", "prepare r as select 4"), ("A", "rollback"), ("A", "execute r"), ("A", "begin"),
        ("A", "deallocate q"), ("A", "rollback"), ("B", "select 1"), ("A", "execute q"),
        ("A", "deallocate no_such_name"), ("A", "execute p"), ("A", "prepare syntax as"),
        ("B", "prepare p as select 5"), ("B", "begin"), ("B", "execute p"), ("A", "execute p"),
        ("B", "commit"), ("A", "discard all"), ("B", "execute p"), ("A", "execute p"),
        ("A", "prepare p as select 6"), ("B", "deallocate prepare all"), ("A", "execute p"),
        ("B", "execute p")],
    "prepared in SQL, by the extended protocol": [
        ("A", "+prepare p as select 1"), ("B", "+prepare p as select 2"), ("A", "+execute p"),
        ("B", "+execute p"), ("A", "+deallocate p"), ("B", "+execute p"), ("A", "+execute p"),
        ("A", "+@make:prepare q as select 3"), ("B", "+execute q"), ("A", "+execute q"),
        ("A", "deallocate all"), ("A", "execute q"), ("A", "+prepare q as select 4"),
        ("B", "select 1"), ("A", "+discard all"), ("A", "+execute q")],
    "prepared in SQL, many ways to execute": [
        ("A", "prepare p(int) as select $1 as a"), ("B", "prepare p(int) as select $1 * 2 as a"),
        ("A", "explain (costs off) execute p(1)"), ("B", "create table made as execute p(4)"),
        ("A", "select * from made"), ("A", "drop table made"),
        ("A", "do $$ declare r int; begin execute 'execute p(7)' into r; "
              "raise notice '%', r; end $$"),
        ("A", "create function hidden() returns int language plpgsql as "
              "$$ declare r int; begin execute 'execute p(7)' into r; return r; end $$"),
        ("A", "select hidden()"), ("B", "select hidden()"), ("C", "select hidden()"),
        ("A", "@p"), ("A", "+@p:select 1"), ("A", "execute p(5)"), ("C", "@p"),
        ("C", "drop function hidden()"), ("A", "do $$ begin execute 'prepare q as select 8'; end $$"),
        ("B", "execute q"), ("A", "execute q"), ("A", "deallocate q"), ("A", "execute q"),
        ("A", "prepare x as select 1; prepare y as select 2"), ("B", "execute x"),
        ("A", "execute x; execute y"), ("A", "deallocate x; deallocate y"), ("A", "execute y"),
        ("A", "prepare \"We \"\"ird\" as select 9;"), ("B", "execute \"We \"\"ird\""),
        ("A", "execute \"We \"\"ird\"")],
    "prepared in SQL, as it is listed": [
        (who, line) for who, line in (
            ("A", "prepare p(int, text) as select $1, $2"), ("B", "/* b */ prepare p as select 1;"),
            ("C", None), ("A", None), ("B", "PREPARE q AS SELECT 'ä'"), ("B", None), ("A", None),
            ("B", "execute q"), ("C", None), ("A", "deallocate p"), ("A", None), ("B", None))],
    "prepared in SQL under settings": [
        ("A", "create schema one; create table one.t as select 1 as a"),
        ("A", "create schema two; create table two.t as select 'x'::text as a"),
        ("A", "set search_path = one"), ("B", "set search_path = two"),
        ("A", "prepare p as select a from t"), ("B", "prepare p as select a from t"),
        ("A", "execute p"), ("B", "execute p"), ("C", "execute p"),
        ("A", "prepare q(int) as select count(*) + $1 from t"), ("A", "set search_path = two"),
        ("B", "select 1"), ("A", "execute q(1)"), ("A", "execute p"), ("B", "execute p"),
        ("A", "set search_path = one"), ("B", "select 1"), ("A", "execute p"),
        ("S", "prepare z as select '2020-01-01 00:00'::timestamptz"),
        ("A", "prepare z as select '2020-01-01 00:00'::timestamptz"), ("S", "execute z"),
        ("A", "execute z"), ("S", "set timezone = 'UTC'"), ("A", "execute z"), ("S", "execute z"),
        ("S", "reset timezone"), ("A", "execute z"), ("S", "execute z"),
        ("B", "begin; set local search_path = one; prepare w as select a from t; commit"),
        ("B", "execute w"), ("B", "begin"), ("B", "set local search_path = one"),
        ("B", "prepare v as select a from t"), ("B", "commit"), ("A", "execute v"),
        ("B", "execute v"), ("C", "begin"), ("C", "set search_path = two"),
        ("C", "prepare u as select a from t"), ("C", "commit"), ("A", "execute u"),
        ("C", "execute u"), ("C", "begin"), ("C", "set search_path = one"),
        ("C", "prepare t as select a from t"), ("C", "rollback"), ("A", "execute t"),
        ("C", "execute t"), ("A", "drop schema one, two cascade")],
    "prepared in SQL by somebody else": [
        ("A", "set role worker"), ("A", "prepare p as select current_user"),
        ("B", "prepare p as select current_user"), ("A", "execute p"), ("B", "execute p"),
        ("A", "reset role"), ("B", "select 1"), ("A", "execute p")],
    "prepared in SQL and a table that changes": [
        ("A", "create table changing (a int)"), ("A", "prepare p as select * from changing"),
        ("A", "execute p"), ("B", "insert into changing values (1)"), ("A", "execute p"),
        ("A", "deallocate p"), ("B", "alter table changing add b int"),
        ("A", "prepare p as select * from changing"), ("A", "execute p"),
        ("B", "drop table changing")],
    "prepared by the protocol, deallocated in SQL": [
        ("A", "+@pdo_1:select 1"), ("B", "+@pdo_1:select 2"), ("A", "begin"),
        ("A", "deallocate pdo_1"), ("A", "commit"), ("B", "@pdo_1"), ("A", "+@pdo_1:select 3"),
        ("A", "DEALLOCATE PREPARE \"pdo_1\";"), ("A", "begin"), ("A", "select 1/0"),
        ("A", "deallocate pdo_1"), ("A", "rollback"), ("B", "begin"), ("B", "select 1/0"),
        ("B", "deallocate pdo_1"), ("B", "rollback"), ("B", "@pdo_1"), ("B", "deallocate all"),
        ("B", "+@pdo_1:select 4"), ("B", "discard all"), ("B", "+@pdo_1:select 5")],
    "prepared by the protocol, executed in SQL": [
        ("A", "+@s:select 1"), ("B", "+@s:select 2"), ("A", "execute s"), ("B", "EXECUTE \"s\";"),
        ("C", "execute s"), ("A", "+@i:insert into pg_temp.none values (1)"),
        ("A", "begin"), ("A", "/* x */ explain (costs off) execute s"), ("B", "explain verbose execute s"),
        ("A", "select 1/0"), ("A", "execute s"), ("A", "rollback"), ("A", "execute nobodys"),
        ("A", "execute s; select 3"), ("A", "execute s (1)"), ("A", "deallocate s"), ("A", "execute s"),
        ("A", "prepare s as select 4"), ("A", "@s"), ("B", "execute s"), ("A", "execute s"),
        ("A", "create table gone (a int)"), ("A", "+@g:select * from gone"), ("B", "drop table gone"),
        ("A", "execute g"), ("A", "begin"), ("A", "execute g"), ("A", "execute s"), ("A", "rollback"),
        ("B", "create table gone (a int, b int); insert into gone values (1, 2)"),
        ("A", "+@l:select pg_advisory_lock(9)"), ("A", "select pg_advisory_unlock(9)"),
        ("A", "execute l"), ("B", "select pg_try_advisory_lock(9)"), ("A", "select pg_advisory_unlock(9)"),
        ("B", "drop table gone")],
    "prepared statements and what their plans fold": [
        ("A", "set extra_float_digits = -10"), ("B", "set bytea_output = 'escape'"),
        *((who, "+@s:select (1.0::float8 / 3)::text || '\\xff'::bytea::text") for who in "CAB"),
        *((who, "@s") for who in "ABCABC"), ("A", "+@s:select 1"), ("B", "+@s:selec 1")],
    "sequences": [
        ("A", "create sequence s"), ("A", "begin"), ("A", "select nextval('s')"),
        ("A", "select currval('s'), lastval()"), ("A", "commit"),
        ("A", "select currval('s'), lastval()"), ("A", "discard sequences"),
        ("A", "select lastval()"), ("A", "drop sequence s")],
    "search paths of prepared statements": [
        ("A", "create schema one; create table one.t as select 1 as a"),
        ("A", "create schema two; create table two.t as select 'x'::text as a"),
        ("A", "set search_path = one"), ("B", "set search_path = two"),
        ("A", "+@s:select a from t"), ("B", "+@s:select a from t"),
        ("A", "@s"), ("B", "@s"), ("A", "@s"),
        ("C", "begin"), ("C", "set local search_path = two"), ("C", "+@s:select a from t"),
        ("C", "commit"), ("C", "drop schema one, two cascade")],
}


# Without a table's counters the server sees nothing to flush, and does not.
FLUSH = "select pg_stat_force_next_flush(), count(*) from pg_class"
LISTED = ("select name, statement, parameter_types, from_sql from pg_prepared_statements "
          "where from_sql order by 1")
SCRIPTS["prepared in SQL, as it is listed"] = [
    (who, line or LISTED) for who, line in SCRIPTS["prepared in SQL, as it is listed"]]


class Players:
    """Connects clients as they come up, says their lines, notes what they hear."""

    def __init__(self, port):
        self.port = port
        self.clients = {}

    async def say(self, who, line):
        if who not in self.clients:
            self.clients[who] = await pgwire.PgConn.connect(
                HOST, self.port, USER, PASSWORD, DATABASE, **STARTUP.get(who, {}))
        one = self.clients[who]
        if line.startswith("+@"):
            name, text = line[2:].split(":", 1)
            one.send(pgwire.parse(name, text), pgwire.bind("", name), pgwire.describe_portal(),
                     pgwire.execute(), pgwire.SYNC)
            answer = await one.answer()
        elif line.startswith("@"):
            one.send(pgwire.bind("", line[1:]), pgwire.describe_portal(), pgwire.execute(),
                     pgwire.SYNC)
            answer = await one.answer()
        elif line.startswith("+"):
            answer = await one.extended(line[1:])
        else:
            answer = await one.query(line)
        return (answer.kinds.replace("S", "").replace("N", ""), answer.rows, answer.tags,
                [(error.code, error.message) for error in answer.errors], answer.status)

    async def close(self):
        for one in self.clients.values():
            await one.close()


async def play(port, script):
    players = Players(port)
    try:
        return [(who, line, await players.say(who, line)) for who, line in script]
    finally:
        await players.close()


async def one_value(port, text):
    one = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)
    answer = await one.query(text)
    await one.close()
    return answer.value()


def batch(text):
    return parse("", text) + bind("", "") + execute() + SYNC


@pytest.fixture(scope="module")
def roles(postgres):
    postgres.execute("create role worker")
    postgres.execute(f"grant worker to {USER}")
    yield
    postgres.execute("drop role worker")


@pytest.mark.parametrize("name", SCRIPTS)
def test_nobody_can_tell_the_difference(launch, postgres, roles, aio, name):
    weir = launch(postgres, max_connections=3)
    direct = aio(play(postgres.port, SCRIPTS[name]))
    for _ in range(2):
        through = aio(play(weir.port, SCRIPTS[name]))
        for here, there in zip(direct, through):
            assert here == there


def test_reset_and_what_is_pipelined_behind_it(launch, any_postgres, aio):
    batches = [(query("reset timezone") + query("show timezone"), 2),
               (query("begin") + query("reset timezone") + query("show timezone"), 3),
               (batch("reset all") + batch("show timezone"), 2),
               (query("commit") + query("show timezone"), 2)]

    async def play(port):
        one = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE, timezone="PRC")
        heard = []
        for sent, answers in batches:
            one.send(sent)
            heard += [await one.answer() for _ in range(answers)]
        await one.close()
        return [(a.rows, a.tags, a.errors, a.status) for a in heard]

    weir = launch(any_postgres, max_connections=1)
    direct = aio(play(any_postgres.port))
    assert [rows for rows, *_ in direct if rows] == [[(b"PRC",)]] * 4
    assert aio(play(weir.port)) == direct


def test_startup_values_beyond_ascii(launch, any_postgres, aio):
    """The server takes their bytes as they are, but for application_name."""
    names = ("application_name", "search_path", "my.tenant", "client_encoding")
    ask = "select " + ",".join(f"convert_to(coalesce(current_setting('{name}', true), ''), 'UTF8')"
                               for name in names)
    startups = [{"application_name": "café", "search_path": "büro, public"},
                {"options": "-c my.tenant=süd\\ 'x' -c application_name=ß", "client_encoding": "LATIN1"},
                {"my.tenant": "süd"}, {}]

    async def play(port):
        clients = [await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE, **startup)
                   for startup in startups]
        heard = [one.parameters.get("application_name") for one in clients]
        for _ in range(2):
            heard += [(await one.query(ask)).check().rows for one in clients]
        for text in ("begin", "reset all", ask, "commit", "set search_path to 'häuser'", ask,
                     "reset search_path", ask):
            heard += [(await one.query(text)).check().rows for one in clients]
        for one in clients:
            await one.close()
        return heard

    weir = launch(any_postgres, max_connections=len(startups))
    assert aio(play(weir.port)) == aio(play(any_postgres.port))


@pytest.mark.parametrize("startup", [{"datestyle": "nonsense"}, {"no_such_parameter": "1"},
                                     {"options": "-c work_mem=much"}, {"timezone": "Moon/Far"}])
def test_a_wrong_startup_value_ends_the_session_in_the_servers_words(launch, postgres, aio, startup):
    """Weirpool asks no backend at login: what the server says there comes with the first statement."""
    async def refusal(port):
        with pytest.raises(pgwire.DatabaseError) as refused:
            one = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE, **startup)
            answer = await one.query("select 1")
            with pytest.raises(pgwire.Lost):
                await one.answer()
            answer.check()
        error = refused.value
        return error.code, error.message, error.fields["S"]

    weir = launch(postgres, max_connections=1)
    direct = aio(refusal(postgres.port))
    assert aio(refusal(weir.port)) == direct and direct[2] == "FATAL"
    assert aio(one_value(weir.port, "select 7")) == "7"


def test_equal_settings_cost_no_round_trip(launch, postgres, aio):
    """The server counts transactions; those of weirpool's own would be among them."""
    weir = launch(postgres, max_connections=1)
    options = "-c work_mem=9216 -c my.tenant=seven"
    count = f"select xact_commit from pg_stat_database where datname = '{DATABASE}'"

    async def scenario():
        clients = [await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE,
                                               options=options) for _ in range(2)]
        watcher = await pgwire.PgConn.connect(HOST, postgres.port, USER, PASSWORD, DATABASE)
        await clients[0].query(FLUSH)
        before = int(await watcher.value(count))
        for _ in range(100):
            for one in clients:
                assert await one.value("show work_mem") == "9MB"
        await clients[0].query(FLUSH)
        after = int(await watcher.value(count))
        for one in (*clients, watcher):
            await one.close()
        return after - before

    assert 200 <= aio(scenario()) <= 230


def test_many_clients_with_settings_of_their_own(launch, postgres, aio):
    weir = launch(postgres, max_connections=3)

    async def one_client(number):
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        for turn in range(20):
            value = f"{number}-{turn}"
            await one.query(f"set my.value = '{value}'")
            assert await one.value("show my.value") == value
            if turn % 4 == 0:
                await one.query("begin")
                await one.query("set my.value = 'gone'")
                await one.query("rollback")
            assert await one.value("select current_setting('my.value')") == value
        await one.close()

    async def scenario():
        await asyncio.gather(*(one_client(n) for n in range(12)))

    aio(scenario())


def test_a_search_path_of_many_kilobytes_follows_its_client(launch, any_postgres, aio):
    """From PostgreSQL 18 on the server reports it."""
    weir = launch(any_postgres, max_connections=1)
    path = ", ".join(f"schema_{number:050}" for number in range(100))

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE,
                                          search_path=path)
        two = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        for _ in range(2):
            assert await one.value("show search_path") == path
            assert await two.value("show search_path") == '"$user", public'
        await one.close()
        await two.close()

    aio(scenario())
