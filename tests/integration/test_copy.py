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
