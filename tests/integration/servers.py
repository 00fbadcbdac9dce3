"""Throw-away real database servers on free loopback ports, each in a folder that goes with it."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg2
import pymysql

from weirtest.poll import until

HERE = Path(__file__).resolve().parent
NEWEST_SERVER = HERE.parent / "support" / "newest_server.sh"
HOST = "127.0.0.1"
USER, PASSWORD, DATABASE = "app", "secret-of-app-7431", "app"
CERTIFIED_USER = "certified"  # PostgreSQL: comes in by certificate
TOKEN_USER = "tokens"  # PostgreSQL: is asked for the password itself
LEGACY_USER, LEGACY_PASSWORD = "legacy", "secret-of-legacy-9128"


# Each worker of a run side by side has ports of its own, all of them below those that the kernel gives
# to outgoing connections; none is given out again soon, and another run begins elsewhere.
PORTS_EACH = 2000
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
FIRST_PORT = 12000 + WORKER % 10 * PORTS_EACH
PORTS = itertools.cycle(FIRST_PORT + (os.getpid() + i) % PORTS_EACH for i in range(PORTS_EACH))


def free_port():
    for port in itertools.islice(PORTS, PORTS_EACH):
        with socket.socket() as sock:
            try:
                sock.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def run(*command, **options):
    """Runs to the end; the output is in the failure."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=options.pop("timeout", 300), **options)
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


class Certificates:
    """One authority with a certificate for localhost, and a stranger's authority."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self._authority("ca")
        self.other_ca = self._authority("other-ca")
        self.cert, self.key = self._issue("server", "localhost", "DNS:localhost,IP:127.0.0.1")
        self.wrong_cert, self.wrong_key = self._issue(
            "wrong-name", "elsewhere.example", "DNS:elsewhere.example")
        # Names of users; what a client shows.
        self.app_cert, self.app_key = self._issue("client-app", USER, f"DNS:{USER}")
        self.node_cert, self.node_key = self._issue("client-node", "node-1", "DNS:node-1")

    def _authority(self, name):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem",
            "-days", "2", "-subj", f"/CN=weirpool test {name}")
        return self.folder / f"{name}.pem"

    def _issue(self, name, common_name, alternatives):
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        cert, extension = self.folder / f"{name}.pem", self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternatives}\n")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request,
            "-subj", f"/CN={common_name}")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
            self.folder / "ca.key", "-CAcreateserial", "-days", "2", "-out", cert,
            "-extfile", extension)
        return cert, key

    def for_owner(self, folder, owner):
        """Copies of certificate, key and authority; the key is `owner`'s, as servers demand."""
        pair = []
        for source, name in ((self.cert, "tls.pem"), (self.key, "tls.key")):
            target = Path(folder) / name
            shutil.copyfile(source, target)
            target.chmod(0o600)
            shutil.chown(target, owner)
            pair.append(target)
        return [*pair, Path(shutil.copy(self.ca, Path(folder) / "ca.pem"))]


class DatabaseServer:
    """A process of a database server; `stop` ends it and removes its folder."""

    protocol = ""
    owner = ""
    stop_signal = signal.SIGTERM

    def __init__(self, certificates):
        self.folder = Path(tempfile.mkdtemp(prefix="weirpool-test-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.process = None
        self.log = self.folder / "server.log"
        self.data = self.folder / "data"
        # MariaDB removes what looks like its own from the folder for temporary files when it starts.
        self.temporary = self.folder / "tmp"
        for folder in (self.data, self.temporary):
            folder.mkdir()
            shutil.chown(folder, self.owner)
        self.environment = {**os.environ, "TMPDIR": str(self.temporary)}
        self.tls_cert, self.tls_key, self.ca = certificates.for_owner(
            self.folder, self.owner)

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    def launch(self, *command):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment)

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the server died:\n{self.log.read_text()[-3000:]}")
        try:
            self.admin().close()
            return True
        except (psycopg2.Error, pymysql.Error, OSError):
            return False

    @classmethod
    def create(cls, certificates):
        """A running server, filled; nothing stays behind if that fails."""
        self = cls(certificates)
        try:
            self.prepare()
            self.start()
            self.fill()
        except BaseException:
            self.stop()
            raise
        return self

    def prepare(self):
        raise NotImplementedError

    def fill(self):
        raise NotImplementedError

    def start(self):
        self.spawn()
        until(self.ready, f"{type(self).__name__} accepts connections", 90, 0.1)

    def halt(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            self.process.wait(60)

    def stop(self):
        try:
            self.halt()
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait(10)
            shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self):
        raise NotImplementedError

    def admin(self):
        raise NotImplementedError

    def execute(self, sql, *arguments):
        connection = self.admin()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments or None)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def value(self, sql, *arguments):
        return self.execute(sql, *arguments)[0][0]


def newest(name):
    """The folder of a server that this Debian release does not package; unpacked once a machine."""
    return Path(run(NEWEST_SERVER, name, timeout=900).splitlines()[-1])


