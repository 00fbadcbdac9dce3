"""A small PostgreSQL wire client (protocol 3.0) for tests: every message is in the test's hands.

Protocol source: PostgreSQL documentation, chapter "Frontend/Backend Protocol".
"""

import asyncio
import hashlib
import struct

from .scram import ScramClient
from .wire import DatabaseError, Lost, Stream

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)


def startup(parameters, version=196608):
    body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in parameters.items())
    body = struct.pack("!i", version) + body + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def parse(name, sql):
    return message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0))


def bind(portal, statement, values=()):
    body = portal.encode() + b"\0" + statement.encode() + b"\0" + struct.pack("!h", 0)
    body += struct.pack("!h", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else (
            struct.pack("!i", len(value)) + value)
    return message(b"B", body + struct.pack("!h", 0))


def describe_portal(portal=""):
    return message(b"D", b"P" + portal.encode() + b"\0")


def execute(portal="", rows=0):
    return message(b"E", portal.encode() + b"\0" + struct.pack("!i", rows))


def close_statement(name):
    return message(b"C", b"S" + name.encode() + b"\0")


SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")


def cancel_request(process, secret):
    return struct.pack("!ii", 12 + len(secret), 80877102) + struct.pack("!i", process) + secret


def error_of(body):
    fields = {part[:1].decode(): part[1:].decode(errors="replace")
              for part in body.rstrip(b"\0").split(b"\0") if part}
    return DatabaseError(fields.get("C", "?"), fields.get("M", ""), fields)


def row_of(body):
    (count,) = struct.unpack_from("!h", body)
    values, at = [], 2
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        if size < 0:
            values.append(None)
        else:
            values.append(body[at:at + size])
            at += size
    assert at == len(body), "bytes left over behind a data row"
    return tuple(values)


class Answer:
    """Everything up to one ReadyForQuery: rows, command tags, errors, notifications as (channel,
    payload), transaction status."""

    def __init__(self):
        self.rows = []
        self.tags = []
        self.errors = []
        self.heard = []
        self.kinds = ""
        self.copied = b""
        self.status = "?"

    def value(self):
        self.check()
        return self.rows[0][0].decode()

    def check(self):
        if self.errors:
            raise self.errors[0]
        return self


class PgConn:
    def __init__(self):
        self.stream = Stream()
        self.parameters = {}
        self.process = 0
        self.secret = b""
        self.flow = ""  # message kinds received during the login, for comparing two logins

    @classmethod
    async def connect(cls, host, port, user, password, database, tls=None, timeout=20.0, **more):
        self = cls()
        try:
            await asyncio.wait_for(
                self._connect(host, port, user, password, database, tls, more), timeout)
        except BaseException:
            self.stream.close()
            raise
        return self

    async def _connect(self, host, port, user, password, database, tls, more):
        await self.stream.open(host, port)
        if tls is not None:
            self.stream.write(SSL_REQUEST)
            answer = await self.stream.read(1)
            if answer != b"S":
                raise Lost(f"no TLS: {answer!r}")
            await self.stream.start_tls(tls)
        self.stream.write(startup({"user": user, "database": database, **more}))
        await self.login(user, password)

    async def receive(self):
        head = await self.stream.read(5)
        kind, size = head[:1], struct.unpack("!i", head[1:])[0]
        assert 4 <= size < 1 << 30, f"a message of {size} bytes"
        return kind, await self.stream.read(size - 4)

    async def login(self, user, password):
        scram = ScramClient(password)
        while True:
            kind, body = await self.receive()
            self.flow += kind.decode()
            if kind == b"R":
                self._authenticate(struct.unpack_from("!i", body)[0], body[4:], user, password,
                                   scram)
            elif kind == b"S":
                name, value = body.rstrip(b"\0").split(b"\0") if body.count(b"\0") == 2 and (
                    body[-2:] != b"\0\0") else (body.split(b"\0")[0], b"")
                self.parameters[name.decode()] = value.decode()
            elif kind == b"K":
                self.process, self.secret = struct.unpack_from("!i", body)[0], body[4:]
            elif kind == b"E":
                raise error_of(body)
            elif kind == b"Z":
                assert body == b"I", body
                return
            else:
                assert kind in (b"N", b"v"), f"{kind!r} during the login"

    def _authenticate(self, method, body, user, password, scram):
        self.flow += str(method)
        if method == 0:
            return
        if method == 3:
            self.stream.write(message(b"p", password.encode() + b"\0"))
        elif method == 5:
            inner = hashlib.md5((password + user).encode()).hexdigest()
            outer = hashlib.md5(inner.encode() + body[:4]).hexdigest()
            self.stream.write(message(b"p", b"md5" + outer.encode() + b"\0"))
        elif method == 10:
            assert b"SCRAM-SHA-256" in body.split(b"\0"), body
            first = scram.first()
            self.stream.write(message(
                b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
        elif method == 11:
            self.stream.write(message(b"p", scram.final(body)))
        elif method == 12:
            scram.verify(body)
        else:
            raise AssertionError(f"authentication method {method}")

    def send(self, *messages):
        self.stream.write(b"".join(messages))

    async def answer(self, timeout=30.0):
        """Reads up to the next ReadyForQuery; Lost if the connection ends before it."""
        try:
            return await asyncio.wait_for(self._answer(), timeout)
        except asyncio.TimeoutError:
            raise AssertionError(f"no answer within {timeout} s") from None

    async def _answer(self):
        got = Answer()
        while True:
            try:
                kind, body = await self.receive()
            except Lost:
                if got.errors:  # a FATAL error, then the end: that one is the news
                    raise got.errors[-1] from None
                raise
            got.kinds += kind.decode()
            if kind == b"Z":
                got.status = body.decode()
                return got
            if kind == b"D":
                got.rows.append(row_of(body))
            elif kind == b"C":
                got.tags.append(body.rstrip(b"\0").decode())
            elif kind == b"E":
                got.errors.append(error_of(body))
            elif kind == b"d":
                got.copied += body
            elif kind == b"A":
                got.heard.append(tuple(body[4:-1].decode().split("\0")))
            elif kind == b"G":
                return got
            else:
                assert kind in b"TNS123nstIHcW", f"unexpected {kind!r}"

    async def query(self, sql, timeout=30.0):
        self.send(query(sql))
        return await self.answer(timeout)

    async def value(self, sql, timeout=30.0):
        return (await self.query(sql, timeout)).value()

    async def extended(self, sql, values=(), name="", timeout=30.0):
        self.send(parse(name, sql), bind("", name, values), describe_portal(), execute(), SYNC)
        return await self.answer(timeout)

    async def close(self):
        try:
            self.stream.write(TERMINATE)
            await self.stream.drain()
        except Lost:
            pass
        self.stream.close()

    def abort(self):
        self.stream.abort()


async def cancel(host, port, process, secret):
    """Sends a cancel request and waits until the other side has closed."""
    stream = Stream()
    await stream.open(host, port)
    stream.write(cancel_request(process, secret))
    await stream.at_end()
    stream.close()
