"""How clients of MySQL prove who they are, to Weirpool and through it to the server."""

import ssl

import pytest

import servers
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost

NATIVE, SHA2 = b"mysql_native_password", b"caching_sha2_password"
SHA256, CLEAR = b"sha256_password", b"mysql_clear_password"
BACKEND = {"allow_public_key_retrieval": True}


def is_mariadb(server):
    return isinstance(server, servers.MariaDbServer)


@pytest.fixture
def listener(launch, mysql_like, certificates):
    def go(**config):
        return launch(mysql_like, listener_tls={
            "mode": "allow", "cert_file": str(certificates.cert),
            "key_file": str(certificates.key)},
            config={"backends": {"db": BACKEND}, **config})

    return go


@pytest.fixture
def context(certificates):
    made = ssl.create_default_context(cafile=str(certificates.ca))
    made.check_hostname = False
    return made


@pytest.mark.parametrize("plugin", [NATIVE, SHA2, SHA256, CLEAR])
@pytest.mark.parametrize("encrypted", [False, True])
def test_every_plugin(listener, context, aio, plugin, encrypted):
    weir = listener()

    async def attempt(password):
        connection = await mywire.MyConn.connect(
            HOST, weir.port, USER, password, DATABASE, plugin=plugin,
            tls=context if encrypted else None)
        value = await connection.value("select substring_index(current_user(), '@', 1)")
        await connection.close()
        return value, connection.flow

    who, flow = aio(attempt(PASSWORD))
    assert who == USER
    assert ("fe" in flow) == (plugin == CLEAR and not encrypted), "switched away from the clear one"
    with pytest.raises(DatabaseError) as caught:
        aio(attempt("wrong"))
    assert caught.value.code == 1045


def test_a_token_as_long_as_tokens_get(launch, mariadb, certificates, context, aio):
    """mysql_clear_password carries it; a little longer, and the login fails."""
    token = "t" * 65000
    mariadb.execute(f"create user bearer@'%%' identified by '{token}'")
    mariadb.execute(f"grant all on {DATABASE}.* to bearer@'%%'")
    try:
        weir = launch(mariadb, listener_tls={
            "mode": "allow", "cert_file": str(certificates.cert),
            "key_file": str(certificates.key)},
            config={"backends": {"db": BACKEND}, "users": {"bearer": {"password": token}}})

        async def attempt(password):
            one = await mywire.MyConn.connect(
                HOST, weir.port, "bearer", password, DATABASE, plugin=CLEAR, tls=context,
                capabilities=mywire.CAPABILITIES | mywire.LENENC_PROOF)
            value = await one.value("select substring_index(current_user(), '@', 1)")
            await one.close()
            return value

        assert aio(attempt(token)) == "bearer"
        with pytest.raises(DatabaseError) as caught:
            aio(attempt(token[:-1] + "x"))
        assert caught.value.code == 1045
        with pytest.raises((DatabaseError, Lost)):
            aio(attempt(token * 2))
        assert aio(attempt(token)) == "bearer"
    finally:
        mariadb.execute("drop user bearer@'%%'")


def test_an_account_without_a_password(listener, mysql_like, aio):
    mysql_like.execute("create user nopass@'%%' identified by ''")
    mysql_like.execute(f"grant all on {DATABASE}.* to nopass@'%%'")
    try:
        weir = listener(users={"nopass": {"password": ""}})

        async def attempt(password):
            connection = await mywire.MyConn.connect(HOST, weir.port, "nopass", password, DATABASE)
            return await connection.value("select 'in'")

        assert aio(attempt("")) == "in"
        with pytest.raises(DatabaseError) as caught:
            aio(attempt("anything"))
        assert caught.value.code == 1045
    finally:
        mysql_like.execute("drop user nopass@'%%'")


def stored(server, user):
    """What the server keeps in place of the password."""
    text = server.value("select authentication_string from mysql.user where user = %s", user)
    in_hex = server.value(
        "select hex(authentication_string) from mysql.user where user = %s", user)
    return text if is_mariadb(server) else f"0x{in_hex}"


@pytest.mark.parametrize("place", ["configuration", "file"])
@pytest.mark.parametrize("plugin", [NATIVE, SHA2, CLEAR])
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_user_of_whom_only_a_hash_is_known(
        listener, second_user, mysql_like, context, tmp_path, aio, place, plugin, encrypted):
    verifier = stored(mysql_like, "second")
    assert verifier.startswith("*" if is_mariadb(mysql_like) else "0x2441243030")
    if place == "configuration":
        weir = listener(users={"second": {"password": verifier}})
    else:
        users = tmp_path / "users.txt"
        users.write_text(f'"second" "{verifier}"\n')
        users.chmod(0o600)
        weir = listener(auth={"user_file": str(users)})

    async def attempt(user, password):
        return await (await mywire.MyConn.connect(
            HOST, weir.port, user, password, DATABASE, plugin=plugin,
            tls=context if encrypted else None)).value(
                "select substring_index(current_user(), '@', 1)")

    def refused(user):
        with pytest.raises(DatabaseError) as caught:
            aio(attempt(user, "wrong"))
        assert caught.value.code == 1045
        return caught.value.message.replace(user, "USER")

    assert refused("second") == refused("nobody")
    for _ in range(2):
        assert aio(attempt("second", "second-secret")) == "second"
    assert refused("second") == refused("nobody")
    assert "second-secret" not in weir.output.read_text()


