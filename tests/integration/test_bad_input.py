"""What no client and no database should send: a proper error or a close, bounded memory, and nobody
else notices."""

import asyncio
import os
import random
import struct

import pytest

import proxy
from conftest import Client
from servers import DATABASE, HOST, PASSWORD, USER, free_port
from weirtest import mywire, pgwire
from weirtest.wire import DatabaseError, Lost, Stream

PG_BEFORE_LOGIN = {
    "garbage": b"\x16\x03\x01GET / HTTP/1.1\r\n\r\n" * 20,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "length zero": struct.pack("!ii", 0, 196608),
    "length seven": struct.pack("!i", 7) + b"abc",
    "negative length": struct.pack("!ii", -5, 196608),
    "huge length": struct.pack("!ii", 0x7FFFFFFF, 196608) + b"user\0x\0\0",
    "ancient protocol": struct.pack("!ii", 8, 131072),
    "no terminator": struct.pack("!ii", 13, 196608) + b"user\0",
    "no user": pgwire.startup({"database": "app"}),
    "endless options": pgwire.startup({"user": "app", "options": "x" * 100000}),
    "tls request for ever": pgwire.SSL_REQUEST * 1000,
    "cancel that is too short": struct.pack("!iii", 12, 80877102, 1),
    "cancel that is too long": struct.pack("!iii", 2000, 80877102, 1) + bytes(1988),
}
PG_AFTER_LOGIN = {
    "unknown message": pgwire.message(b"\x01", b"abc"),
    "negative length": b"Q" + struct.pack("!i", -1),
    "length three": b"Q" + struct.pack("!i", 3),
    "huge length": b"p" + struct.pack("!i", 0x7FFFFFFF),
    "a server's message": pgwire.message(b"Z", b"I"),
    "a password again": pgwire.message(b"p", b"secret\0"),
}
MY_BEFORE_LOGIN = {
    "garbage": os.urandom(500),
    "nothing in it": b"\0\0\0\1",
    "too short": b"\4\0\0\1\xff\xff\xff\xff",
    "sixteen megabytes": b"\xff\xff\xff\1" + bytes(1000),
    "wrong sequence": b"\x20\0\0\7" + bytes(32),
    "old protocol": b"\x20\0\0\1" + bytes(32),
    "user without end": b"\x30\0\0\1" + struct.pack("<IIB23x", mywire.CAPABILITIES, 1 << 24, 45)
                        + b"x" * 16,
}
MY_AFTER_LOGIN = {
    "empty command": b"\0\0\0\0",
    "unknown command": b"\1\0\0\0\xee",
    "wrong sequence": b"\2\0\0\5\x03x",
    "a statement nobody prepared": b"\x0a\0\0\0\x17" + struct.pack("<IBI", 4711, 0, 1),
    "execute cut short": b"\2\0\0\0\x17\1",
}


@pytest.fixture
def pg_client(postgres):
    return Client(postgres)


@pytest.fixture
def my_client(mysql):
    return Client(mysql)


async def witness(client, port, while_running):
    """A client beside the trouble: it must not notice anything."""
    connection = await client(port)
    number = 0
    while not while_running.done():
        number += 1
        assert await connection.value(f"select '{number}'") == str(number)
        await asyncio.sleep(0.01)
    await while_running
    assert await connection.value("select 'unharmed'") == "unharmed"
    await connection.close()


async def ends(stream, timeout=10.0):
    """Closed by the other side in time, whatever it says before."""
    try:
        await stream.at_end(timeout)
    except asyncio.TimeoutError:
        raise AssertionError("the connection stayed open") from None
    stream.close()


@pytest.fixture(scope="module")
def strict(tmp_path_factory, postgres, mysql):
    """Short deadlines, so that half a message is a fault soon."""
    one = proxy.Weirpool(tmp_path_factory.mktemp("strict"), {"postgres": postgres, "mysql": mysql},
                         config={"timeouts": {"client_login_timeout": "700ms"}})
    try:
        one.start()
        yield one
        one.stop()
    finally:
        one.kill()


def in_the_middle(aio, client, port, trouble):
    async def scenario():
        await witness(client, port, asyncio.ensure_future(trouble))

    aio(scenario())


async def send_before_login(port, data):
    stream = Stream()
    await stream.open(HOST, port)
    stream.write(data)
    try:
        await stream.drain()
    except Lost:
        pass
    await ends(stream)


