"""More work for one event loop than it can do: connections that ask and ask and never wait.

`python3 -m weirtest.flood BYTES FD...` writes BYTES (hexadecimal) to the inherited sockets as fast
as they take them and discards what comes back, until it is killed."""

import os
import selectors
import subprocess
import sys
from pathlib import Path

BLOCK = 1 << 16


class Flood:
    """`connections` (of a wire client, logged in) send `request` without end while this is open;
    they are of no use for anything else afterwards."""

    def __init__(self, connections, request):
        self.connections = connections
        self.request = request
        self.process = None

    def __enter__(self):
        for one in self.connections:
            one.stream.writer.transport.pause_reading()
        sockets = [one.stream.writer.get_extra_info("socket").fileno() for one in self.connections]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "weirtest.flood", self.request.hex(), *map(str, sockets)],
            pass_fds=sockets, cwd=Path(__file__).parents[1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for one in self.connections:
            one.stream.abort()


def pour(request, sockets):
    block = request * (BLOCK // len(request))
    sent = dict.fromkeys(sockets, 0)
    ready = selectors.DefaultSelector()
    for fd in sockets:
        os.set_blocking(fd, False)
        ready.register(fd, selectors.EVENT_READ | selectors.EVENT_WRITE)
    while True:
        for key, events in ready.select():
            if events & selectors.EVENT_READ and not os.read(key.fd, BLOCK):
                sys.exit(f"the flood's connection {key.fd} was closed")
            if events & selectors.EVENT_WRITE:
                taken = os.write(key.fd, block[sent[key.fd]:])
                sent[key.fd] = (sent[key.fd] + taken) % len(block)


if __name__ == "__main__":
    pour(bytes.fromhex(sys.argv[1]), [int(fd) for fd in sys.argv[2:]])
