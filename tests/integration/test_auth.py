"""Who gets in, what the others are told, and how TLS is negotiated on both sides."""

import asyncio
import ssl
import time

import psycopg2
import pytest

from servers import DATABASE, HOST, LEGACY_PASSWORD, LEGACY_USER, PASSWORD, USER
from weirtest import mywire, pgwire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost, Stream

UNKNOWN_DATABASE = {True: "3D000", False: 1049}
DENIED = {True: "28P01", False: 1045}


async def refused(client, port, **login):
    """(code, message shape, message flow) of a refused login."""
    connection = client.kind()
    login = {"user": USER, "password": PASSWORD, "database": DATABASE, **login}
    with pytest.raises(DatabaseError) as caught:
        if client.is_postgres:
            await connection._connect(HOST, port, login["user"], login["password"],
                                      login["database"], None, {})
        else:
            await connection._connect(HOST, port, login["user"], login["password"],
                                      login["database"], None, None, mywire.CAPABILITIES, 45)
    await connection.stream.at_end()
    connection.stream.close()
    error = caught.value
    return error.code, error.message.replace(login["user"], "USER"), connection.flow


def test_wrong_password_and_unknown_user_look_the_same(launch, database, client, aio):
    weir = launch(database)
    wrong = aio(refused(client, weir.port, password="wrong"))
    unknown = aio(refused(client, weir.port, user="nobody-knows-me", password="wrong"))
    nowhere = aio(refused(client, weir.port, user="nobody-knows-me", database="no-such-database"))
    assert wrong[0] == DENIED[client.is_postgres]
    assert wrong == unknown == nowhere


def test_unknown_user_keeps_its_salt(launch, postgres, aio):
    """A salt that changed from one attempt to the next would tell that the user is made up."""
    weir = launch(postgres)

    async def challenge(user):
        connection = pgwire.PgConn()
        await connection.stream.open(HOST, weir.port)
        connection.send(pgwire.startup({"user": user, "database": DATABASE}))
        first = pgwire.ScramClient("x")
        _, body = await connection.receive()
        assert b"SCRAM-SHA-256" in body
        data = first.first()
        connection.send(pgwire.message(
            b"p", b"SCRAM-SHA-256\0" + len(data).to_bytes(4, "big") + data))
        _, body = await connection.receive()
        connection.stream.close()
        parts = dict(part.split("=", 1) for part in body[4:].decode().split(","))
        return parts["s"], parts["i"]

    for user in (USER, "nobody-1", "nobody-2"):
        assert aio(challenge(user)) == aio(challenge(user))
    made_up = {aio(challenge(f"nobody-{n}")) for n in range(4)}
    assert len({salt for salt, _ in made_up}) == 4
    known = aio(challenge(USER))
    assert {iterations for _, iterations in made_up} == {known[1]}
    assert {len(salt) for salt, _ in made_up} == {len(known[0])}


def test_unknown_database(launch, database, client, aio):
    weir = launch(database)
    code, _, _ = aio(refused(client, weir.port, database="no_such_database"))
    assert code == UNKNOWN_DATABASE[client.is_postgres]


def test_login_needs_no_backend_of_its_own(launch, database, client, aio):
    """Fifty clients log in while two backends are all there is, and all of them are busy."""
    weir = launch(database, max_connections=2)

    async def scenario():
        first = await client(weir.port)
        await first.query("select 1")
        busy = [await client(weir.port) for _ in range(1 if not client.is_postgres else 2)]
        waits = [asyncio.ensure_future(one.query(client.slow(2))) for one in busy]
        started = time.monotonic()
        many = await asyncio.gather(*(client(weir.port) for _ in range(50)))
        took = time.monotonic() - started
        await asyncio.gather(*waits)
        for one in (first, *busy, *many):
            await one.close()
        return took

    assert aio(scenario()) < 2