@pytest.mark.parametrize("name", PG_BEFORE_LOGIN)
def test_postgres_before_login(strict, pg_client, aio, name):
    port = strict.ports["postgres"]
    in_the_middle(aio, pg_client, port, send_before_login(port, PG_BEFORE_LOGIN[name]))


@pytest.mark.parametrize("name", MY_BEFORE_LOGIN)
def test_mysql_before_login(strict, my_client, aio, name):
    port = strict.ports["mysql"]
    in_the_middle(aio, my_client, port, send_before_login(port, MY_BEFORE_LOGIN[name]))


@pytest.mark.parametrize("name", PG_AFTER_LOGIN)
def test_postgres_after_login(strict, pg_client, aio, name):
    port = strict.ports["postgres"]

    async def trouble():
        connection = await pg_client(port)
        await connection.value("select 1")
        connection.send(PG_AFTER_LOGIN[name])
        with pytest.raises((DatabaseError, Lost)) as caught:
            (await connection.answer(timeout=10)).check()
        if isinstance(caught.value, DatabaseError):
            assert caught.value.code in ("08P01", "54000"), caught.value
        await ends(connection.stream)

    in_the_middle(aio, pg_client, port, trouble())


@pytest.mark.parametrize("name", MY_AFTER_LOGIN)
def test_mysql_after_login(strict, my_client, aio, name):
    """An error in the protocol's own form or a close; after an error the session may go on."""
    port = strict.ports["mysql"]

    async def trouble():
        connection = await my_client(port)
        await connection.value("select 1")
        connection.stream.write(MY_AFTER_LOGIN[name])
        connection.sequence = 1
        with pytest.raises((DatabaseError, Lost)):
            await connection.answer(timeout=10)
        connection.stream.close()

    in_the_middle(aio, my_client, port, trouble())


def test_a_login_that_never_ends_has_a_deadline(strict, aio):
    async def silent(port, first):
        stream = Stream()
        await stream.open(HOST, port)
        stream.write(first)
        await ends(stream, 10)

    async def scenario():
        await asyncio.gather(
            silent(strict.ports["postgres"], b""), silent(strict.ports["mysql"], b""),
            silent(strict.ports["postgres"], b"\0\0"), silent(strict.ports["mysql"], b"\x50\0"),
            silent(strict.ports["postgres"],
                   pgwire.startup({"user": USER, "database": DATABASE})))

    aio(scenario())


def test_slow_drip_of_a_login_has_the_same_deadline(strict, aio):
    async def scenario():
        stream = Stream()
        await stream.open(HOST, strict.ports["postgres"])
        closed = asyncio.ensure_future(ends(stream, 20))
        for byte in pgwire.startup({"user": USER, "database": DATABASE, "options": "x" * 500}):
            if closed.done():
                break
            try:
                stream.write(bytes([byte]))
            except Lost:
                break
            await asyncio.wait([closed], timeout=0.05)
        await closed

    aio(scenario())


def test_logins_that_never_end_do_not_keep_others_out(launch, database, client, aio):
    """Half-open clients have a bound of their own, far below max_client_conn."""
    weir = launch(database, config={"limits": {"max_login_conn": 20},
                                    "timeouts": {"client_login_timeout": "1s"}})

    async def scenario():
        inside = await client(weir.port)
        half_open = []
        for _ in range(60):
            stream = Stream()
            await stream.open(HOST, weir.port)
            half_open.append(stream)
        assert await inside.value("select 'fine'") == "fine"
        deadline = asyncio.get_running_loop().time() + 15
        while True:
            try:
                fresh = await client(weir.port)
                break
            except (DatabaseError, Lost):
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)
        assert await fresh.value("select 'in'") == "in"
        for stream in half_open:
            stream.close()
        await fresh.close()
        await inside.close()

    aio(scenario())


@pytest.mark.slow  # and a sanitizer's own memory would be counted
def test_a_slow_reader_costs_bounded_memory(launch, database, client, aio):
    """200 MB are asked for and nobody reads them: they stay at the database."""
    weir = launch(database, max_connections=4)
    sql = ("select repeat('x', 1000) from generate_series(1, 200000)" if client.is_postgres else
           "with recursive g(n) as (select 1 union all select n + 1 from g where n < 900) "
           "select repeat('x', 250000) from g")

    async def scenario():
        reader = await client(weir.port)
        other = await client(weir.port)
        before = weir.resident_kib()
        reader.stream.reader._limit = 1 << 16
        reader.stream.writer.transport.pause_reading()
        if client.is_postgres:
            reader.send(pgwire.query(sql))
        else:
            reader.command(mywire.COM_QUERY, sql.encode())
        for number in range(100):
            assert await other.value(f"select '{number}'") == str(number)
            await asyncio.sleep(0.01)
        grown = weir.resident_kib() - before
        reader.abort()
        assert await other.value("select 'fine'") == "fine"
        await other.close()
        return grown

    assert aio(scenario()) < 8192


