"""A small MySQL wire client (protocol 4.1) for tests: text and prepared queries, no compression.

Protocol source: MySQL internals documentation, "Client/Server Protocol".
"""

import asyncio
import hashlib
import struct

from .rsa import encrypt_oaep
from .wire import DatabaseError, Lost, Stream

LONG_PASSWORD, FOUND_ROWS, CONNECT_WITH_DB, LOCAL_FILES = 1, 2, 8, 128
PROTOCOL_41, SSL, TRANSACTIONS, SECURE_CONNECTION = 1 << 9, 1 << 11, 1 << 13, 1 << 15
MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS = 1 << 16, 1 << 17, 1 << 18
PLUGIN_AUTH, DEPRECATE_EOF, QUERY_ATTRIBUTES = 1 << 19, 1 << 24, 1 << 27
LENENC_PROOF, INTERACTIVE = 1 << 21, 1 << 10
CAPABILITIES = (LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | MULTI_STATEMENTS
                | MULTI_RESULTS | PS_MULTI_RESULTS | PLUGIN_AUTH | DEPRECATE_EOF)
IN_TRANSACTION, MORE_RESULTS, CURSOR_EXISTS, LAST_ROW_SENT = 1, 8, 64, 128
COM_QUIT, COM_INIT_DB, COM_QUERY, COM_PROCESS_KILL, COM_PING, COM_CHANGE_USER = 1, 2, 3, 12, 14, 17
COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_LONG_DATA, COM_STMT_CLOSE = 22, 23, 24, 25
COM_STMT_RESET, COM_STMT_FETCH, COM_RESET = 26, 28, 31
VAR_STRING = 253
COUNTED = 8  # PARAMETER_COUNT_AVAILABLE, of an EXECUTE


def lenenc(data, at):
    first = data[at]
    if first < 251:
        return first, at + 1
    if first == 251:
        return None, at + 1
    width = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + width], "little"), at + 1 + width


def lenenc_bytes(text):
    size = len(text)
    if size < 251:
        return bytes([size]) + text
    return (b"\xfc" + struct.pack("<H", size) if size < 65536 else
            b"\xfd" + struct.pack("<I", size)[:3]) + text


def native_scramble(password, nonce):
    if not password:
        return b""
    one = hashlib.sha1(password.encode()).digest()
    two = hashlib.sha1(nonce + hashlib.sha1(one).digest()).digest()
    return bytes(a ^ b for a, b in zip(one, two))


def sha2_scramble(password, nonce):
    if not password:
        return b""
    one = hashlib.sha256(password.encode()).digest()
    two = hashlib.sha256(hashlib.sha256(one).digest() + nonce).digest()
    return bytes(a ^ b for a, b in zip(one, two))


def scramble(plugin, password, nonce, secure=False):
    """What a plugin says first: a proof, the password itself, or the request for a key."""
    if plugin == b"mysql_clear_password" or (plugin == b"sha256_password" and secure):
        return password.encode() + b"\0"
    if plugin == b"sha256_password":
        return b"\x01" if password else b"\0"
    return {b"mysql_native_password": native_scramble,
            b"caching_sha2_password": sha2_scramble}[plugin](password, nonce)


def error_of(body):
    code = struct.unpack_from("<H", body, 1)[0]
    text = body[3:]
    state = ""
    if text[:1] == b"#":
        state, text = text[1:6].decode(), text[6:]
    return DatabaseError(code, text.decode(errors="replace"), {"state": state})


class Answer:
    """All results of one command, rows in order."""

    def __init__(self):
        self.rows = []
        self.results = 0
        self.status = 0
        self.affected = 0
        self.last_id = 0

    def value(self):
        return self.rows[0][0].decode()


