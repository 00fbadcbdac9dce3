"""What an application sees through Weirpool is what it sees without: every driver plays its scenario
directly and through Weirpool in several ways, and the transcripts must be equal.

  plain       as it is
  crowded     two backends that compress, and others who change every setting between any two
              statements
  bytes       one byte per segment, DEPRECATE_EOF and SESSION_TRACK hidden from both sides; beside
              `masked bytes`, the server itself with the same hidden, where drivers differ by
              themselves
  eofs        the same with the former hidden alone, untracked with the latter; some drivers only
  tls         encrypted
  compressed  where the driver can
"""

import json
import os
import subprocess
import threading
from pathlib import Path

import pymysql
import pytest

import proxy
import servers
from mysql.relay import Relay
from servers import DATABASE, HOST, PASSWORD, USER, newest

CLIENTS = Path(__file__).resolve().parent / "clients"
CONNECTOR = "/usr/share/java/mariadb-java-client.jar"
SESSION_TRACK, DEPRECATE_EOF = 1 << 23, 1 << 24
HIDDEN = {"bytes": SESSION_TRACK | DEPRECATE_EOF, "eofs": DEPRECATE_EOF, "untracked": SESSION_TRACK}
OTHER_SETTINGS = ("set names latin1", "set time_zone = '+11:00'", "set sql_mode = ''", "use other",
                  "set autocommit = 0", "set session transaction isolation level serializable",
                  "set max_join_size = 4711")


