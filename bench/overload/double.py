"""The database double and the open-loop clients as processes."""

import json
import subprocess
import tempfile
from pathlib import Path

import proxy
from databases import BenchMySql, BenchPostgres
from judge import events_of
from servers import DATABASE, HOST, PASSWORD, USER, free_port, run
from turns import say

PROGRAMS = proxy.BINARY.parent.parent / "bench"
CONNECT = {"postgresql": BenchPostgres.connect, "mysql": BenchMySql.connect}


class Double:
    """A database server to contenders.py; what it does is turned by knobs, see double.cpp."""

    DEFAULTS = {"service_us": 20000, "spread": 1, "alpha": 0, "beta": 0, "connections": 400,
                "connect_us": 2000, "hold": 0}

    def __init__(self, protocol, folder):
        self.protocol, self.port = protocol, free_port()
        self.address = f"{HOST}:{self.port}"
        self.tls_cert, self.tls_key = self.certificate(Path(folder), protocol)
        self.process = subprocess.Popen(
            [PROGRAMS / "database_double", f"protocol={protocol}", f"port={self.port}"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    @staticmethod
    def certificate(folder, protocol):
        """What a proxy shows: of the kind that is cheap to prove, as its owner would choose it,
        where all contenders take one."""
        cert, key = folder / "double.pem", folder / "double.key"
        elliptic = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        run("openssl", "req", "-x509", "-newkey",
            *(("rsa:2048",) if protocol == "mysql" else elliptic),
            "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost")
        return cert, key

    def extra_users(self):
        return {}

    def answers(self, port):
        return BenchPostgres.answers(self, port)

    def connect(self, port, user):
        return CONNECT[self.protocol](port, user)

    def order(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def turn(self, **knobs):
        for knob, value in knobs.items():
            self.order(knob, value)

    def reset(self, **knobs):
        """As it was at its start but for these knobs; what it has counted is forgotten."""
        self.order("live")
        self.turn(**{**self.DEFAULTS, **knobs})
        self.order("forget")

    def stats(self):
        self.order("stats")
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Load:
    """Clients that run until their schedule ends; `flows`: dictionaries of what clients.cpp knows.
    `nice`: as if they had a machine of their own, they take no core from the others."""

    def __init__(self, contender, flows, deadline_ms=1000, nice=0, **more):
        self.folder = tempfile.TemporaryDirectory(prefix="weirpool-clients-")
        self.record = Path(self.folder.name) / "record"
        words = {"protocol": contender.server.protocol, "port": contender.port, "user": USER,
                 "password": PASSWORD, "database": DATABASE, "record": self.record,
                 "deadline_ms": deadline_ms, **more}
        for number, flow in enumerate(flows):
            words = [*(words.items() if isinstance(words, dict) else words), ("flow", number),
                     *flow.items()]
        self.process = subprocess.Popen(
            ["nice", "-n", str(nice), PROGRAMS / "overload_clients", *(f"{key}={value}" for key, value in words)],
            text=True, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def events(self, seconds):
        """Waits for the end; everything that happened."""
        try:
            said = self.process.communicate(timeout=seconds)[0].strip()
            say(f"      {said}")
            if self.process.returncode:
                raise RuntimeError(f"the clients ended with {self.process.returncode}")
            return events_of(self.record.read_bytes())
        finally:
            self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()
        self.folder.cleanup()
