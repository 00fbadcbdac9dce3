"""Everything PostgreSQL knows about logging in, on both sides, with the newest libpq as the client."""

import asyncio
import os
import socket
import socketserver
import ssl
import subprocess
import threading

import psycopg2
import pytest

from servers import (CERTIFIED_USER, DATABASE, HOST, LEGACY_PASSWORD, LEGACY_USER, PASSWORD,
                     TOKEN_USER, USER)
from weirtest import pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost, Stream

PROTOCOL_3_2 = 196610


@pytest.fixture
def psql(postgres18, certificates):
    """psql(port, sql="...", user=..., **conninfo) -> what the newest libpq was told."""

    def go(port, sql="select current_user", user=USER, password=PASSWORD, **more):
        settings = {"host": "localhost", "hostaddr": HOST, "port": port, "user": user,
                    "dbname": DATABASE, "connect_timeout": 20, "sslmode": "prefer",
                    "sslrootcert": certificates.ca, **more}
        info = " ".join(f"{key}='{value}'" for key, value in settings.items())
        return subprocess.run(
            [postgres18.bin / "psql", "-XAtw", "-c", sql, info], text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "PGPASSWORD": password}).stdout.strip()

    return go


@pytest.fixture
def tls(certificates):
    return {"mode": "allow", "cert_file": str(certificates.cert),
            "key_file": str(certificates.key), "ca_file": str(certificates.ca)}


