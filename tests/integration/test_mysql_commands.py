"""Commands beside COM_QUERY, cursors of old clients, the binary log, and what servers do to idle
connections, against real servers."""

import asyncio
import struct

import pytest

import servers
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire
from weirtest.mywire import DEPRECATE_EOF, INTERACTIVE
from weirtest.poll import until
from weirtest.wire import DatabaseError, Lost

FIELD_LIST, REFRESH, STATISTICS, PROCESS_INFO, DEBUG = 4, 7, 9, 10, 13
BINLOG_DUMP, BINLOG_DUMP_GTID, NO_WAIT = 18, 30, 1
OLD = mywire.CAPABILITIES & ~DEPRECATE_EOF


async def connect(weir, capabilities=mywire.CAPABILITIES):
    return await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, charset=0,
                                       capabilities=capabilities)


@pytest.fixture
def weir(launch, mysql_like):
    return launch(mysql_like, max_connections=2, config={"workers": 1})


async def packets(one):
    """Bodies of one reply: they end with the answer to a PING sent behind it."""
    heard = [await one.receive()]
    if heard[0][0] == 0 or heard[0][0] == 0xFF:
        return heard
    while heard[-1][0] not in (0xFE, 0xFF):
        heard.append(await one.receive())
    return heard


# ------------------------------------------------------------------------------------- commands


@pytest.mark.parametrize("capabilities", [mywire.CAPABILITIES, OLD])
@pytest.mark.parametrize("code, argument", [
    (FIELD_LIST, b"listed\0%"), (FIELD_LIST, b"nowhere\0"), (REFRESH, b"\x01"), (DEBUG, b""),
    (PROCESS_INFO, b""), (STATISTICS, b"")])
def test_commands_are_the_servers_own(weir, mysql_like, aio, code, argument, capabilities):
    """What the server answers, or that it does not know them any more; the session goes on."""
    mysql_like.execute(f"create table if not exists {DATABASE}.listed (a int, b varchar(9))")

    async def heard(target):
        one = await connect(target, capabilities)
        one.command(code, argument)
        if code == STATISTICS:
            reply = [(await one.receive())[:8]]
        elif code == PROCESS_INFO:
            first = await one.receive()
            reply = [first[:3]]
            if first[0] != 0xFF:  # columns, their EOF, rows that differ, the end
                ends = 1 if capabilities & DEPRECATE_EOF else 2
                while ends:
                    ends -= (await one.receive())[0] == 0xFE
        else:
            reply = [body[:1] if body[0] in (0, 0xFE) else body for body in await packets(one)]
        await one.ping()
        one.command(mywire.COM_INIT_DB, DATABASE.encode())
        await one.receive()
        await one.close()
        return reply

    assert aio(heard(weir)) == aio(heard(mysql_like))
    mysql_like.execute(f"drop table {DATABASE}.listed")


def test_a_cursor_of_a_client_without_deprecate_eof(weir, mysql_like, aio):
    """Packet by packet as the server: what is open, how much each FETCH brings, the last row."""
    async def heard(target):
        one = await connect(target, OLD)
        one.command(mywire.COM_STMT_PREPARE,
                    b"select 'a' union all select 'b' union all select 'c'")
        statement, columns, _ = struct.unpack_from("<IHH", await one.receive(), 1)
        for _ in range(columns + 1):
            await one.receive()
        one.command(mywire.COM_STMT_EXECUTE, struct.pack("<IBI", statement, 1, 1))
        replies = [await packets(one)]
        for rows in (1, 1, 5):
            one.command(mywire.COM_STMT_FETCH, struct.pack("<II", statement, rows))
            reply = [await one.receive()]
            while reply[-1][0] not in (0xFE, 0xFF):
                reply.append(await one.receive())
            replies.append(reply)
        one.command(mywire.COM_STMT_FETCH, struct.pack("<II", statement, 1))
        replies.append([(await one.receive())[:3]])  # behind the end: an error
        await one.ping()
        await one.close()
        # Of a status: whether a cursor is open, and whether it has ended.
        return [[body[:3] + bytes([body[3] & 0xC0]) if body[0] == 0xFE else body
                 for body in reply] for reply in replies]

    rows = aio(heard(weir))
    assert rows == aio(heard(mysql_like))
    assert [len(reply) for reply in rows[:2]] == [3, 2]


# ------------------------------------------------------------------------------------- the log


class LoggingMySql(servers.MySqlServer):
    def mysqld(self, *options):
        own = [part for part in super().mysqld(*options) if part != "--skip-log-bin"]
        return (*own, "--log-bin=weir", "--server-id=7", "--gtid-mode=ON",
                "--enforce-gtid-consistency=ON")


@pytest.fixture(scope="module")
def logging_mysql(certificates):
    one = LoggingMySql.create(certificates)
    yield one
    one.stop()


async def events_of(port, code, file):
    """Of one log to its end, as a replica that does not wait for more gets them."""
    one = await mywire.MyConn.connect(HOST, port, USER, PASSWORD, DATABASE, charset=0)
    await one.query("set @source_binlog_checksum = @@global.binlog_checksum, "
                    "@master_binlog_checksum = @@global.binlog_checksum")
    name = file.encode()
    if code == BINLOG_DUMP:
        one.command(code, struct.pack("<IHI", 4, NO_WAIT, 99) + name)
    else:
        one.command(code, struct.pack("<HII", NO_WAIT, 99, len(name)) + name +
                    struct.pack("<QIQ", 4, 8, 0))
    heard = [await one.receive()]
    while heard[-1][0] == 0:
        heard.append(await one.receive())
    await one.close()
    # Behind the first byte, an event's header begins with when it was made up or logged.
    return [(body[5:18], body[18:22] if body[5] != 4 else b"", body[24:]) for body in heard[:-1]], \
        heard[-1][:1]