@pytest.mark.parametrize("mode", ["disable", "require"])
def test_accounts_of_other_plugins_at_the_server(launch, mysql_like, aio, mode):
    if is_mariadb(mysql_like):
        mysql_like.execute("install soname 'auth_ed25519'")
        mysql_like.execute(
            f"create user odd@'%%' identified via ed25519 using password('{PASSWORD}')")
    else:
        mysql_like.execute(
            f"create user odd@'%%' identified with sha256_password by '{PASSWORD}'")
    mysql_like.execute(f"grant all on {DATABASE}.* to odd@'%%'")
    try:
        weir = launch(mysql_like, config={
            "users": {"odd": {"password": PASSWORD}},
            "backends": {"db": {**BACKEND, "tls": {"mode": mode}}}})

        async def attempt():
            connection = await mywire.MyConn.connect(HOST, weir.port, "odd", PASSWORD, DATABASE)
            return await connection.value("select substring_index(current_user(), '@', 1)")

        assert aio(attempt()) == "odd"
    finally:
        mysql_like.execute("drop user odd@'%%'")
        if is_mariadb(mysql_like):
            mysql_like.execute("uninstall soname 'auth_ed25519'")


@pytest.fixture
def second_user(mysql_like):
    mysql_like.execute("create user second@'%%' identified by 'second-secret'")
    mysql_like.execute("grant all on *.* to second@'%%'")
    yield {"second": {"password": "second-secret"}}
    mysql_like.execute("drop user second@'%%'")


@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
def test_change_user(listener, second_user, aio, plugin):
    weir = listener(users=second_user)
    who = "select concat(substring_index(current_user(), '@', 1), ' ', coalesce(database(), '-'), " \
          "' ', coalesce(@v, '-'), ' ', @@time_zone)"

    async def scenario():
        connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        zone = await connection.value("select @@time_zone")
        await connection.query("set @v = 1, time_zone = '+05:00'")
        await connection.query("begin")
        seen = [await connection.value(who)]
        for user, password, database in (("second", "second-secret", "other"),
                                         (USER, PASSWORD, DATABASE), ("second", "second-secret", "")):
            await connection.change_user(user, password, database, plugin)
            assert not connection.status & mywire.IN_TRANSACTION
            seen.append(await connection.value(who))
        await connection.close()
        return zone, seen

    zone, seen = aio(scenario())
    assert seen == [f"{USER} {DATABASE} 1 +05:00", f"second other - {zone}",
                    f"{USER} {DATABASE} - {zone}", f"second - - {zone}"]


def test_a_refused_change_of_user_ends_the_session(listener, second_user, aio):
    weir = listener(users=second_user)

    async def refused(user, database=DATABASE):
        connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        await connection.query("set @v = 1")
        with pytest.raises(DatabaseError) as caught:
            await connection.change_user(user, "wrong", database, SHA2)
        await connection.stream.at_end()
        return (caught.value.code, caught.value.message.replace(user, "USER"),
                connection.flow)

    wrong, unknown = aio(refused("second")), aio(refused("nobody"))
    assert wrong[0] == 1045 and wrong == unknown == aio(refused("nobody", "no_such"))

    async def works():
        connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        return await connection.value("select coalesce(@v, '-')")

    assert aio(works()) == "-"
    with pytest.raises(DatabaseError) as caught:
        aio(change_to_unknown_database(weir))
    assert caught.value.code == 1049


async def change_to_unknown_database(weir):
    connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
    await connection.change_user(USER, PASSWORD, "no_such_database", SHA2)


def test_logins_within_sessions_are_counted_and_end(listener, second_user, aio):
    """A login in the middle of a session has the deadline of every login, and its place is given
    back."""
    weir = listener(users=second_user, limits={"max_login_conn": 1},
                    timeouts={"client_login_timeout": "1s"})

    async def stuck():
        connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        connection.start_change_user("second", DATABASE, SHA2)
        body = await connection.receive()
        assert body[0] == 0xFE
        with pytest.raises((DatabaseError, Lost, AssertionError)):
            await connection.receive()
            await connection.receive()
        connection.abort()

    aio(stuck())

    def enters():
        async def attempt():
            connection = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
            await connection.change_user("second", "second-secret", DATABASE, SHA2)
            return await connection.value("select 1") == "1"

        try:
            return aio(attempt())
        except (DatabaseError, Lost):
            return False

    until(enters, "places of logins are free again", 20)
    until(enters, "and again", 20)