def rewrite(path, text):
    """Replaces a file in one step."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text)
    fresh.rename(path)


# --- the client's side -----------------------------------------------------------------------------


def test_methods(launch, postgres, psql, tls):
    weir = launch(postgres, listener_tls=tls, config={"auth": {"method": "trust"}})
    assert psql(weir.port, password="") == USER
    for method in ("password", "md5", "scram-sha-256", "auto"):
        weir.config["auth"]["method"] = method
        weir.reload()
        assert psql(weir.port, sslmode="require") == USER, method
        assert "password authentication failed" in psql(
            weir.port, password="wrong", sslmode="require")
        asked = {"password": "password", "md5": "md5"}.get(method, "scram-sha-256")
        assert psql(weir.port, require_auth=asked, sslmode="require") == USER


def test_the_password_itself_is_taken_inside_tls_only(launch, postgres, psql, tls):
    weir = launch(postgres, listener_tls=tls, config={"auth": {"method": "password"}})
    assert "insecure transport" in psql(weir.port, sslmode="disable")
    weir.config["auth"]["plaintext_passwords"] = True
    weir.reload()
    assert psql(weir.port, sslmode="disable", require_auth="password") == USER


def test_users_from_a_file(launch, postgres, psql, tmp_path):
    """Plain, md5 and SCRAM entries; the file is read again when it changes, broken or not."""
    verifier = postgres.value("select rolpassword from pg_authid where rolname = %s", USER)
    hashed = postgres.value("select rolpassword from pg_authid where rolname = %s", LEGACY_USER)
    assert verifier.startswith("SCRAM-SHA-256$") and hashed.startswith("md5")
    users = tmp_path / "userlist.txt"
    users.write_text(f'; who\n"{USER}" "{PASSWORD}"\n"{LEGACY_USER}" "{hashed}"\n')
    weir = launch(postgres, config={"users": None, "admin": {"users": None},
                                    "auth": {"user_file": str(users)}})
    assert psql(weir.port) == USER
    assert psql(weir.port, user=LEGACY_USER, password=LEGACY_PASSWORD) == LEGACY_USER
    assert "failed" in psql(weir.port, user=LEGACY_USER, password=hashed)
    rewrite(users, f'"{USER}" "{verifier}"\n')
    until(lambda: "failed" in psql(weir.port, user=LEGACY_USER, password=LEGACY_PASSWORD),
          "the removed user is gone", 20)
    assert psql(weir.port) == USER
    weir.expect_errors("user_file_refused")
    rewrite(users, f'"{USER}" "other"\nhalf a li')
    until(lambda: weir.events("user_file_refused"), "the broken file is noticed", 20)
    assert psql(weir.port) == USER


def test_who_has_no_password_comes_in_where_none_is_asked_for(launch, postgres, psql, tmp_path):
    users, rules = tmp_path / "userlist.txt", tmp_path / "pg_hba.conf"
    users.write_text('"guest" ""\n')
    rules.write_text("host shop all 127.0.0.1/32 trust\n"
                     "host all all 127.0.0.1/32 scram-sha-256\n")
    databases = {"shop": {"database": DATABASE, "user": USER}, DATABASE: {"user": USER}}
    weir = launch(postgres, config={"databases": databases, "auth": {
        "user_file": str(users), "hba_file": str(rules)}})
    assert psql(weir.port, user="guest", dbname="shop") == USER
    for password in ("guest", PASSWORD):
        assert "failed" in psql(weir.port, user="guest", password=password)
    assert "failed" in psql(weir.port, user="stranger", dbname="shop")


def test_hba_rules(launch, postgres, psql, tls, tmp_path):
    rules = tmp_path / "pg_hba.conf"
    rules.write_text(f"hostssl {DATABASE} {USER} 127.0.0.0/8 scram-sha-256\n"
                     f"host other {USER} 127.0.0.1/32 trust\n"
                     "host all all 127.0.0.1/32 reject\n")
    weir = launch(postgres, listener_tls=tls, config={"auth": {"hba_file": str(rules)}})
    assert psql(weir.port, sslmode="require") == USER
    assert psql(weir.port, dbname="other", password="wrong", sslmode="disable") == USER
    for refused in ({"sslmode": "disable"}, {"user": LEGACY_USER, "password": LEGACY_PASSWORD}):
        assert "not let in" in psql(weir.port, **refused)
    rules.write_text("host all all 10.0.0.0/8 trust\n")
    weir.reload()
    assert "not let in" in psql(weir.port, sslmode="require")
    rules.write_text("host all +admins all trust\n")
    weir.expect_errors("config_reload")
    assert "members" in str(weir.reload(good=False)) or "member" in weir.tail()
    assert "not let in" in psql(weir.port, sslmode="require")


def test_unknown_users_look_like_known_ones_whatever_is_stored(launch, postgres, aio, tmp_path):
    verifier = postgres.value("select rolpassword from pg_authid where rolname = %s", USER)
    hashed = "md5" + "0" * 32
    users = tmp_path / "userlist.txt"
    users.touch()

    async def flow(port, user):
        connection = pgwire.PgConn()
        with pytest.raises(DatabaseError) as caught:
            await connection._connect(HOST, port, user, "wrong", DATABASE, None, {})
        connection.stream.close()
        return connection.flow, caught.value.code, caught.value.message.replace(user, "USER")

    for stored in (verifier, hashed, "plain"):
        users.write_text(f'"somebody" "{stored}"\n')
        weir = launch(postgres, config={"users": None, "admin": {"users": None},
                                        "auth": {"user_file": str(users)}})
        known = aio(flow(weir.port, "somebody"))
        assert known[1] == "28P01"
        assert aio(flow(weir.port, "nobody")) == known, stored
        weir.stop()


def test_client_certificates(launch, postgres, psql, tls, certificates):
    weir = launch(postgres, listener_tls=tls, config={"auth": {"method": "cert"}})
    app = {"sslmode": "require", "password": "", "sslcert": certificates.app_cert,
           "sslkey": certificates.app_key}
    node = {**app, "sslcert": certificates.node_cert, "sslkey": certificates.node_key}
    assert psql(weir.port, **app) == USER
    assert "somebody else" in psql(weir.port, **node)
    assert "certificate is required" in psql(weir.port, sslmode="require", sslcertmode="disable")
    assert "certificate is required" in psql(weir.port, sslmode="disable")
    weir.config["auth"] = {"hba": "hostssl all all all cert map=nodes",
                           "ident_file": str(weir.folder / "pg_ident.conf")}
    (weir.folder / "pg_ident.conf").write_text(f"nodes node-1 {USER}\n")
    weir.reload()
    assert psql(weir.port, **node) == USER
    assert "somebody else" in psql(weir.port, **app)
    weir.config["auth"] = {"hba": "hostssl all all all scram-sha-256 clientcert=verify-full"}
    weir.reload()
    assert psql(weir.port, **{**app, "password": PASSWORD}) == USER
    assert "failed" in psql(weir.port, **{**app, "password": "wrong"})
    assert "certificate is required" in psql(weir.port, sslmode="require", sslcertmode="disable")


def test_channel_binding(launch, postgres, psql, tls):
    weir = launch(postgres, listener_tls=tls)
    assert psql(weir.port, sslmode="require", channel_binding="require") == USER
    assert psql(weir.port, sslmode="require", channel_binding="disable") == USER
    assert "channel binding" in psql(weir.port, sslmode="disable", channel_binding="require")


def test_tls_from_the_first_byte_on(launch, postgres, psql, tls, certificates, aio):
    weir = launch(postgres, listener_tls=tls)
    assert psql(weir.port, sslmode="verify-full", sslnegotiation="direct") == USER

    async def without_its_name(alpn):
        context = ssl.create_default_context(cafile=str(certificates.ca))
        if alpn:
            context.set_alpn_protocols([alpn])
        stream = Stream()
        await stream.open(HOST, weir.port)
        try:
            await stream.start_tls(context)
            stream.write(pgwire.startup({"user": USER, "database": DATABASE}))
            return await stream.read_some()
        except Lost:
            return b""
        finally:
            stream.close()

    assert aio(without_its_name(None)) == b""
    assert aio(without_its_name("http/1.1")) == b""
    assert aio(without_its_name("postgresql")).startswith(b"R")


def test_protocol_3_2_and_its_cancel_keys(launch, any_postgres, psql, aio):
    weir = launch(any_postgres, config={"backends": {"db": {"max_protocol_version": "3.2"}}})
    assert psql(weir.port, min_protocol_version="3.2", max_protocol_version="3.2") == USER

    async def scenario():
        connection = pgwire.PgConn()
        await connection.stream.open(HOST, weir.port)
        connection.send(pgwire.startup({"user": USER, "database": DATABASE}, PROTOCOL_3_2))
        await connection.login(USER, PASSWORD)
        assert len(connection.secret) == 32
        running = asyncio.ensure_future(connection.query("select pg_sleep(60)"))
        busy = f"select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and \
state = 'active' and usename = '{USER}'"
        while any_postgres.value(busy.replace("%", "%%")) == 0:
            await asyncio.sleep(0.05)
        # A part of the key is no key.
        await pgwire.cancel(HOST, weir.port, connection.process, connection.secret[:4])
        await pgwire.cancel(HOST, weir.port, connection.process, bytes(32))
        assert not running.done()
        await pgwire.cancel(HOST, weir.port, connection.process, connection.secret)
        answer = await running
        assert [error.code for error in answer.errors] == ["57014"]
        await connection.close()

    aio(scenario())


# --- the backends' side ----------------------------------------------------------------------------


class TlsOnly(socketserver.ThreadingTCPServer):
    """Stands in front of a server and lets only connections through that begin with TLS."""

    protocol = "postgresql"
    allow_reuse_address = daemon_threads = True

    def __init__(self, server):
        super().__init__((HOST, 0), None)
        self.behind = server.port
        self.plain = self.through = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"localhost:{self.server_address[1]}"

    def finish_request(self, request, client_address):
        first = request.recv(8)
        if first != pgwire.SSL_REQUEST and first[:1] != b"\x16":
            self.plain += 1
            return
        self.through += 1
        with socket.create_connection((HOST, self.behind)) as server:
            server.sendall(first)
            back = threading.Thread(target=self.pump, args=(server, request), daemon=True)
            back.start()
            self.pump(request, server)
            back.join(30)

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_cancel_goes_by_tls_where_its_backend_does(launch, postgres18, certificates, aio,
                                                   negotiation):
    gate = TlsOnly(postgres18)
    weir = launch(gate, config={"backends": {"db": {
        "tls": {"mode": "verify-full", "ca_file": str(certificates.ca),
                "negotiation": negotiation}}}})

    async def scenario():
        connection = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        row = (await connection.query(
            "select ssl from pg_stat_ssl where pid = pg_backend_pid()")).value()
        assert row == "t"
        running = asyncio.ensure_future(connection.query("select pg_sleep(61)"))
        busy = "select count(*) from pg_stat_activity where query like '%%pg_sleep(61)%%' and \
state = 'active' and usename = %s"
        while postgres18.value(busy, USER) == 0:
            await asyncio.sleep(0.05)
        await pgwire.cancel(HOST, weir.port, connection.process, connection.secret)
        answer = await running
        assert [error.code for error in answer.errors] == ["57014"]
        await connection.close()

    aio(scenario())
    assert gate.through >= 2 and gate.plain == 0
    weir.stop()
    gate.shutdown()
    gate.server_close()


def test_a_user_without_a_password(launch, postgres, psql, tls, certificates):
    """Where the server trusts, or takes a certificate, none is needed."""
    weir = launch(postgres, listener_tls=tls, config={
        "auth": {"method": "trust"},
        "users": {"postgres": {"password": ""}, CERTIFIED_USER: {"password": ""}},
        "backends": {"db": {"address": f"localhost:{postgres.port}", "tls": {
            "mode": "verify-full", "ca_file": str(certificates.ca),
            "cert_file": str(certificates.node_cert), "key_file": str(certificates.node_key)}}}})
    for user in ("postgres", CERTIFIED_USER):
        assert psql(weir.port, user=user, password="") == user


def test_a_certificate_towards_the_backend(launch, postgres, certificates, psql, tls):
    weir = launch(postgres, listener_tls=tls, config={
        "users": {CERTIFIED_USER: {"password": "only for weirpool"}},
        "backends": {"db": {"address": f"localhost:{postgres.port}", "tls": {
            "mode": "verify-full", "ca_file": str(certificates.ca),
            "cert_file": str(certificates.node_cert), "key_file": str(certificates.node_key)}}}})
    assert psql(weir.port, user=CERTIFIED_USER, password="only for weirpool") == CERTIFIED_USER


def test_a_token_of_60_kilobytes(launch, any_postgres, certificates, psql, tls, tmp_path):
    """What cloud providers hand out as passwords is asked for in clear text, inside TLS only."""
    token = "t0ken." * 10000
    any_postgres.execute(f"alter role {TOKEN_USER} password '{token}'")
    secret = tmp_path / "token"
    secret.touch(mode=0o600)
    secret.write_text(token)
    weir = launch(any_postgres, listener_tls=tls, config={
        "users": {TOKEN_USER: {"password_file": str(secret)}},
        "auth": {"method": "password"},
        "backends": {"db": {"address": f"localhost:{any_postgres.port}", "tls": {
            "mode": "verify-full", "ca_file": str(certificates.ca)}}}})
    connection = psycopg2.connect(host="localhost", hostaddr=HOST, port=weir.port,
                                  user=TOKEN_USER, password=token, dbname=DATABASE,
                                  sslmode="require")
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == (TOKEN_USER,)
    connection.close()
    assert token[:50] not in weir.log_text()


def test_a_verifier_is_enough_for_both_sides(launch, postgres, psql, tmp_path):
    """SCRAM pass-through: what the client's login shows logs weirpool in."""
    user = "passing"
    postgres.execute(f"drop role if exists {user}")
    postgres.execute(f"create role {user} login password 'one'")
    stored = "select rolpassword from pg_authid where rolname = %s"
    users = tmp_path / "userlist.txt"
    users.write_text(f'"{user}" "{postgres.value(stored, user)}"\n')
    weir = launch(postgres, config={"auth": {"user_file": str(users)},
                                    "timeouts": {"connect_backoff_max": "100ms"}})
    try:
        assert psql(weir.port, user=user, password="one") == user
        postgres.kill_all()
        assert psql(weir.port, user=user, password="one") == user
        # Another password, hence another verifier: the former key is worth nothing.
        postgres.execute(f"alter role {user} password 'two'")
        rewrite(users, f'"{user}" "{postgres.value(stored, user)}"\n')
        postgres.kill_all()
        until(lambda: psql(weir.port, user=user, password="two") == user, "the new one works", 30)
        assert "failed" in psql(weir.port, user=user, password="one")
    finally:
        postgres.kill_all()
        postgres.execute(f"drop role {user}")