class MyConn:
    def __init__(self):
        self.stream = Stream()
        self.sequence = 0
        self.logging_in = True
        self.greeting = {}
        self.status = 0
        self.flow = ""
        self.capabilities = 0
        self.secure = False
        self.columns = {}  # of each prepared statement

    @classmethod
    async def connect(cls, host, port, user, password, database=None, tls=None, timeout=20.0,
                      plugin=None, capabilities=CAPABILITIES, charset=45):
        """`charset`: a collation's id; 0: the server's default."""
        self = cls()
        try:
            await asyncio.wait_for(self._connect(
                host, port, user, password, database, tls, plugin, capabilities, charset), timeout)
        except BaseException:
            self.stream.close()
            raise
        self.logging_in = False
        return self

    async def receive(self):
        payload = b""
        while True:
            head = await self.stream.read(4)
            size = head[0] | head[1] << 8 | head[2] << 16
            body = await self.stream.read(size)
            # An error may be sent before the login is read, and meet it on the way.
            crossed = self.logging_in and head[3] == self.sequence - 1 and body[:1] == b"\xff"
            assert crossed or head[3] == self.sequence, f"sequence {head[3]}, wanted {self.sequence}"
            self.sequence = (head[3] + 1) & 255
            payload += body
            if size < 0xFFFFFF:
                return payload

    def send(self, payload):
        at = 0
        while True:
            part = payload[at:at + 0xFFFFFF]
            self.stream.write(struct.pack("<I", len(part))[:3] + bytes([self.sequence]) + part)
            self.sequence = (self.sequence + 1) & 255
            at += len(part)
            if len(part) < 0xFFFFFF:
                return

    def command(self, code, body=b""):
        self.sequence = 0
        self.send(bytes([code]) + body)

    async def _connect(self, host, port, user, password, database, tls, plugin, capabilities,
                       charset):
        await self.stream.open(host, port)
        body = await self.receive()
        if body[0] == 0xFF:
            raise error_of(body)
        nonce, offered = self._read_greeting(body)
        plugin = plugin or offered
        wanted = capabilities | (CONNECT_WITH_DB if database else 0) | (SSL if tls else 0)
        wanted &= self.greeting["capabilities"] | CONNECT_WITH_DB
        head = struct.pack("<IIB23x", wanted, 1 << 24, charset)
        if tls is not None:
            if not wanted & SSL:
                raise Lost("no TLS offered")
            self.send(head)
            await self.stream.start_tls(tls)
        secret = scramble(plugin, password, nonce, tls is not None)
        self.capabilities, self.secure = wanted, tls is not None
        sized = lenenc_bytes(secret) if wanted & LENENC_PROOF else bytes([len(secret)]) + secret
        login = head + user.encode() + b"\0" + sized
        if database:
            login += database.encode() + b"\0"
        self.send(login + plugin + b"\0")
        await self._finish_login(plugin, password, nonce, tls is not None)

    def _read_greeting(self, body):
        assert body[0] == 10, f"protocol {body[0]}"
        end = body.index(b"\0", 1)
        at = end + 1
        thread = struct.unpack_from("<I", body, at)[0]
        nonce = body[at + 4:at + 12]
        low, charset, status, high, size = struct.unpack_from("<HBHHB", body, at + 13)
        at += 13 + 8 + 10
        rest = max(13, size - 8)
        nonce += body[at:at + rest]
        plugin = body[at + rest:].split(b"\0")[0]
        self.greeting = {"version": body[1:end].decode(), "thread": thread, "charset": charset,
                         "status": status, "capabilities": low | high << 16, "plugin": plugin}
        return nonce[:20], plugin

    async def _finish_login(self, plugin, password, nonce, secure):
        while True:
            body = await self.receive()
            self.flow += f"{body[0]:02x}"
            if body[0] == 0x00:
                _, at = lenenc(body, 1)
                _, at = lenenc(body, at)
                self.status = struct.unpack_from("<H", body, at)[0]
                return
            if body[0] == 0xFF:
                raise error_of(body)
            if body[0] == 0xFE:
                name, rest = body[1:].split(b"\0", 1)
                self.flow += name.decode()
                plugin, nonce = name, rest[:20]
                self.send(scramble(plugin, password, nonce, secure))
            elif body == b"\x01\x04" and secure:
                self.send(password.encode() + b"\0")
            elif body == b"\x01\x04":
                self.send(b"\x02")  # asks for the public key
            elif body[:2] == b"\x01-":
                self.flow += "key"
                clear = password.encode() + b"\0"
                self.send(encrypt_oaep(body[1:], bytes(
                    byte ^ nonce[at % len(nonce)] for at, byte in enumerate(clear))))
            else:
                assert body == b"\x01\x03", body

    async def _result(self, got, binary):
        body = await self.receive()
        got.results += 1
        if body[0] == 0xFF:
            raise error_of(body)
        if body[0] == 0x00:
            got.affected, at = lenenc(body, 1)
            got.last_id, at = lenenc(body, at)
            return struct.unpack_from("<H", body, at)[0]
        columns, at = lenenc(body, 0)
        assert at == len(body), "bytes left over behind a column count"
        for _ in range(columns):
            await self.receive()
        return await self._rows(got, columns, binary)

    async def _rows(self, got, columns, binary):
        while True:
            body = await self.receive()
            if body[0] == 0xFF:
                raise error_of(body)
            if body[0] == 0xFE and len(body) < 0xFFFFFF:
                _, at = lenenc(body, 1)
                _, at = lenenc(body, at)
                return struct.unpack_from("<H", body, at)[0]
            got.rows.append(self._binary_row(body, columns) if binary else
                            self._text_row(body, columns))

    @staticmethod
    def _text_row(body, columns):
        values, at = [], 0
        for _ in range(columns):
            size, at = lenenc(body, at)
            values.append(None if size is None else body[at:at + size])
            at += size or 0
        assert at == len(body), "bytes left over behind a row"
        return tuple(values)

    @staticmethod
    def _binary_row(body, columns):
        """Rows of strings only: every tested statement casts its columns to CHAR."""
        at = 1 + (columns + 9) // 8
        values = []
        for column in range(columns):
            if body[1 + (column + 2) // 8] >> ((column + 2) % 8) & 1:
                values.append(None)
                continue
            size, at = lenenc(body, at)
            values.append(body[at:at + size])
            at += size
        assert at == len(body), "bytes left over behind a binary row"
        return tuple(values)

    async def answer(self, binary=False, timeout=30.0):
        try:
            return await asyncio.wait_for(self._answer(binary), timeout)
        except asyncio.TimeoutError:
            raise AssertionError(f"no answer within {timeout} s") from None

    async def _answer(self, binary):
        got = Answer()
        while True:
            got.status = self.status = await self._result(got, binary)
            if not got.status & MORE_RESULTS:
                return got

    @property
    def attributes(self):
        return bool(self.capabilities & QUERY_ATTRIBUTES)

    async def query(self, sql, timeout=30.0):
        none = b"\0\1" if self.attributes else b""
        self.command(COM_QUERY, none + (sql if isinstance(sql, bytes) else sql.encode()))
        return await self.answer(timeout=timeout)

    async def asked_for_file(self):
        """The answer to a LOAD DATA LOCAL; what follows is send() of its pieces, and of nothing."""
        body = await self.receive()
        if body[0] == 0xFF:
            raise error_of(body)
        assert body[0] == 0xFB, body

    async def value(self, sql, timeout=30.0):
        return (await self.query(sql, timeout)).value()

    async def ping(self):
        self.command(COM_PING)
        return await self.answer()

    def start_change_user(self, user, database, plugin):
        """The command; what follows is a login."""
        self.flow = ""
        self.command(COM_CHANGE_USER, user.encode() + b"\0\0" + database.encode() + b"\0" +
                     struct.pack("<H", 45) + plugin + b"\0")

    async def change_user(self, user, password, database, plugin, timeout=30.0):
        self.start_change_user(user, database, plugin)
        await asyncio.wait_for(self._finish_login(plugin, password, b"\0" * 20, self.secure), timeout)

    async def prepare(self, sql):
        self.command(COM_STMT_PREPARE, sql.encode())
        return await self.prepared()

    async def prepared(self):
        """The answer to a PREPARE."""
        body = await self.receive()
        if body[0] == 0xFF:
            raise error_of(body)
        statement, columns, parameters = struct.unpack_from("<IHH", body, 1)
        for _ in range(columns + parameters):  # DEPRECATE_EOF: no terminators in between
            await self.receive()
        self.columns[statement] = columns
        return statement

    async def execute(self, statement, values=(), timeout=30.0, cursor=0, attributes=()):
        """`attributes`: names and values, where they have been negotiated."""
        names = [b""] * len(values) + [name for name, _ in attributes]
        values = [*values, *(value for _, value in attributes)]
        body = struct.pack("<IBI", statement, cursor | self.attributes * COUNTED, 1)
        if self.attributes:
            body += bytes([len(values)])
        if values:
            body += bytes((len(values) + 7) // 8) + b"\x01"
            body += b"".join(struct.pack("<H", VAR_STRING) +
                             (lenenc_bytes(name) if self.attributes else b"") for name in names)
            body += b"".join(lenenc_bytes(value) for value in values)
        self.command(COM_STMT_EXECUTE, body)
        return await self.answer(binary=True, timeout=timeout)

    async def execute_raw(self, statement, kind, value):
        """One parameter, its bytes as they go over the wire; no `kind`: as bound before."""
        name = b"\0" if self.attributes else b""
        bound = b"\0" if kind is None else b"\1" + struct.pack("<H", kind) + name
        head = struct.pack("<IBI", statement, self.attributes * COUNTED, 1)
        head += b"\1" if self.attributes else b""
        self.command(COM_STMT_EXECUTE, head + b"\0" + bound + value)
        return await self.answer(binary=True)

    async def fetch(self, statement, count):
        self.command(COM_STMT_FETCH, struct.pack("<II", statement, count))
        got = Answer()
        got.status = await self._rows(got, self.columns[statement], True)
        return got

    def long_data(self, statement, parameter, data):
        self.command(COM_STMT_LONG_DATA, struct.pack("<IH", statement, parameter) + data)

    async def reset_statement(self, statement):
        self.command(COM_STMT_RESET, struct.pack("<I", statement))
        return await self.answer()

    def close_statement(self, statement):
        self.command(COM_STMT_CLOSE, struct.pack("<I", statement))

    async def close(self):
        try:
            self.command(COM_QUIT)
            await self.stream.drain()
        except Lost:
            pass
        self.stream.close()

    def abort(self):
        self.stream.abort()
