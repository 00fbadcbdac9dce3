"""psycopg 3, pipelines included, against a bare server and through Weirpool."""

import psycopg
import pytest

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def error_of(action):
    with pytest.raises(psycopg.Error) as caught:
        action()
    return type(caught.value).__name__, caught.value.sqlstate, str(caught.value).split("\n")[0]


@scenario
def parameters_of_all_kinds(connection):
    return connection.execute(
        "select %s::int, %s::text, %s::bytea, %s::float8, %s::int[], %s::jsonb",
        (7, "ä", b"\0\1", 0.5, [1, None, 3], '{"a": 1}')).fetchone()


@scenario
def binary_results(connection):
    cursor = connection.cursor(binary=True)
    return cursor.execute("select 1::int8, 'x'::text, now() is not null, array[1.5]::float8[]"
                          ).fetchone()


@scenario
def statements_prepared_by_use(connection):
    seen = []
    for number in range(12):
        seen.append(connection.execute("select %s::int + 1", (number,)).fetchone())
        connection.commit()
    return seen


@scenario
def more_statements_than_are_kept(connection):
    connection.prepare_threshold = 1
    connection.prepared_max = 5
    return [connection.execute(f"select {number} + %s::int", (1,)).fetchone()
            for number in (*range(20), *range(20))]


@scenario
def more_statements_prepared_at_once_than_are_kept(connection):
    """It sends DEALLOCATE by the extended protocol."""
    connection.prepare_threshold = 0
    connection.prepared_max = 3

    def ask():
        return [connection.execute(f"select {number} + %s::int", (1,)).fetchone()
                for number in (*range(10), *range(10))]

    seen = ask()
    connection.commit()
    connection.autocommit = True
    seen += ask()
    with connection.pipeline():
        seen += ask()
    return seen


@scenario
def a_changed_table_behind_a_prepared_statement(connection):
    """Inside a transaction, where Weirpool does not heal what it heals outside."""
    connection.execute("create temp table changing (a int)")
    connection.execute("insert into changing values (1)")
    seen = [connection.execute("select * from changing", prepare=True).fetchone()]
    connection.execute("alter table changing add b int default 2")
    seen.append(error_of(lambda: connection.execute("select * from changing", prepare=True)))
    return seen


@scenario
def errors_in_prepared_statements(connection):
    connection.autocommit = True
    seen = []
    for value in (1, 0, 2, 0):
        try:
            seen.append(connection.execute(
                "select 10 / %s::int", (value,), prepare=True).fetchone())
        except psycopg.Error as error:
            seen.append(error.sqlstate)
    seen.append(error_of(lambda: connection.execute("selec", prepare=True)))
    return seen


@scenario
def pipeline_in_order(connection):
    connection.autocommit = True
    with connection.pipeline():
        cursors = [connection.execute("select %s::int", (number,)) for number in range(200)]
    return [cursor.fetchone()[0] for cursor in cursors]


@scenario
def pipeline_errors_spare_what_is_behind_the_sync(connection):
    connection.autocommit = True
    seen = []

    def failing():
        with connection.pipeline() as pipeline:
            seen.append(connection.execute("select 1").fetchone())
            connection.execute("select 1/0")
            connection.execute("select 2")
            pipeline.sync()

    seen.append(error_of(failing))
    with connection.pipeline():
        seen.append(connection.execute("select 3").fetchone())
    return seen


@scenario
def pipeline_with_transactions(connection):
    with connection.pipeline():
        with connection.transaction():
            connection.execute("create temp table p (n int) on commit drop")
            connection.cursor().executemany("insert into p values (%s)",
                                            [(number,) for number in range(30)])
            total = connection.execute("select sum(n) from p").fetchone()
    return total


@scenario
def many_with_results(connection):
    cursor = connection.cursor()
    cursor.executemany("select %s::int * 2", [(number,) for number in range(10)], returning=True)
    seen = [cursor.fetchone()]
    while cursor.nextset():
        seen.append(cursor.fetchone())
    return seen


@scenario
def nested_transactions(connection):
    seen = []
    with connection.transaction():
        connection.execute("create temp table n (v int) on commit drop")
        for number in range(3):
            try:
                with connection.transaction():
                    connection.execute("insert into n values (%s)", (number,))
                    if number == 1:
                        raise psycopg.Rollback()
            except psycopg.Rollback:
                pass
        seen.append(connection.execute("select v from n order by v").fetchall())
    return [*seen, connection.info.transaction_status.name]


@scenario
def server_side_cursors(connection):
    with connection.cursor("walk", scrollable=True) as cursor:
        cursor.execute("select generate_series(1, 50)")
        seen = [cursor.fetchmany(7), cursor.fetchone()]
        cursor.scroll(-3)
        return [*seen, cursor.fetchone()]


@scenario
def streams(connection):
    connection.autocommit = True
    return [row[0] for row in connection.cursor().stream("select generate_series(1, 300)")]


@scenario
def copies(connection):
    cursor = connection.cursor()
    cursor.execute("create temp table c (a int, b text) on commit drop")
    with cursor.copy("copy c from stdin") as copy:
        for number in range(500):
            copy.write_row((number, f"row {number}"))
    with cursor.copy("copy c to stdout (format binary)") as copy:
        copy.set_types(["int4", "text"])
        rows = list(copy.rows())
    return len(rows), rows[0], rows[-1]


@scenario
def a_copy_that_fails_in_the_middle(connection):
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("create temp table c2 (a int)")

    def bad():
        with cursor.copy("copy c2 from stdin") as copy:
            for number in range(1000):
                copy.write(f"{number}\n" if number != 500 else "x\n")

    def given_up():
        with cursor.copy("copy c2 from stdin") as copy:
            copy.write("1\n")
            raise RuntimeError("changed my mind")

    return [error_of(bad), error_of(given_up), cursor.execute("select count(*) from c2").fetchone()]


@scenario
def settings_and_status(connection):
    connection.autocommit = True
    seen = []
    for sql in ("set timezone = 'Asia/Tokyo'", "set client_encoding = 'LATIN1'",
                "set client_encoding = 'UTF8'"):
        connection.execute(sql)
        seen.append((connection.info.parameter_status("TimeZone"),
                     connection.info.parameter_status("client_encoding"),
                     connection.execute("select 'ä', current_setting('timezone')").fetchone()))
    return seen


@scenario
def notifications(connection):
    connection.autocommit = True
    heard = []
    connection.add_notify_handler(lambda one: heard.append((one.channel, one.payload)))
    connection.execute("listen conform3")
    for number in range(3):
        connection.execute("select pg_notify('conform3', %s::text)", (str(number),))
    connection.execute("unlisten *")
    return heard


@pytest.mark.parametrize("name", SCENARIOS)
def test_psycopg3(same, name):
    def run(url):
        with psycopg.connect(url) as connection:
            outcome = repr(SCENARIOS[name](connection))
            connection.rollback()
            return outcome

    same(run)


@pytest.mark.parametrize("name", [
    "parameters_of_all_kinds", "statements_prepared_by_use", "errors_in_prepared_statements"])
def test_psycopg3_without_preparing(same, name):
    def run(url):
        with psycopg.connect(url, prepare_threshold=None) as connection:
            outcome = repr(SCENARIOS[name](connection))
            connection.rollback()
            return outcome

    same(run)