@pytest.mark.slow
@pytest.mark.parametrize("code", [BINLOG_DUMP, BINLOG_DUMP_GTID])
def test_the_binary_log_is_read_through(launch, logging_mysql, aio, code):
    weir = launch(logging_mysql, max_connections=2, config={"workers": 1})
    logging_mysql.execute("flush binary logs")
    log = logging_mysql.execute("show binary logs")[-1][0]
    logging_mysql.execute(f"create table {DATABASE}.logged (text longtext)")
    logging_mysql.execute(f"insert into {DATABASE}.logged values (repeat('x', 17000000))")
    logging_mysql.execute(f"drop table {DATABASE}.logged")
    straight, end = aio(events_of(logging_mysql.port, code, log))
    through, same_end = aio(events_of(weir.port, code, log))
    assert len(through) > 5 and through == straight and end == same_end == b"\xfe"

    async def others():
        one = await connect(weir)
        assert await one.value("select 'served'") == "served"
        assert await one.value("select @source_binlog_checksum is null") == "1"
        await one.close()

    aio(others())


# ----------------------------------------------------------------------------------- leave-taking


@pytest.mark.parametrize("before, last", [
    ("do 1", "commit release"), ("do 1", "/* bye */ rollback work and no chain release"),
    ("set completion_type = 'release'", "commit"), ("set @@completion_type = 2", "rollback"),
    ("do 1", "prepared")])
def test_who_is_next_in_line_never_meets_a_server_that_has_been_released(
        weir, mysql_like, aio, before, last):
    """The server closes behind its OK; who has asked for that hears the end of its stream."""
    async def scenario():
        one, two = await connect(weir), await connect(weir)
        await one.query(before)
        await one.query("begin")
        statement = await one.prepare("commit release") if last == "prepared" else None
        in_line = asyncio.ensure_future(two.value("select 'served'"))
        await asyncio.wait([in_line], timeout=0.1)
        assert not in_line.done()
        await (one.query(last) if statement is None else one.execute(statement))
        with pytest.raises((Lost, asyncio.IncompleteReadError)):
            await asyncio.wait_for(one.receive(), 10)
        assert await in_line == "served"
        await two.query("begin")
        await two.query("commit and chain")
        assert await two.value("select 'kept'") == "kept"
        await two.query("commit")
        await two.close()

    aio(scenario())


# ------------------------------------------------------------------------------------- idleness


def test_an_impatient_client_is_left_alone_with_it(weir, mysql_like, aio):
    """wait_timeout ends who has set it, and nobody else finds it on its backend. INTERACTIVE makes
    no difference: what a server takes its wait_timeout from there, at a login, is the backend's."""
    async def scenario():
        one, two = await connect(weir, mywire.CAPABILITIES | INTERACTIVE), await connect(weir)
        before = await two.value("select @@wait_timeout")
        assert await one.value("select @@wait_timeout") == before
        await one.query("set interactive_timeout = 1")
        assert await one.value("select concat(@@interactive_timeout, '/', @@wait_timeout)") == \
            f"1/{before}"
        assert await two.value("select @@interactive_timeout") != "1"
        await one.query("set wait_timeout = 1")
        assert await one.value("select @@wait_timeout") == "1"
        assert await two.value("select @@wait_timeout") == before
        with pytest.raises((Lost, asyncio.IncompleteReadError)):
            one.sequence = 1  # as the answer to what it has not asked yet
            while True:
                assert (await asyncio.wait_for(one.receive(), 15))[0] == 0xFF
        assert await two.value("select @@wait_timeout") == before
        await two.close()

    aio(scenario())


def test_an_idle_backend_that_its_server_closes_is_nobodys_loss(launch, mysql_like, aio):
    """MySQL says 4031 to an idle connection and MariaDB nothing; both close it."""
    before = mysql_like.value("select @@global.wait_timeout")
    mysql_like.execute("set global wait_timeout = 1")
    try:
        weir = launch(mysql_like, max_connections=2, config={"workers": 1})

        async def scenario():
            one = await connect(weir)
            for _ in range(3):
                assert await one.value("select 'served'") == "served"
                await asyncio.get_running_loop().run_in_executor(
                    None, until, lambda: mysql_like.value(mysql_like.count_sql) == 0,
                    "the server has closed it", 30)
            await one.close()

        aio(scenario())
    finally:
        mysql_like.execute(f"set global wait_timeout = {before}")


def test_a_transaction_that_its_server_ends_is_told_once(launch, mysql_like, aio):
    """By wait_timeout, or MariaDB's idle_transaction_timeout (1927): the session stays."""
    maria = isinstance(mysql_like, servers.MariaDbServer)
    setting = "idle_transaction_timeout" if maria else "wait_timeout"
    before = mysql_like.value(f"select @@global.{setting}")
    mysql_like.execute(f"set global {setting} = 1")
    mysql_like.execute(f"create table if not exists {DATABASE}.ended (i int) engine = innodb")
    try:
        weir = launch(mysql_like, max_connections=2, config={"workers": 1})

        async def scenario():
            one = await connect(weir)
            await one.query("begin")
            await one.query("insert into ended values (1)")
            await asyncio.get_running_loop().run_in_executor(
                None, until, lambda: mysql_like.value(mysql_like.count_sql) == 0,
                "the server has closed it", 30)
            with pytest.raises(DatabaseError) as caught:
                await one.query("insert into ended values (2)")
            assert caught.value.code == 1213
            await one.query("rollback")
            assert await one.value("select count(*) from ended") == "0"
            await one.close()

        aio(scenario())
    finally:
        mysql_like.execute(f"set global {setting} = {before}")
        mysql_like.execute(f"drop table {DATABASE}.ended")