class PostgresServer(DatabaseServer):
    """The release that Debian packages."""

    protocol = "postgresql"
    owner = "postgres"
    stop_signal = signal.SIGINT  # "fast": does not wait for clients to leave
    count_sql = ("select count(*) from pg_stat_activity where backend_type = 'client backend' "
                 "and usename <> 'postgres'")
    ports_sql = count_sql.replace("count(*)", "client_port")

    def __init__(self, certificates):
        super().__init__(certificates)
        self.bin = self.programs()

    @staticmethod
    def programs():
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert versions, "no PostgreSQL server is installed (package postgresql)"
        return versions[-1].parent

    def prepare(self):
        self.as_owner("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync",
                      "-E", "UTF8", "--locale=C.UTF-8")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"port={self.port}\nlisten_addresses='{HOST}'\nmax_connections=300\n"
                       "max_prepared_transactions=10\n"
                       "shared_buffers=128MB\nfsync=off\nsynchronous_commit=off\n"
                       "full_page_writes=off\nunix_socket_directories=''\nautovacuum=off\n"
                       "log_line_prefix='%m [%p] '\nmax_wal_size=2GB\nssl=on\n"
                       f"ssl_cert_file='{self.tls_cert}'\nssl_key_file='{self.tls_key}'\n"
                       f"ssl_ca_file='{self.ca}'\n")
        (self.data / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\n"
            "host replication all 127.0.0.1/32 scram-sha-256\n"
            f"hostssl all {CERTIFIED_USER} 127.0.0.1/32 cert map=certified\n"
            f"host all {TOKEN_USER} 127.0.0.1/32 password\n"
            f"host all {LEGACY_USER} 127.0.0.1/32 md5\n"
            "host all all 127.0.0.1/32 scram-sha-256\n")

        (self.data / "pg_ident.conf").write_text(f"certified node-1 {CERTIFIED_USER}\n")

    def as_owner(self, program, *arguments):
        return run("setpriv", f"--reuid={self.owner}", f"--regid={self.owner}", "--init-groups",
                   self.bin / program, *arguments, cwd="/")

    def spawn(self):
        self.launch("setpriv", f"--reuid={self.owner}", f"--regid={self.owner}",
                    "--init-groups", self.bin / "postgres", "-D", self.data)

    def admin(self, database="postgres"):
        connection = psycopg2.connect(host=HOST, port=self.port, user="postgres",
                                      dbname=database, connect_timeout=10)
        connection.autocommit = True
        return connection

    def fill(self):
        self.execute(f"create role {USER} login password '{PASSWORD}'")
        for user in (CERTIFIED_USER, TOKEN_USER):
            self.execute(f"create role {user} login")
        self.execute(f"set password_encryption = md5; create role {LEGACY_USER} login password "
                     f"'{LEGACY_PASSWORD}'")
        for database in (DATABASE, "other"):
            self.execute(f"create database {database} owner {USER}")
        run("pgbench", "-h", HOST, "-p", self.port, "-U", USER, "-i", "-s", "5", "-q", DATABASE,
            env={**os.environ, "PGPASSWORD": PASSWORD})

    def kill_all(self):
        """Ends every backend that is not the administrator's; returns how many. All have gone by then:
        a statement that met one in its last moments would hear of it, and rightly so."""
        return self.value("select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity where "
                          "backend_type = 'client backend' and usename <> 'postgres'")


class Postgres18Server(PostgresServer):
    """The first release with protocol 3.2 and its long cancel keys."""

    @staticmethod
    def programs():
        return newest("postgresql") / "usr" / "lib" / "postgresql" / "18" / "bin"


class MySqlLikeServer(DatabaseServer):
    protocol = "mysql"
    owner = "mysql"
    # One that is just logging in may be the administrator; the kernel's count has those.
    count_sql = ("select count(*) from performance_schema.processlist where user not in "
                 "('root', 'unauthenticated user', 'event_scheduler', 'system user')")
    ports_sql = count_sql.replace("count(*)", "substring_index(host, ':', -1)")
    ids_sql = count_sql.replace("count(*)", "id")
    sysbench = ("--tables=4", "--table-size=5000")

    def admin(self, database=None):
        return pymysql.connect(host=HOST, port=self.port, user="root", password="",
                               database=database, autocommit=True, connect_timeout=10)

    def kill_all(self):
        connection = self.admin()
        killed = set()
        with connection.cursor() as cursor:
            cursor.execute(self.ids_sql)
            for (number,) in cursor.fetchall():
                try:
                    cursor.execute(f"kill {number}")
                    killed.add(number)
                except pymysql.Error:
                    continue  # gone by itself

            def gone():
                cursor.execute(self.ids_sql)
                return killed.isdisjoint(number for (number,) in cursor.fetchall())

            until(gone, "who was killed has gone")
        connection.close()
        return len(killed)

    def fill(self):
        self.execute(f"create user {USER}@'%%' identified by '{PASSWORD}'")
        for database in (DATABASE, "other", "sbtest"):
            self.execute(f"create database {database}")
        # On everything: a user without a right on a database is told 1044, not 1049.
        self.execute(f"grant all on *.* to {USER}@'%%'")
        run("sysbench", "oltp_read_write", *self.sysbench, "--db-driver=mysql",
            f"--mysql-host={HOST}", f"--mysql-port={self.port}", "--mysql-user=root",
            "--mysql-db=sbtest", "prepare")


