"""COPY in both directions, big, failing, and cut off in the middle."""

import io

import psycopg
import psycopg2
import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.poll import until


@pytest.fixture
def weir1(launch, postgres):
    return launch(postgres, max_connections=1)


@pytest.fixture
def connection(weir1):
    one = psycopg2.connect(host=HOST, port=weir1.port, user=USER, password=PASSWORD,
                           dbname=DATABASE)
    yield one
    one.close()


@pytest.fixture
def table(postgres):
    admin = postgres.admin(DATABASE)
    with admin.cursor() as cursor:
        cursor.execute(f"create table copied (n int, t text); alter table copied owner to {USER}")
    yield "copied"
    with admin.cursor() as cursor:
        cursor.execute("drop table copied")
    admin.close()


def test_in_and_out(connection, table):
    rows = "".join(f"{n}\t{'x' * (n % 500)}\n" for n in range(100000))
    with connection.cursor() as cursor:
        cursor.copy_expert(f"copy {table} from stdin", io.StringIO(rows))
        back = io.StringIO()
        cursor.copy_expert(f"copy (select * from {table} order by n) to stdout", back)
    connection.commit()
    assert back.getvalue() == rows


def test_error_in_the_middle_of_copy_in(connection, table):
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InvalidTextRepresentation):
            cursor.copy_expert(f"copy {table} from stdin",
                               io.StringIO("1\ta\nnot-a-number\tb\n" + "2\tc\n" * 50000))
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        assert cursor.fetchone() == (0,)
    connection.rollback()


def test_copy_through_the_extended_protocol(weir1, table):
    with psycopg.connect(host=HOST, port=weir1.port, user=USER, password=PASSWORD,
                         dbname=DATABASE) as one, one.cursor() as cursor:
        with cursor.copy(f"copy {table} from stdin") as copy:
            for number in range(1000):
                copy.write_row((number, "row"))
        with cursor.copy(f"copy {table} to stdout") as copy:
            assert sum(1 for _ in copy.rows()) == 1000


@pytest.mark.slow  # and a sanitizer's own memory would be counted
def test_copy_out_of_many_megabytes_costs_bounded_memory(weir1, connection):
    class Counter(io.RawIOBase):
        total = 0

        def write(self, data):
            self.total += len(data)
            return len(data)

    before = weir1.resident_kib()
    counter = Counter()
    with connection.cursor() as cursor:
        cursor.copy_expert("copy (select repeat('x', 1000) from generate_series(1, 100000)) "
                           "to stdout", counter)
    assert counter.total == 100000 * 1001
    assert weir1.resident_kib() - before < 8192


def test_client_gone_in_the_middle_of_copy_in(weir1, postgres, table, aio):
    """Half a COPY is rolled back, and the only backend serves the next client."""

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir1.port, USER, PASSWORD, DATABASE)
        await one.query(f"copy {table} from stdin")
        one.send(pgwire.message(b"d", b"1\tlost\n" * 1000))
        await one.stream.drain()
        one.abort()
        two = await pgwire.PgConn.connect(HOST, weir1.port, USER, PASSWORD, DATABASE)
        count = await two.value(f"select count(*) from {table}")
        await two.close()
        return count

    assert aio(scenario()) == "0"
    until(lambda: postgres.value(postgres.count_sql) <= 1, "one backend at most")


def test_client_gone_in_the_middle_of_copy_out(weir1, aio):

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir1.port, USER, PASSWORD, DATABASE)
        one.send(pgwire.query("copy (select repeat('x', 1000) from generate_series(1, 1000000)) "
                              "to stdout"))
        await one.stream.read(100000)
        one.abort()
        two = await pgwire.PgConn.connect(HOST, weir1.port, USER, PASSWORD, DATABASE)
        value = await two.value("select 'clean'", timeout=20)
        await two.close()
        return value

    assert aio(scenario()) == "clean"