def test_a_failed_backend_login_is_not_the_clients_fault(launch, postgres, psql):
    postgres.execute("drop role if exists drifted")
    postgres.execute("create role drifted login password 'in the database'")
    weir = launch(postgres, config={"users": {"drifted": {"password": "in the configuration"}}})
    weir.expect_any_error()
    try:
        said = psql(weir.port, user="drifted", password="in the configuration")
        assert "weirpool could not log in to the database" in said, said
        assert "password authentication failed" not in said
        until(lambda: [one for one in weir.events() if "28P01" in str(one)], "the hop is blamed")
        assert "in the configuration" not in weir.log_text()
    finally:
        postgres.execute("drop role drifted")


# --- users in the database -------------------------------------------------------------------------


@pytest.fixture
def looked_up(launch, any_postgres):
    """(a Weirpool that asks the database, the server); the users' roles go with the test."""
    server = any_postgres
    for role in ("asker", "found", "expired", "locked", "late"):
        server.execute(f"drop role if exists {role}")
    server.execute("create role asker login superuser password 'asks'")
    server.execute("create role found login password 'here'")
    server.execute("create role expired login password 'here' valid until '2001-01-01'")
    server.execute("create role locked nologin password 'here'")

    def start(**backend):
        return launch(server, config={"users": {"asker": {"password": "asks"}},
                                      "backends": {"db": {"auth_user": "asker", **backend}}})

    yield start, server
    server.kill_all()
    for role in ("asker", "found", "expired", "locked", "late"):
        server.execute(f"drop role if exists {role}")


