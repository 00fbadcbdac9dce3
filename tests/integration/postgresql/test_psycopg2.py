"""psycopg 2 against a bare server and through Weirpool: every outcome must be the same."""

import io
from datetime import date
from decimal import Decimal

import psycopg2
import psycopg2.extras
import pytest

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def fetch(connection, sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else cursor.statusmessage


def error_of(connection, sql):
    with pytest.raises(psycopg2.Error) as caught:
        fetch(connection, sql)
    diagnosis = caught.value.diag
    return (type(caught.value).__name__, caught.value.pgcode, diagnosis.severity,
            diagnosis.message_primary, diagnosis.statement_position)


@scenario
def values_of_all_kinds(connection):
    values = (1, 2.5, "ä'\\", None, True, Decimal("1.10"), date(2024, 2, 29), [1, 2], b"\x00\xff")
    return fetch(connection, "select " + ", ".join(["%s"] * len(values)),
                 [psycopg2.Binary(one) if isinstance(one, bytes) else one for one in values])[0][:8]


@scenario
def an_error_aborts_the_transaction(connection):
    seen = [fetch(connection, "select 1"), error_of(connection, "select 1/0"),
            error_of(connection, "select 2"), connection.info.transaction_status]
    connection.rollback()
    return [*seen, fetch(connection, "select 3"), connection.info.transaction_status]


@scenario
def syntax_errors_carry_their_position(connection):
    seen = []
    for sql in ("selec 1", "select from where", "select * from no_such_table"):
        seen.append(error_of(connection, sql))
        connection.rollback()
    return seen


@scenario
def savepoints(connection):
    seen = [fetch(connection, "create temp table s (n int) on commit drop"),
            fetch(connection, "insert into s values (1)"), fetch(connection, "savepoint a"),
            error_of(connection, "insert into s values ('x')"),
            fetch(connection, "rollback to a"), fetch(connection, "insert into s values (2)"),
            fetch(connection, "select n from s order by n")]
    connection.rollback()
    return seen


@scenario
def settings_last_for_the_session(connection):
    connection.autocommit = True
    seen = []
    for sql in ("set DateStyle = 'SQL, DMY'", "set timezone = 'Asia/Tokyo'",
                "set application_name = 'me'", "set search_path = pg_catalog, public",
                "set statement_timeout = '55s'", "set work_mem = '5MB'"):
        fetch(connection, sql)
        seen.append([fetch(connection, f"show {name}") for name in (
            "DateStyle", "TimeZone", "application_name", "search_path", "statement_timeout",
            "work_mem")])
    seen.append(connection.get_parameter_status("TimeZone"))
    fetch(connection, "reset all")
    return [*seen, fetch(connection, "show work_mem"), fetch(connection, "show search_path")]


@scenario
def settings_roll_back_with_their_transaction(connection):
    seen = [fetch(connection, "show timezone"), fetch(connection, "set timezone = 'Asia/Tokyo'")]
    connection.rollback()
    seen += [fetch(connection, "show timezone"), fetch(connection, "set local work_mem = '9MB'"),
             fetch(connection, "show work_mem")]
    connection.commit()
    return [*seen, fetch(connection, "show work_mem")]


@scenario
def temporary_tables_live_on(connection):
    connection.autocommit = True
    fetch(connection, "create temp table mine (n int)")
    for number in range(5):
        fetch(connection, "insert into mine values (%s)", (number,))
    return fetch(connection, "select sum(n) from mine")


@scenario
def prepared_by_sql(connection):
    connection.autocommit = True
    fetch(connection, "prepare twice (int) as select $1 * 2")
    seen = [fetch(connection, f"execute twice ({number})") for number in range(5)]
    return [*seen, fetch(connection, "deallocate twice"),
            error_of(connection, "execute twice (1)")]


@scenario
def named_cursors(connection):
    with connection.cursor("walk") as cursor:
        cursor.itersize = 7
        cursor.execute("select generate_series(1, 100)")
        seen = [row[0] for row in cursor]
    connection.commit()
    with connection.cursor("held", withhold=True) as cursor:
        cursor.execute("select generate_series(1, 10)")
        connection.commit()
        seen.append(cursor.fetchmany(4))
        seen.append(cursor.fetchall())
    return seen


@scenario
def copy_in_and_out(connection):
    fetch(connection, "create temp table c (n int, t text) on commit drop")
    with connection.cursor() as cursor:
        cursor.copy_from(io.StringIO("1\tone\n2\t\\N\n"), "c")
        out = io.StringIO()
        cursor.copy_expert("copy c to stdout (format csv, header)", out)
        seen = [out.getvalue()]
        with pytest.raises(psycopg2.Error) as caught:
            cursor.copy_from(io.StringIO("x\ty\n"), "c")
        seen.append((caught.value.pgcode, caught.value.diag.context))
    connection.rollback()
    return [*seen, fetch(connection, "select 1")]


@scenario
def notices_come_in_order(connection):
    fetch(connection, "do $$ begin for i in 1..3 loop raise notice 'note %', i; end loop; end $$")
    return [notice.split(":", 1)[1].strip().split("\n")[0] for notice in connection.notices]


@scenario
def notifications(connection):
    connection.autocommit = True
    fetch(connection, "listen conform")
    for number in range(3):
        fetch(connection, f"notify conform, 'message {number}'")
    connection.poll()
    seen = [(one.channel, one.payload) for one in connection.notifies]
    fetch(connection, "unlisten *")
    return seen


@scenario
def several_statements_in_one_query(connection):
    connection.autocommit = True
    return [fetch(connection, "select 1; select 2; select 'last'"),
            error_of(connection, "select 1; select 1/0; select 3"),
            fetch(connection, "begin; select 5; commit; select 6")]


@scenario
def session_locks_stay_with_their_session(connection):
    connection.autocommit = True
    return [fetch(connection, "select pg_advisory_lock(471)"),
            fetch(connection, "select count(*) from pg_locks where locktype = 'advisory' "
                              "and objid = 471 and pid = pg_backend_pid()"),
            fetch(connection, "select pg_advisory_unlock(471)"),
            fetch(connection, "select pg_advisory_unlock(471)")]


@scenario
def roles(connection):
    connection.autocommit = True
    return [fetch(connection, "select current_user, session_user"),
            fetch(connection, "set role none"), fetch(connection, "select current_user"),
            error_of(connection, "set role no_such_role")]


@scenario
def two_phase_and_isolation(connection):
    connection.set_session(isolation_level="SERIALIZABLE", readonly=True, deferrable=True)
    seen = [fetch(connection, "show transaction_isolation"),
            fetch(connection, "show transaction_read_only"),
            error_of(connection, "create table never (n int)")]
    connection.rollback()
    return seen


@scenario
def batches(connection):
    fetch(connection, "create temp table b (n int) on commit drop")
    with connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, "insert into b values %s",
                                       [(number,) for number in range(2500)])
        psycopg2.extras.execute_batch(cursor, "update b set n = n + %s where n = %s",
                                      [(1, number) for number in range(50)])
    seen = fetch(connection, "select count(*), sum(n) from b")
    connection.rollback()
    return seen


@scenario
def large_values(connection):
    text = "x" * 3_000_000
    return fetch(connection, "select length(%s), md5(repeat('y', 5000000))", (text,))


@scenario
def cancelled_by_timeout(connection):
    connection.autocommit = True
    fetch(connection, "set statement_timeout = '60ms'")
    seen = error_of(connection, "select pg_sleep(20)")
    fetch(connection, "reset statement_timeout")
    return [seen, fetch(connection, "select 1")]


@pytest.mark.parametrize("name", SCENARIOS)
def test_psycopg2(same, name):
    def run(url):
        connection = psycopg2.connect(url)
        try:
            return repr(SCENARIOS[name](connection))
        finally:
            connection.close()

    same(run)