ROWS = pgwire.message(b"d", b"1\ta\n") + pgwire.message(b"d", b"2\tb\n")
NONSENSE = pgwire.message(b"d", b"nonsense\n") * 2
DONE, FAIL = pgwire.message(b"c"), pgwire.message(b"f", b"changed my mind\0")
COPY = "copy odd from stdin"


def extended(sql):
    return pgwire.parse("", sql) + pgwire.bind("", "") + pgwire.execute()


# What a client sends at once, and how many ReadyForQuery it may expect; "|" stands for waiting
# until the server wants rows.
ODD = {
    "done": ([pgwire.query(COPY), "|", ROWS + DONE], 1),
    "failed by the client": ([pgwire.query(COPY), "|", ROWS + FAIL], 1),
    "sent before it is asked for": ([pgwire.query(COPY) + ROWS + DONE], 1),
    "rows behind the error": ([pgwire.query(COPY), "|", NONSENSE + ROWS * 50 + DONE], 1),
    "rows for a table that is not there": ([pgwire.query("copy nowhere from stdin") + ROWS + DONE],
                                           1),
    "between other statements": (
        [pgwire.query(f"select 1; {COPY}; select count(*) from odd"), "|", ROWS + DONE], 1),
    "twice in one query": ([pgwire.query(f"{COPY}; {COPY}"), "|", ROWS + DONE, "|", ROWS + DONE],
                           1),
    "failing between other statements": (
        [pgwire.query(f"insert into odd values (7); {COPY}; select 1"), "|", NONSENSE + DONE], 1),
    "stray ends": ([DONE + FAIL + ROWS + pgwire.query("select 1")], 1),
    "extended": ([extended(COPY) + pgwire.FLUSH, "|", ROWS + DONE + pgwire.SYNC], 1),
    "extended, with a Sync before the rows": (
        [extended(COPY) + pgwire.SYNC, "|", ROWS + DONE + pgwire.SYNC], 1),
    "extended, failing": ([extended(COPY) + pgwire.FLUSH, "|", NONSENSE + DONE + pgwire.SYNC], 1),
    "extended, failed by the client": (
        [extended(COPY) + pgwire.FLUSH, "|", ROWS + FAIL + pgwire.SYNC], 1),
    "out, between others": (
        [pgwire.query("select 1; copy (select generate_series(1, 3)) to stdout; select 2")], 1),
    "out, failing": ([pgwire.query("copy (select 1 / (3 - n) from generate_series(1, 9) n) "
                                   "to stdout")], 1),
    "and the next query at once": (
        [pgwire.query(COPY), "|", ROWS + DONE + pgwire.query("select count(*) from odd")], 2),
}


async def hear(port, steps, ends):
    """Kinds, tags and SQLSTATEs of everything that was heard, and whether all is well behind it."""
    one = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, DATABASE)
    (await one.query("begin; create temp table odd (n int, t text) on commit drop")).check()
    (await one.query("savepoint odd")).check()
    heard = []

    async def until_kind(wanted):
        while True:
            kind, body = await one.receive()
            if kind not in b"NS":
                heard.append((kind, pgwire.error_of(body).code if kind == b"E" else
                              body if kind in b"CZDd" else b""))
            if kind in wanted:
                return

    for step in steps:
        if step == "|":
            await until_kind(b"G")
        else:
            one.send(step)
    for _ in range(ends):
        await until_kind(b"Z")
    await one.query("rollback to odd")
    heard.append(await one.value("select count(*) from odd"))
    (await one.query("rollback")).check()
    heard.append(await one.value("select 'in step'"))
    await one.close()
    return heard


@pytest.mark.parametrize("name", ODD)
def test_odd_cases_as_the_server_itself(weir1, postgres, aio, name):
    steps, ends = ODD[name]
    direct = aio(hear(postgres.port, steps, ends))
    for _ in range(2):
        assert aio(hear(weir1.port, steps, ends)) == direct