class Crowd:
    """Clients that leave every backend set to something else, all the time."""

    def __init__(self, port):
        self.port = port
        self.over = threading.Event()
        self.failure = None
        self.rounds = 0
        self.threads = [threading.Thread(target=self._live, daemon=True) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def _live(self):
        try:
            while not self.over.is_set():
                one = pymysql.connect(host=HOST, port=self.port, user=USER, password=PASSWORD,
                                      database=DATABASE)
                with one.cursor() as cursor:
                    for _ in range(20):
                        for statement in OTHER_SETTINGS:
                            cursor.execute(statement)
                        self.rounds += 1
                        if self.over.wait(0.002):
                            break
                one.close()
        except Exception as error:  # noqa: BLE001: shown by stop()
            self.failure = error

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
        assert self.failure is None, self.failure
        assert self.rounds > 0


class Places:
    """The ways to one server."""

    def __init__(self, server, folder, certificates):
        self.server = server
        self.certificates = certificates
        self.common = {"host": HOST, "user": USER, "password": PASSWORD, "database": DATABASE,
                       "other": "other", "ca": str(certificates.ca), "large": 17 << 20}
        backend = {"backends": {"db": {"allow_public_key_retrieval": True}}}
        self.plain = proxy.Weirpool(folder / "plain", {"db": server}, config=backend, listener_tls={
            "mode": "allow", "cert_file": str(certificates.cert),
            "key_file": str(certificates.key)})
        # Two that are lent; a third is kept for ending statements.
        compression = "zlib" if isinstance(server, servers.MariaDbServer) else "zstd"
        self.narrow = proxy.Weirpool(
            folder / "narrow", {"db": server}, max_connections=3,
            config={"backends": {"db": {**backend["backends"]["db"], "compression": compression}}})
        self.relays = {}
        self.crowd = None

    def start(self):
        self.server.execute("set global local_infile = 1")  # MySQL's default is off
        self.plain.start()
        self.narrow.start()
        for name, hidden in HIDDEN.items():
            self.relays["masked " + name] = Relay(self.server.port, hidden)
            self.relays[name] = Relay(self.narrow.port, hidden)
        self.crowd = Crowd(self.narrow.port)

    def stop(self):
        self.crowd.stop()
        for relay in self.relays.values():
            relay.close()
        self.plain.stop()
        self.narrow.stop()

    def kill(self):
        self.plain.kill()
        self.narrow.kill()

    def list(self, compress, direct=True, tls=True, hidden=("bytes",)):
        places = [{"name": "direct", "port": self.server.port}] if direct else []
        places += [{"name": "plain", "port": self.plain.port},
                   {"name": "crowded", "port": self.narrow.port}]
        for name in hidden:
            names = ("masked " + name, name) if direct else (name,)
            places += [{"name": one, "port": self.relays[one].port} for one in names]
        if tls:
            places.append({"name": "tls", "port": self.plain.port, "tls": True})
        if compress:
            places.append({"name": "compressed", "port": self.plain.port, "compress": True})
        return [{**self.common, **place} for place in places]


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def places(request, tmp_path_factory, certificates):
    made = Places(request.getfixturevalue(request.param), tmp_path_factory.mktemp("ways"),
                  certificates)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        made.kill()


def differences(transcripts):
    """Of every way from the one it has to be like, step by step."""
    first = next(iter(transcripts))
    found = []
    for name, seen in transcripts.items():
        if name == first or name.startswith("masked"):
            continue
        like = "masked " + name if "masked " + name in transcripts else first
        wanted = transcripts[like]
        assert len(wanted) > 20, f"{like} saw only {wanted}"
        for one, two in zip(wanted, seen):
            if one != two:
                found.append(f"{name}, {one[0]}:\n  {like}: {str(one)[:900]}\n  {name}: "
                             f"{str(two)[:900]}")
        if len(wanted) != len(seen):
            found.append(f"{name}: {len(seen)} steps, {like} has {len(wanted)}")
    return "\n".join(found)


@pytest.fixture
def compare(program, places):
    def go(*command, compress=False, direct=True, tls=True, hidden=("bytes",), env=None):
        ways = places.list(compress, direct, tls, hidden)
        out = program(*command, stdin=json.dumps(ways), env=env, timeout=300)
        told = json.loads(out)
        transcripts = {way["name"]: told.pop(way["name"]) for way in ways}
        assert told == {}
        assert differences(transcripts) == ""

    return go


@pytest.mark.parametrize("driver", ["pymysql", "mysqlclient"])
def test_python(compare, driver):
    compare("/usr/bin/python3", CLIENTS / "dbapi.py", driver, compress=driver == "mysqlclient")


@pytest.mark.parametrize("driver", ["mysql2", "mariadb"])
def test_node(compare, node_modules, driver):
    compare("node", CLIENTS / "differential.js", driver, compress=driver == "mysql2",
            hidden=HIDDEN, env={"NODE_PATH": str(node_modules)})


def test_node_mysql(compare, places, node_modules):
    """A driver that knows mysql_native_password only cannot speak to MySQL 9; through Weirpool it
    can."""
    compare("node", CLIENTS / "differential.js", "mysql", tls=False,
            direct=isinstance(places.server, servers.MariaDbServer),
            env={"NODE_PATH": str(node_modules)})


OPTIONS = ("allowMultiQueries=true&allowLocalInfile=true&allowPublicKeyRetrieval=true"
           "&maxAllowedPacket=67108864")


@pytest.mark.parametrize("options", [
    "", "&useServerPrepStmts=true&cachePrepStmts=true", "&useServerPrepStmts=true&useBulkStmts=true",
    "&useAffectedRows=true&rewriteBatchedStatements=true"])
def test_mariadb_connector_j(places, program, options):
    """One run of the Java machine for every way. Without DEPRECATE_EOF this driver looks into the EOF
    behind the columns for the mark of OUT parameters."""
    command = []
    for way in places.list(compress=True):
        more = OPTIONS + options + "".join((
            "&sslMode=trust" if way.get("tls") else "",
            "&useCompression=true" if way.get("compress") else ""))
        url = f"jdbc:mariadb://{HOST}:{way['port']}/{DATABASE}?{more}"
        command += [way["name"], url]
    out = program("java", "-cp", CONNECTOR, CLIENTS / "Differential.java", USER, PASSWORD,
                  places.common["large"], *command, timeout=300)
    assert differences(json.loads(out)) == ""


def test_go_sql_driver(compare):
    cache = os.environ.get("GOCACHE") or "/var/cache/weirpool/go"
    compare("go", "run", CLIENTS / "differential.go", env={
        "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": cache, "GOFLAGS": ""})


@pytest.mark.parametrize("driver", ["mysqli", "pdo", "pdo-native"])
def test_php(compare, driver):
    compare("php", "-d", "memory_limit=512M", CLIENTS / "differential.php", driver, compress=True)


@pytest.mark.parametrize("client", ["mysql", "mariadb"])
def test_command_line(places, client):
    """The shells, talking to a pipe; errors do not stop them. MySQL's cannot speak to MariaDB, and
    does through Weirpool."""
    direct = client == "mariadb" or not isinstance(places.server, servers.MariaDbServer)
    shell = newest("mysql") / "usr" / "bin" / "mysql" if client == "mysql" else "mariadb"
    command = (str(shell), "--no-defaults")
    script = (CLIENTS / "command_line.sql").read_bytes()
    transcripts = {}
    for way in places.list(compress=True, direct=direct):
        places.server.execute(f"drop table if exists {DATABASE}.d_c")
        places.server.execute(f"drop procedure if exists {DATABASE}.d_w")
        flags = ["-h", HOST, "-P", str(way["port"]), "-u", USER, f"-p{PASSWORD}", "-f", "-v", "-v",
                 "--local-infile=1", "--default-character-set=utf8mb4", "--show-warnings"]
        encrypted = way.get("tls")
        if client == "mysql":
            flags += ["--ssl-mode=" + ("REQUIRED" if encrypted else "DISABLED"),
                      "--get-server-public-key"]
        else:
            flags += ["--ssl"] if encrypted else ["--skip-ssl"]
        if way.get("compress"):
            flags += (["--compression-algorithms=zstd", "--zstd-compression-level=7"]
                      if client == "mysql" else ["--compress"])
        done = subprocess.run([*command, *flags, DATABASE], input=script, capture_output=True,
                              timeout=120, check=False)
        text = done.stdout.decode() + done.stderr.decode()
        lines = [line for line in text.splitlines() if "sec)" not in line and "insecure" not in line]
        transcripts[way["name"]] = [[number, line] for number, line in enumerate(lines)]
    assert differences(transcripts) == ""
