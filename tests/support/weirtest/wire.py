"""A TCP stream that can be cut off at will, and what both wire clients raise."""

import asyncio
import socket
import ssl
import struct


class Lost(Exception):
    """The peer closed the connection or it broke."""


class DatabaseError(Exception):
    """The error answer of a server; `code` is the SQLSTATE or the MySQL error number."""

    def __init__(self, code, message, fields=None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields or {}


class Stream:
    """Reads with exceptions turned into Lost; `abort` answers with a reset, as a dead node does."""

    def __init__(self):
        self.reader = None
        self.writer = None

    source = None  # (address, 0) to come from there
    preface = b""  # sent before anything else, as a load balancer introduces its client

    async def open(self, host, port, timeout=10.0):
        try:
            self.reader, self.writer = await asyncio.wait_for(
                asyncio.open_connection(host, port, limit=1 << 22, local_addr=self.source),
                timeout)
        except (OSError, asyncio.TimeoutError) as error:
            raise Lost(f"connect: {error!r}") from error
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.preface:
            self.writer.write(self.preface)

    async def start_tls(self, context, server_name="localhost"):
        try:
            await self.writer.start_tls(context, server_hostname=server_name)
        except (OSError, ssl.SSLError) as error:
            raise Lost(f"tls: {error!r}") from error

    async def read(self, count):
        try:
            return await self.reader.readexactly(count)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Lost(repr(error)) from error

    async def read_some(self, count=65536):
        try:
            return await self.reader.read(count)
        except OSError as error:
            raise Lost(repr(error)) from error

    def write(self, data):
        if self.writer.is_closing():
            raise Lost("already closed")
        self.writer.write(data)

    async def drain(self):
        try:
            await self.writer.drain()
        except OSError as error:
            raise Lost(repr(error)) from error

    async def at_end(self, timeout=10.0):
        """Discards what comes until the peer closes; Lost by reset counts as closed."""
        try:
            while await asyncio.wait_for(self.read_some(), timeout):
                pass
        except Lost:
            return

    def abort(self):
        sock = self.writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self):
        if self.writer is not None:
            self.writer.close()
