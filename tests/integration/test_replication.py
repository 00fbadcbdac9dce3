"""Replication clients: backends of their own, within the budget, closed at the end."""

import pytest

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError


@pytest.fixture
def replicating(postgres):
    postgres.execute(f"alter role {USER} replication")
    yield postgres
    postgres.execute(f"alter role {USER} noreplication")


def walsenders(postgres):
    with postgres.admin() as connection, connection.cursor() as cursor:
        cursor.execute("select application_name from pg_stat_activity "
                       "where backend_type = 'walsender' order by 1")
        return [name for (name,) in cursor.fetchall()]


def test_a_base_backup_with_its_log(launch, replicating, program, tmp_path):
    weir = launch(replicating, max_connections=4)
    program(replicating.bin / "pg_basebackup", "-h", HOST, "-p", weir.port, "-U", USER, "-X",
            "stream", "-c", "fast", "-D", tmp_path / "copy",
            env={"PGPASSWORD": PASSWORD, "PGAPPNAME": "copier"})
    assert (tmp_path / "copy" / "backup_manifest").exists()
    until(lambda: walsenders(replicating) == [], "its backends are closed", 20)


async def kinds(port, table):
    console = await pgwire.PgConn.connect(HOST, port, USER, PASSWORD, "pgbouncer")
    rows = (await console.query(f"SHOW {table}")).check().rows
    await console.close()
    return sorted(row[3].decode() for row in rows if row[2] != b"pgbouncer")


def test_both_kinds_and_normal_clients_beside_them(launch, replicating, aio):
    weir = launch(replicating, max_connections=3)

    async def scenario():
        physical = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE,
                                               replication="true", application_name="standby")
        logical = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE,
                                              replication="database")
        normal = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        assert (await physical.query("IDENTIFY_SYSTEM")).check().rows[0][3] is None
        assert (await logical.query("IDENTIFY_SYSTEM")).check().rows[0][3] == DATABASE.encode()
        assert await logical.value("select 1") == "1"
        assert await normal.value("select 2") == "2"
        assert await kinds(weir.port, "CLIENTS") == ["logical", "none", "physical"]
        assert [kind for kind in await kinds(weir.port, "SERVERS") if kind != "none"] == [
            "logical", "physical"]
        assert "standby" in walsenders(replicating)
        (await physical.query("CREATE_REPLICATION_SLOT gone TEMPORARY PHYSICAL")).check()
        await physical.close()
        await logical.close()
        assert await normal.value("select 3") == "3"
        await normal.close()

    aio(scenario())
    until(lambda: walsenders(replicating) == [], "their backends are closed", 20)
    with replicating.admin() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_replication_slots")
        assert cursor.fetchone() == (0,)


def test_who_may_not_replicate_is_told(launch, postgres, aio):
    weir = launch(postgres, max_connections=3)

    async def scenario():
        with pytest.raises(DatabaseError):
            await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE,
                                        replication="true")
        with pytest.raises(DatabaseError) as wrong:
            await pgwire.PgConn.connect(HOST, weir.port, USER, "wrong", DATABASE,
                                        replication="true")
        assert wrong.value.code == "28P01"

    aio(scenario())