class MariaDbServer(MySqlLikeServer):
    count_sql = ("select count(*) from information_schema.processlist where user not in "
                 "('root', 'unauthenticated user', 'event_scheduler', 'system user')")
    ports_sql = count_sql.replace("count(*)", "substring_index(host, ':', -1)")
    ids_sql = count_sql.replace("count(*)", "id")

    def prepare(self):
        run("mariadb-install-db", "--no-defaults", f"--user={self.owner}",
            f"--datadir={self.data}", "--auth-root-authentication-method=normal",
            "--skip-test-db", env=self.environment)

    def fill(self):
        self.execute("delete from mysql.global_priv where user = ''")
        self.execute("flush privileges")
        super().fill()

    def spawn(self):
        self.launch("mariadbd", "--no-defaults", f"--user={self.owner}", f"--datadir={self.data}",
                    f"--port={self.port}", f"--bind-address={HOST}",
                    f"--socket={self.data}/s.sock", f"--pid-file={self.data}/pid",
                    "--max-connections=400", "--innodb-flush-log-at-trx-commit=0",
                    "--max-allowed-packet=64M", "--innodb-buffer-pool-size=128M",
                    f"--ssl-ca={self.ca}", f"--ssl-cert={self.tls_cert}",
                    f"--ssl-key={self.tls_key}")


class MySqlServer(MySqlLikeServer):
    def mysqld(self, *options):
        base = newest("mysql")
        return (base / "usr" / "sbin" / "mysqld", "--no-defaults", f"--user={self.owner}",
                f"--basedir={base}/usr", f"--datadir={self.data}",
                f"--lc-messages-dir={base}/usr/share/mysql",
                f"--character-sets-dir={base}/usr/share/mysql/charsets",
                f"--plugin-dir={base}/usr/lib/mysql/plugin", "--secure-file-priv=", "--mysqlx=OFF",
                "--skip-log-bin", *options)

    def prepare(self):
        run(*self.mysqld("--initialize-insecure"), env=self.environment)

    def spawn(self):
        self.launch(*self.mysqld(
            f"--port={self.port}", f"--bind-address={HOST}", f"--socket={self.data}/mysql.sock",
            f"--pid-file={self.data}/mysql.pid", "--max-connections=400",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF",
            "--max-allowed-packet=64M", "--innodb-buffer-pool-size=128M",
            f"--ssl-ca={self.ca}", f"--ssl-cert={self.tls_cert}", f"--ssl-key={self.tls_key}"))


class Peak:
    """Counts what the database itself sees, again and again, until the `with` block ends.

    `killing`: somebody kills sessions meanwhile. MySQL and MariaDB close the connection of a
    killed session at once and show its row until its thread has noticed, so that only rows with a
    connection that is still there count.
    """

    def __init__(self, server, process_id=None, port=None, killing=False):
        self.server = server
        self.process_id = process_id
        self.port = port or server.port
        self.killing = killing
        self.highest = 0  # rows that the database shows
        self.sockets = 0  # connections that the kernel shows
        self.samples = 0
        self._stop = None
        self._thread = None
        self._failure = None

    def _own_ports(self):
        """Local ports of the process's established connections to the server, by the kernel."""
        if self.process_id is None:
            return set()
        inodes = set()
        base = f"/proc/{self.process_id}/fd"
        for name in os.listdir(base):
            try:
                link = os.readlink(f"{base}/{name}")
            except OSError:
                continue
            if link.startswith("socket:["):
                inodes.add(link[8:-1])
        wanted = f":{self.port:04X}"
        found = set()  # the kernel repeats rows of a table that changes while it is read
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table:
                part = line.split()
                if part[2].endswith(wanted) and part[3] == "01" and part[9] in inodes:
                    found.add(int(part[1].split(":")[1], 16))
        return found

    def _watch(self):
        try:
            connection = self.server.admin()
            with connection.cursor() as cursor:
                while not self._stop.wait(0.05):
                    cursor.execute(self.server.ports_sql)
                    rows = [int(port) for (port,) in cursor.fetchall()]
                    own = self._own_ports()
                    counted = own.intersection(rows) if self.killing else rows
                    self.highest = max(self.highest, len(counted))
                    self.sockets = max(self.sockets, len(own))
                    self.samples += 1
            connection.close()
        except Exception as error:
            self._failure = error

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)
        assert self._failure is None, self._failure

    def stayed_within(self, bound, beside=0):
        """`beside`: connections that the database does not show, for cancel requests."""
        assert self.samples > 3, f"only {self.samples} samples"
        assert self.highest <= bound and self.sockets <= bound + beside, (
            f"{self.highest} at the database, {self.sockets} by the kernel, {bound} allowed")
