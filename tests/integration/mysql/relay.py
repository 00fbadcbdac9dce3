"""A TCP relay between a driver and Weirpool that makes life hard: bytes arrive one by one, and neither
side offers the other what is to be hidden."""

import socket
import struct
import threading

SINGLE_BYTES = 6000  # so many of each direction come alone; then in odd pieces, or tests take hours
ODD_PIECE = 1021


class Relay:
    def __init__(self, port, hidden_capabilities=0):
        self.target = ("127.0.0.1", port)
        self.hidden = hidden_capabilities
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(self.target) as server:
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                client.sendall(self._masked(self._packet(server)))
                server.sendall(self._masked_answer(self._packet(client)))
            except OSError:
                return
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    @staticmethod
    def _exactly(source, count):
        data = b""
        while len(data) < count:
            part = source.recv(count - len(data))
            if not part:
                raise OSError("ended inside a packet")
            data += part
        return data

    def _packet(self, source):
        head = self._exactly(source, 4)
        return head + self._exactly(source, head[0] | head[1] << 8 | head[2] << 16)

    def _masked_answer(self, packet):
        """Some drivers ask for what has not been offered."""
        flags = struct.unpack_from("<I", packet, 4)[0] & ~self.hidden
        return packet[:4] + struct.pack("<I", flags) + packet[8:]

    def _masked(self, packet):
        if packet[4] != 10:
            return packet
        low = packet.index(b"\0", 5) + 1 + 4 + 8 + 1
        high = low + 2 + 1 + 2
        flags = struct.unpack_from("<H", packet, low)[0] | (
            struct.unpack_from("<H", packet, high)[0] << 16)
        flags &= ~self.hidden
        data = bytearray(packet)
        struct.pack_into("<H", data, low, flags & 0xFFFF)
        struct.pack_into("<H", data, high, flags >> 16)
        return bytes(data)

    @staticmethod
    def _pump(source, sink):
        passed = 0
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                at = 0
                while at < len(data):
                    size = 1 if passed < SINGLE_BYTES else ODD_PIECE
                    sink.sendall(data[at:at + size])
                    at += size
                    passed += size
        except OSError:
            for one in (source, sink):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