def test_md5_on_the_backend_side(launch, any_postgres):
    weir = launch(any_postgres)
    connection = psycopg2.connect(host=HOST, port=weir.port, user=LEGACY_USER,
                                  password=LEGACY_PASSWORD, dbname=DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == (LEGACY_USER,)
    connection.close()


def test_both_passwords_count_during_a_rotation(launch, database, client, aio):
    weir = launch(database, config={"users": {USER: {
        "password": PASSWORD, "old_password": "the-old-one"}}})

    async def login(password):
        connection = await client(weir.port, password=password)
        value = await connection.value("select 1")
        await connection.close()
        return value

    assert aio(login(PASSWORD)) == "1"
    assert aio(login("the-old-one")) == "1"
    with pytest.raises(DatabaseError):
        aio(login("neither"))


def test_password_file_is_read_again(launch, database, client, aio, tmp_path):
    """The database's password changes: only the file is rewritten, nobody sends a signal."""
    user, grant = "rotating", f"grant all on {DATABASE}.* to rotating@'%%'"
    if client.is_postgres:
        database.execute(f"drop role if exists {user}")
        database.execute(f"create role {user} login password 'one'")
    else:
        database.execute(f"create or replace user {user}@'%%' identified by 'one'" if
                         "maria" in type(database).__name__.lower() else
                         f"create user {user}@'%%' identified by 'one'")
        database.execute(grant)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("one\n")
    weir = launch(database, config={
        "users": {user: {"password_file": str(secret)}},
        "timeouts": {"connect_backoff_max": "100ms"}})

    async def works(password):
        try:
            connection = await client(weir.port, user=user, password=password)
            value = await connection.value("select 1")
            await connection.close()
            return value == "1"
        except (DatabaseError, Lost):
            return False

    try:
        assert aio(works("one"))
        if client.is_postgres:
            database.execute(f"alter role {user} password 'two'")
        else:
            database.execute(f"alter user {user}@'%%' identified by 'two'")
        secret.write_text("two\n")
        database.kill_all()
        until(lambda: aio(works("two")), "the new password works", 20)
    finally:
        database.execute(f"drop role {user}" if client.is_postgres else
                         f"drop user {user}@'%%'")


def tls_listener(weir_server, launch, certificates, mode, **more):
    """A Weirpool whose only listener has TLS."""
    return launch(weir_server, listener_tls={
        "mode": mode, "cert_file": str(certificates.cert), "key_file": str(certificates.key)},
        **more)


@pytest.mark.parametrize("sslmode", ["require", "verify-ca", "verify-full"])
def test_postgres_clients_over_tls(launch, postgres, certificates, sslmode):
    weir = tls_listener(postgres, launch, certificates, "require")
    connection = psycopg2.connect(
        host="localhost", hostaddr=HOST, port=weir.port, user=USER, password=PASSWORD,
        dbname=DATABASE, sslmode=sslmode, sslrootcert=str(certificates.ca))
    with connection.cursor() as cursor:
        cursor.execute("select repeat('x', 1000000)")
        assert len(cursor.fetchone()[0]) == 1000000
    connection.close()
    if sslmode != "require":
        with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
            psycopg2.connect(host="localhost", hostaddr=HOST, port=weir.port, user=USER,
                             password=PASSWORD, dbname=DATABASE, sslmode=sslmode,
                             sslrootcert=str(certificates.other_ca))


def test_clients_over_tls(launch, database, client, aio, certificates):
    weir = tls_listener(database, launch, certificates, "allow")
    context = ssl.create_default_context(cafile=str(certificates.ca))

    async def scenario():
        secure = await client(weir.port, tls=context)
        plain = await client(weir.port)
        assert await secure.value("select 'over tls'") == "over tls"
        assert len(await secure.value("select repeat('y', 3000000)")) == 3000000
        assert await plain.value("select 'plain'") == "plain"
        await secure.close()
        await plain.close()

    aio(scenario())


def test_plaintext_is_turned_away_where_tls_is_required(launch, database, client, aio,
                                                        certificates):
    weir = tls_listener(database, launch, certificates, "require")
    code, _, _ = aio(refused(client, weir.port))
    assert code == ("28000" if client.is_postgres else 3159)


def test_gss_and_tls_requests_are_answered(launch, postgres, aio):
    weir = launch(postgres)

    async def scenario():
        connection = pgwire.PgConn()
        await connection.stream.open(HOST, weir.port)
        for request in (pgwire.GSS_REQUEST, pgwire.SSL_REQUEST):
            connection.send(request)
            assert await connection.stream.read(1) == b"N"
        connection.send(pgwire.startup({"user": USER, "database": DATABASE}))
        await connection.login(USER, PASSWORD)
        assert await connection.value("select 1") == "1"
        await connection.close()

    aio(scenario())


def test_newer_protocol_versions_are_negotiated(launch, postgres, aio):
    weir = launch(postgres)

    async def scenario():
        connection = pgwire.PgConn()
        await connection.stream.open(HOST, weir.port)
        connection.send(pgwire.startup(
            {"user": USER, "database": DATABASE, "_pq_.unheard_of": "1"}, version=196608 + 9))
        kind, body = await connection.receive()
        assert kind == b"v" and b"_pq_.unheard_of" in body
        await connection.login(USER, PASSWORD)
        assert await connection.value("select 1") == "1"
        await connection.close()

    aio(scenario())


def test_bytes_smuggled_behind_an_ssl_request_close_the_connection(launch, postgres, aio,
                                                                   certificates):
    """What a man in the middle puts in front of the handshake must never count as the client's."""
    weir = tls_listener(postgres, launch, certificates, "allow")

    async def scenario():
        stream = Stream()
        await stream.open(HOST, weir.port)
        stream.write(pgwire.SSL_REQUEST + pgwire.startup({"user": USER, "database": DATABASE}))
        answer = await asyncio.wait_for(stream.read_some(), 10)
        assert answer in (b"", b"S"), answer
        await stream.at_end()
        stream.close()

    aio(scenario())


def test_bytes_smuggled_behind_a_mysql_ssl_request(launch, mysql, aio, certificates):
    weir = tls_listener(mysql, launch, certificates, "allow")

    async def scenario():
        connection = mywire.MyConn()
        await connection.stream.open(HOST, weir.port)
        await connection.receive()
        flags = mywire.CAPABILITIES | mywire.SSL
        connection.send(flags.to_bytes(4, "little") + b"\0\0\0\1\x2d" + bytes(23))
        connection.send(flags.to_bytes(4, "little") + b"\0\0\0\1\x2d" + bytes(23) + b"app\0\0")
        await connection.stream.at_end()
        connection.stream.close()

    aio(scenario())


def test_a_handshake_in_the_same_segment_as_the_mysql_ssl_request(launch, mysql_like, aio,
                                                                  certificates):
    """MySQL answers an SSLRequest with nothing, so clients send both at once; the bytes behind the
    request are the handshake's and must not be taken for an attack."""
    weir = tls_listener(mysql_like, launch, certificates, "allow")
    outgoing = ssl.MemoryBIO()
    handshake = ssl.create_default_context(cafile=str(certificates.ca)).wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        handshake.do_handshake()

    async def scenario():
        connection = mywire.MyConn()
        await connection.stream.open(HOST, weir.port)
        await connection.receive()
        flags = mywire.CAPABILITIES | mywire.SSL
        request = b"\x20\0\0\1" + flags.to_bytes(4, "little") + b"\0\0\0\1\x2d" + bytes(23)
        connection.stream.write(request + outgoing.read())
        assert await connection.stream.read(2) == b"\x16\x03"
        connection.abort()

    aio(scenario())


@pytest.mark.parametrize("mode", ["disable", "require", "verify-ca", "verify-full"])
def test_backend_over_tls(launch, database, client, aio, certificates, mode):
    weir = launch(database, config={"backends": {"db": {
        "allow_public_key_retrieval": client.is_mysql,
        "tls": {"mode": mode, "ca_file": str(certificates.ca)}}}})
    shows = ("select ssl from pg_stat_ssl where pid = pg_backend_pid()" if client.is_postgres else
             "show status like 'Ssl_cipher'")

    async def encrypted():
        connection = await client(weir.port)
        row = (await connection.query(shows)).rows[0]
        await connection.close()
        return row[-1] not in (b"f", b"")

    assert aio(encrypted()) is (mode != "disable")


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_backend_with_a_strangers_certificate_is_not_used(launch, database, client, aio,
                                                          certificates, mode):
    weir = launch(database, ready=False, config={
        "timeouts": {"client_login_timeout": "1s"},
        "backends": {"db": {"tls": {"mode": mode, "ca_file": str(certificates.other_ca)}}}})
    weir.expect_any_error()

    async def attempt():
        connection = await client(weir.port)
        await connection.value("select 1")

    with pytest.raises((DatabaseError, Lost)):
        aio(attempt())


@pytest.mark.parametrize("allowed", [True, False])
def test_rsa_key_for_a_password_the_server_has_not_cached(launch, mysql, aio, allowed):
    """Without TLS the full exchange goes by the server's RSA key, if the configuration allows."""
    mysql.execute("flush privileges")  # empties the server's cache of fast logins
    weir = launch(mysql, ready=allowed, config={"backends": {"db": {
        "tls": {"mode": "disable"}, "allow_public_key_retrieval": allowed}}})

    async def attempt():
        connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        return await connection.value("select 'in'")

    if allowed:
        assert aio(attempt()) == "in"
        return
    weir.expect_any_error()
    with pytest.raises((DatabaseError, Lost)):
        aio(attempt())
