"""The clients people use with PostgreSQL, unmodified, through Weirpool."""

from pathlib import Path

import psycopg
import psycopg2
import pytest

from servers import DATABASE, HOST, PASSWORD, USER

CLIENTS = Path(__file__).resolve().parent / "clients"
JDBC = "/usr/share/java/postgresql.jar"


@pytest.fixture
def url(weir):
    return f"postgresql://{USER}:{PASSWORD}@{HOST}:{weir.ports['postgres']}/{DATABASE}"


def test_psql(url, program):
    out = program("psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", stdin=(
        "select 'first';\nbegin; create temporary table t on commit drop as\n"
        "select generate_series(1, 3) n; select sum(n) from t; commit;\n"
        "select 1 \\; select 2;\n\\d pgbench_tellers\n"))
    lines = out.splitlines()
    assert lines[:4] == ["first", "6", "1", "2"]
    assert any("tbalance" in line for line in lines)


def test_psql_prints_the_error_and_goes_on(url, program):
    out = program("psql", url, "-XAtq", stdin="select 1/0;\nselect 'still here';\n")
    assert out == "still here\n"


def test_psycopg2(url):
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select %s, %s", ("ä ' \\", 7))
        assert cursor.fetchone() == ("ä ' \\", 7)
    with pytest.raises(psycopg2.errors.DivisionByZero), connection.cursor() as cursor:
        cursor.execute("select 1/0")
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pgbench_branches")
        assert cursor.fetchone() == (5,)
    connection.rollback()
    with connection.cursor("named") as cursor:
        cursor.itersize = 100
        cursor.execute("select generate_series(1, 1000)")
        assert sum(row[0] for row in cursor) == 500500
    connection.close()


def test_psycopg3_prepared(url):
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(20):
            row = connection.execute("select %s::int + 1", (number,), prepare=True).fetchone()
            assert row == (number + 1,)


def test_psycopg3_pipeline(url):
    with psycopg.connect(url, autocommit=True) as connection, connection.pipeline() as pipeline:
        cursors = [connection.execute("select %s::text", (f"token-{n}",)) for n in range(100)]
        pipeline.sync()
        assert [one.fetchone()[0] for one in cursors] == [f"token-{n}" for n in range(100)]


def test_psycopg3_pipeline_error_spares_the_next_sync(url):
    with psycopg.connect(url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline() as pipeline:
            connection.execute("select 1/0")
            pipeline.sync()
        assert connection.execute("select 'fine'").fetchone() == ("fine",)


def test_psycopg3_binary_and_large_values(url):
    blob = bytes(range(256)) * 8192
    with psycopg.connect(url) as connection:
        row = connection.execute("select %b::bytea, length(%b::bytea)", (blob, blob)).fetchone()
        assert bytes(row[0]) == blob and row[1] == len(blob)


def test_reported_parameters_are_the_servers_own(url, postgres):
    direct = psycopg2.connect(host=HOST, port=postgres.port, user=USER, password=PASSWORD,
                              dbname=DATABASE)
    pooled = psycopg2.connect(url)
    for name in ("server_version", "server_encoding", "client_encoding", "DateStyle", "TimeZone",
                 "standard_conforming_strings", "integer_datetimes", "IntervalStyle"):
        assert pooled.get_parameter_status(name) == direct.get_parameter_status(name), name
    assert pooled.server_version == direct.server_version
    direct.close()
    pooled.close()


def test_node_pg(url, node_modules, program):
    assert program("node", CLIENTS / "node/postgres.js",
                   env={"URL": url, "NODE_PATH": str(node_modules)}) == "done\n"


def test_jdbc(weir, program):
    url = f"jdbc:postgresql://{HOST}:{weir.ports['postgres']}/{DATABASE}"
    source = CLIENTS / "java/Postgres.java"
    assert program("java", "-cp", JDBC, source, url, USER, PASSWORD) == "done\n"