@pytest.mark.slow  # and a sanitizer's own memory would be counted
def test_a_huge_bind_costs_bounded_memory(launch, postgres, aio):
    """One value of 100 MB streams through, by name and without."""
    weir = launch(postgres, max_connections=2)
    size, piece = 100 << 20, b"x" * (1 << 20)

    async def scenario():
        one = await pgwire.PgConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        (await one.extended("select 1")).check()
        before = weir.resident_kib()
        highest = before
        for name in ("", "s"):
            one.send(pgwire.parse(name, "select length($1::text)"))
            head = b"\0" + name.encode() + b"\0" + struct.pack("!hhi", 0, 1, size)
            one.send(b"B" + struct.pack("!i", 4 + len(head) + size + 2) + head)
            for _ in range(size // len(piece)):
                one.stream.write(piece)
                await one.stream.drain()
                highest = max(highest, weir.resident_kib())
            one.send(struct.pack("!h", 0), pgwire.execute(), pgwire.SYNC)
            assert (await one.answer()).value() == str(size)
        await one.close()
        return highest - before

    assert aio(scenario()) < 8192


def test_random_bytes_for_a_while(strict, pg_client, my_client, aio):
    async def trouble(client, port, make):
        for _ in range(60):
            connection = await client(port)
            data = bytearray(make())
            for _ in range(random.randrange(1, 6)):
                data[random.randrange(len(data))] = random.randrange(256)
            connection.stream.write(bytes(data))
            try:
                await connection.stream.drain()
                await asyncio.wait_for(connection.stream.reader.read(100), 0.05)
            except (Lost, OSError, asyncio.TimeoutError):
                pass
            connection.abort()

    def pg_message():
        return (pgwire.parse("", "select 1") + pgwire.bind("", "") + pgwire.execute()
                + pgwire.SYNC + pgwire.query("select 1"))

    def my_message():
        return b"\x09\0\0\0\x03select 1" + b"\x09\0\0\0\x16select ?"

    for client, port, make in ((pg_client, strict.ports["postgres"], pg_message),
                               (my_client, strict.ports["mysql"], my_message)):
        in_the_middle(aio, client, port, trouble(client, port, make))


NONSENSE = {
    "nothing": b"", "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "zeros": bytes(5000), "negative length": b"R\xff\xff\xff\xff" + bytes(8),
    "huge message": b"\xff\xff\xff\0\x0a" + bytes(100),
    "ready before login": pgwire.message(b"Z", b"I"),
    "wants an unknown method": pgwire.message(b"R", struct.pack("!i", 99)),
}


@pytest.mark.parametrize("protocol", ["postgresql", "mysql"])
@pytest.mark.parametrize("name", NONSENSE)
def test_a_backend_that_talks_nonsense(launch, postgres, mysql, aio, protocol, name):
    """Its clients get an error or a close; clients of the sane backend beside it notice nothing."""
    sane = postgres if protocol == "postgresql" else mysql
    client = Client(sane)

    class Mad:
        address = f"{HOST}:{free_port()}"

    Mad.protocol = protocol

    async def scenario():
        async def serve(_, writer):
            writer.write(NONSENSE[name])
            writer.close()

        server = await asyncio.start_server(serve, HOST, int(Mad.address.split(":")[1]))
        weir = await asyncio.get_running_loop().run_in_executor(None, lambda: launch(
            {"mad": Mad, "sane": sane}, ready=False, config={
                "backends": {"mad": {"tls": {"mode": "disable"}}},
                "timeouts": {"client_login_timeout": "2s", "query_wait_timeout": "1s",
                             "connect_backoff_max": "200ms"}}))
        weir.expect_any_error()

        async def trouble():
            with pytest.raises((DatabaseError, Lost)):
                connection = await client.kind.connect(HOST, weir.ports["mad"], USER, PASSWORD,
                                                       DATABASE)
                await connection.value("select 1")

        await witness(client, weir.ports["sane"], asyncio.ensure_future(trouble()))
        server.close()
        await asyncio.get_running_loop().run_in_executor(None, weir.stop)

    aio(scenario())
