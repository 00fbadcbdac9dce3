"""Backends that compress, whatever the client does."""

import asyncio
import hashlib

import pymysql
import pytest

import servers
from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire

ALGORITHMS = ["zlib", "zstd"]


def offered(server, algorithm):
    return algorithm == "zlib" or not isinstance(server, servers.MariaDbServer)


@pytest.mark.parametrize("encrypted", ["disable", "require"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_travels_to_the_server_is_compressed(launch, mysql_like, aio, algorithm, encrypted):
    # Two that are lent, of both workers; a third is kept for ending statements.
    weir = launch(mysql_like, max_connections=3, config={"backends": {"db": {
        "compression": algorithm, "allow_public_key_retrieval": True,
        "tls": {"mode": encrypted}}}})
    noise = "".join(hashlib.sha512(str(i).encode()).hexdigest() for i in range(4000))

    async def one():
        client = await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE)
        # Of its own session: in a transaction, on one backend.
        await client.query("begin")
        status = (await client.query("show session status like 'compression'")).rows
        assert status[0][1] == (b"ON" if offered(mysql_like, algorithm) else b"OFF")
        if not isinstance(mysql_like, servers.MariaDbServer):
            named = await client.query("show session status like 'compression_algorithm'")
            assert named.rows[0][1] == algorithm.encode()
        before = await received(client)
        assert await client.value("select repeat('weir', 500000)") == "weir" * 500000
        assert await client.value(f"select '{noise}'") == noise
        took = await received(client) - before
        # The server counts what it reads before it is unpacked: half a megabyte of hexadecimal
        # digits is a quarter of one.
        assert took < len(noise) * 0.7 or not offered(mysql_like, algorithm), took
        await client.query("rollback")
        for value in range(40):
            assert await client.value(f"select '{value}'") == str(value)
        await client.close()

    async def received(client):
        (row,) = (await client.query("show session status like 'bytes_received'")).rows
        return int(row[1])

    async def many():
        await asyncio.gather(*(one() for _ in range(6)))

    aio(many())
    assert weir.metrics().total("weirpool_server_connections_opened_total") <= 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_files_and_large_packets(launch, mysql_like, tmp_path, algorithm):
    mysql_like.execute("set global local_infile = 1")
    mysql_like.execute(f"create table {DATABASE}.packed (n int, t longtext)")
    try:
        weir = launch(mysql_like, config={"backends": {"db": {
            "compression": algorithm, "allow_public_key_retrieval": True}}})
        file = tmp_path / "rows"
        file.write_text("".join(f"{n}\tline {n}\n" for n in range(200000)))
        connection = pymysql.connect(host=HOST, port=weir.port, user=USER, password=PASSWORD,
                                     database=DATABASE, local_infile=True, autocommit=True,
                                     max_allowed_packet=64 << 20)
        with connection.cursor() as cursor:
            for rounds in range(1, 4):  # a new command behind files of any number of packets
                cursor.execute(f"load data local infile '{file}' into table packed")
                assert cursor.rowcount == 200000
                cursor.execute("select count(*), sum(n) from packed")
                assert cursor.fetchone() == (200000 * rounds, 19999900000 * rounds)
            for size in ((16 << 20) - 40, 17 << 20, 33 << 20):
                text = "0123456789abcdef" * (size // 16)
                cursor.execute("select %s", (text,))
                assert cursor.fetchone()[0] == text
        connection.close()
    finally:
        mysql_like.execute(f"drop table {DATABASE}.packed")
