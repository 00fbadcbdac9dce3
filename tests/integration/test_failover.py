"""A primary dies and its standby is promoted: whoever asked for a role gets a host that has it, and
the sessions of clients live through it."""

import asyncio
import contextlib

import pytest

import servers
from servers import HOST, PASSWORD, run
from weirtest.poll import until
from weirtest.wire import DatabaseError

COPIER = "copier"


class Standby(servers.PostgresServer):
    """A hot standby of `primary`, made by the server's own tools."""

    primary = None

    def prepare(self):
        self.data.chmod(0o700)
        source = f"host={HOST} port={self.primary.port} user={COPIER} password={PASSWORD}"
        self.as_owner("pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream",
                      "-c", "fast", "--no-sync")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"port={self.port}\nssl_cert_file='{self.tls_cert}'\n"
                       f"ssl_key_file='{self.tls_key}'\nssl_ca_file='{self.ca}'\n")

    def fill(self):
        """Everything is the primary's."""


@pytest.fixture
def pair(certificates):
    with contextlib.ExitStack() as stack:
        primary = servers.PostgresServer.create(certificates)
        stack.callback(primary.stop)
        primary.execute(f"create role {COPIER} replication login password '{PASSWORD}'")
        Standby.primary = primary
        standby = Standby.create(certificates)
        stack.callback(standby.stop)
        yield primary, standby


class Hosts:
    protocol = "postgresql"

    def __init__(self, *hosts):
        self.address = ", ".join(host.address for host in hosts)


def test_a_promoted_standby_takes_over(launch, pair, client_of, aio):
    primary, standby = pair
    client = client_of(primary)
    hosts = Hosts(standby, primary)
    roles = ("primary", "read-write", "standby", "read-only", "prefer-standby")
    weir = launch({role: hosts for role in roles}, max_connections=3, config={
        "backends": {role: {"target_session_attrs": role} for role in roles},
        "timeouts": {"connect_backoff_min": "20ms", "connect_backoff_max": "200ms",
                     "server_check_delay": "100ms"}})

    async def in_recovery(connection):
        return await connection.value("select pg_is_in_recovery()")

    async def comes_to(connection, wanted):
        """By the same session: what it hears meanwhile are errors, never an end."""
        deadline = asyncio.get_running_loop().time() + 30
        while True:
            assert asyncio.get_running_loop().time() < deadline, f"{wanted} does not come"
            try:
                if await in_recovery(connection) == wanted:
                    return
            except DatabaseError as error:
                assert error.code in ("53300", "57P01", "57P03", "08006", "08007", "40001"), error
                assert error.fields["S"] == "ERROR", error.fields
            await asyncio.sleep(0.05)

    async def scenario():
        clients = {role: await client(weir.ports[role]) for role in roles}
        for role, one in clients.items():
            standby_wanted = role in ("standby", "read-only", "prefer-standby")
            assert await in_recovery(one) == ("t" if standby_wanted else "f"), role
        writer = clients["primary"]
        await writer.query("create table survivors (n int)")
        await writer.query("insert into survivors values (1)")
        until(lambda: standby.value("select pg_last_wal_replay_lsn()") >= primary.value(
            "select pg_current_wal_flush_lsn()"), "the standby has it")
        assert (await asyncio.to_thread(primary.halt)) is None
        assert await asyncio.to_thread(standby.value, "select pg_promote()")
        for role in ("primary", "read-write"):
            await comes_to(clients[role], "f")
        assert (await writer.query("insert into survivors values (2)")).errors == []
        await comes_to(clients["prefer-standby"], "f")
        for role in ("standby", "read-only"):
            # Theirs are open already: which role a host has is asked when one is opened.
            assert await in_recovery(clients[role]) == "f"

    aio(scenario())
    with standby.admin(servers.DATABASE).cursor() as cursor:
        cursor.execute("select n from survivors order by n")
        assert cursor.fetchall() == [(1,), (2,)]