def test_auth_query(looked_up, psql):
    start, server = looked_up
    weir = start()
    assert psql(weir.port, user="found", password="here") == "found"
    assert "failed" in psql(weir.port, user="found", password="wrong")
    for role in ("expired", "locked", "nobody"):
        assert "password authentication failed" in psql(weir.port, user=role, password="here")
    # Users of the configuration are not asked about.
    assert psql(weir.port) == USER
    # A changed password is noticed when the former one does not fit any more.
    server.execute("alter role found password 'there'")
    server.kill_all()
    until(lambda: psql(weir.port, user="found", password="there") == "found", "it is noticed", 30)
    # And a user who was not there a moment ago.
    assert "failed" in psql(weir.port, user="late", password="x")
    server.execute("create role late login password 'x'")
    until(lambda: psql(weir.port, user="late", password="x") == "late", "late is found", 30)


def test_auth_query_ends_with_valid_until(looked_up, psql):
    start, server = looked_up
    server.execute("do $$ begin execute format('alter role found valid until %L', "
                   "now() + interval '4 seconds'); end $$")
    weir = start()
    assert psql(weir.port, user="found", password="here") == "found"
    until(lambda: "failed" in psql(weir.port, user="found", password="here"),
          "the end of its validity counts, cached or not", 30)


