"""The clients people use with MySQL and MariaDB, unmodified, through Weirpool."""

from pathlib import Path

import pymysql
import pytest

from servers import DATABASE, HOST, PASSWORD, USER, newest

CLIENTS = Path(__file__).resolve().parent / "clients"
CONNECTOR = "/usr/share/java/mariadb-java-client.jar"
STATEMENTS = ("select 'first'; begin; select 2 + 3; rollback;\n"
              "select 'ä'; select repeat('x', 70000) = repeat('x', 70000);\n")
PRINTED = ["first", "5", "ä", "1"]


@pytest.fixture(params=["mysql", "mariadb"])
def port(request, weir):
    return weir.ports[request.param]


@pytest.fixture
def connection(port):
    one = pymysql.connect(host=HOST, port=port, user=USER, password=PASSWORD, database=DATABASE)
    yield one
    one.close()


def arguments(port):
    return ("-h", HOST, "-P", port, "-u", USER, f"-p{PASSWORD}", "-N", "-B",
            "--default-character-set=utf8mb4", DATABASE)


def test_mariadb_command_line(port, program):
    out = program("mariadb", "--no-defaults", *arguments(port), stdin=STATEMENTS)
    assert out.splitlines() == PRINTED


def test_mysql_command_line(port, program):
    mysql = newest("mysql") / "usr" / "bin" / "mysql"
    out = program(mysql, "--no-defaults", *arguments(port), stdin=STATEMENTS)
    assert out.splitlines() == PRINTED


def test_pymysql(connection):
    with connection.cursor() as cursor:
        cursor.execute("select %s, %s", ("ä ' \\", 7))
        assert cursor.fetchone() == ("ä ' \\", 7)
        with pytest.raises(pymysql.err.OperationalError) as caught:
            cursor.execute("select no_such_column")
        assert caught.value.args[0] == 1054
        cursor.execute("select 'still here'")
        assert cursor.fetchone() == ("still here",)


def test_pymysql_transaction(connection):
    with connection.cursor() as cursor:
        cursor.execute("create table if not exists py_t (n int) engine=innodb")
        connection.begin()
        cursor.execute("insert into py_t values (1), (2)")
        assert cursor.rowcount == 2
        connection.rollback()
        cursor.execute("select count(*) from py_t")
        assert cursor.fetchone() == (0,)
        cursor.execute("drop table py_t")


def test_pymysql_ping_and_init_db(connection):
    connection.ping(reconnect=False)
    connection.select_db("other")
    with connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("select database()")
            assert cursor.fetchone() == ("other",)


@pytest.mark.parametrize("size", [65535, 65536, 0xFFFFFF - 40, 0xFFFFFF, 0xFFFFFF + 1, 20 << 20])
def test_packets_around_the_sixteen_megabyte_bound(connection, size):
    text = "x" * size
    with connection.cursor() as cursor:
        cursor.execute(f"select length('{text}'), '{text}'")
        length, back = cursor.fetchone()
        assert length == size and back == text


def test_results_whose_packets_end_exactly_at_the_bound(connection):
    with connection.cursor() as cursor:
        for size in range(0xFFFFFF - 6, 0xFFFFFF + 2):
            cursor.execute(f"select repeat('x', {size})")
            assert len(cursor.fetchone()[0]) == size


def test_node_mysql2(port, node_modules, program):
    url = f"mysql://{USER}:{PASSWORD}@{HOST}:{port}/{DATABASE}"
    assert program("node", CLIENTS / "node/mysql.js",
                   env={"URL": url, "NODE_PATH": str(node_modules)}) == "done\n"


@pytest.mark.parametrize("prepare", ["false", "true"])
def test_mariadb_connector_j(port, program, prepare):
    url = f"jdbc:mariadb://{HOST}:{port}/{DATABASE}?useServerPrepStmts={prepare}"
    source = CLIENTS / "java/MySql.java"
    assert program("java", "-cp", CONNECTOR, source, url, USER, PASSWORD) == "done\n"
