"""A TCP relay in front of a database server that can be held and cut at any moment, on a thread of
its own: what a network does to a connection, without a network."""

import asyncio
import socket
import struct
import threading


class Gate:
    """Stands for `server` (anything with protocol and port) in a configuration."""

    def __init__(self, server, host="127.0.0.1"):
        self.host = host
        self.protocol = server.protocol
        self.server_port = server.port
        self._loop = asyncio.new_event_loop()
        self._open = None
        self._pairs = set()
        self._from_server = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener = self._run(self._start())
        self.port = self._listener.sockets[0].getsockname()[1]

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _start(self):
        self._open = asyncio.Event()
        self._open.set()
        return await asyncio.start_server(self._serve, self.host, 0)

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self._pairs.add(pair)
        await asyncio.gather(self._pump(reader, far_writer, False),
                             self._pump(far_reader, writer, True))
        self._pairs.discard(pair)

    async def _pump(self, reader, writer, from_server):
        try:
            while data := await reader.read(65536):
                if from_server:
                    await self._open.wait()
                    self._from_server += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def hold(self):
        """From now on nothing of what the server says arrives."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def release(self):
        self._loop.call_soon_threadsafe(self._open.set)

    async def _cut(self, reset):
        count = len(self._pairs)
        for near, far in list(self._pairs):
            sock = near.get_extra_info("socket")
            if reset and sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.transport.abort()
            far.transport.abort()
        return count

    def cut(self, reset=False):
        """Ends every connection on both sides, with a FIN or a reset; how many there were."""
        return self._run(self._cut(reset))

    def close(self):
        self._run(self._cut(False))
        self._loop.call_soon_threadsafe(self._listener.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