def test_auth_query_runs_clean_and_once(looked_up, aio):
    """No search_path, nothing of the client's, and one question for many logins."""
    start, server = looked_up
    server.execute("drop table if exists asked")
    server.execute("create table asked(who text, path text, application text)")
    server.execute("create or replace function user_lookup(name text, out text, out text) as "
                   "$$ insert into public.asked values (name, current_setting('search_path'), "
                   "current_setting('application_name')); select pg_catalog.pg_sleep(0.5); "
                   "select rolname::text, rolpassword from pg_catalog.pg_authid "
                   "where rolname = name $$ language sql")
    weir = start(auth_query="select * from public.user_lookup($$1)", auth_dbname="postgres")

    async def login():
        connection = await pgwire.PgConn.connect(
            HOST, weir.port, "found", "here", DATABASE, search_path="evil", application_name="me",
            options="-c default_transaction_read_only=on")
        assert await connection.value("select current_user") == "found"
        await connection.close()

    async def scenario():
        await asyncio.gather(*(login() for _ in range(30)))

    aio(scenario())
    assert server.execute("select * from asked") == [("found", "", "")]
    server.execute("drop function user_lookup(text)")
    server.execute("drop table asked")


def test_auth_query_within_the_budget(looked_up, aio):
    """All backends are busy when a stranger logs in: it waits, and nothing locks up."""
    start, _ = looked_up
    weir = start(max_connections=1)

    async def scenario():
        first = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        await first.query("begin")
        stranger = asyncio.ensure_future(
            pgwire.PgConn.connect(HOST, weir.port, "found", "here", DATABASE))
        await asyncio.sleep(0)
        assert await first.value("select 'mine'") == "mine"
        await first.query("commit")
        other = await stranger
        assert await other.value("select current_user") == "found"
        assert await first.value("select current_user") == USER
        await other.close()
        await first.close()

    aio(scenario())


def test_a_broken_auth_query_is_nobodys_wrong_password(looked_up, psql):
    start, _ = looked_up
    weir = start(auth_query="select no_such_column from pg_class where relname = $$1")
    weir.expect_errors("look_up_failed")
    said = psql(weir.port, user="found", password="here")
    assert "not available" in said and "password" not in said
    until(lambda: weir.events("look_up_failed"), "the failure is logged", 20)
    assert psql(weir.port) == USER
