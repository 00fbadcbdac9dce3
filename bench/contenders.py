"""Who stands between the load and the database: Weirpool, its peers where they are installed, the
floor, and nothing at all. Each with the same number of backends, in front of the same server."""

import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import proxy
from servers import DATABASE, HOST, PASSWORD, USER, free_port
from weirtest.poll import until

CORES = os.cpu_count() or 1
# A folder with usr/bin and usr/sbin where peers are looked for before PATH; ./dev bench sets it.
PEERS = os.environ.get("WEIRPOOL_PEERS", "")
BACKENDS = 20
MANY_CLIENTS = 12000
LIBC = ctypes.CDLL(None)
# Poolers that refuse to run as root run as this one.
OWNER = "postgres"


def installed(program):
    """The path of a program, or None."""
    folders = [f"{PEERS}/usr/bin", f"{PEERS}/usr/sbin"] if PEERS else []
    return shutil.which(program, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))


def children(pid):
    """A process and everything below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text(encoding="ascii").split()]
    return found


def cpu_clock(pid):
    """The clock of a process's CPU time, which counts nanoseconds where /proc counts ticks."""
    clock = ctypes.c_int()
    error = LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return clock.value


class Contender:
    """One program in front of one server. `threads` is 1 or the number of cores."""

    name = ""
    protocols = ()
    pools = True  # shares backends, so that clients may outnumber them
    prepares = True  # knows protocol-level prepared statements while it shares backends
    spreads = True  # has a way to use more than one core
    backends = BACKENDS
    elasticity = "off"  # Weirpool's admission.elasticity
    queue_target = None  # and admission.queue_target; None: the default
    short = False  # named without its threads

    def __init__(self, server, folder, threads):
        self.server = server
        self.threads = threads
        self.folder = Path(folder) / f"{self.name}-{threads}".lower().replace(" ", "-")
        self.port = free_port()
        self.processes = []

    @classmethod
    def find(cls):
        """The program's path, or None where it is not installed."""
        return installed(cls.program)

    @classmethod
    def version(cls):
        out = subprocess.run([cls.find(), "--version"], text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        number = re.search(r"\d+\.\d+(?:\.\d+)?", out)
        return f"{cls.name} {number[0]}" if number else cls.name

    @property
    def label(self):
        if self.short or not self.spreads:
            return self.name
        return f"{self.name}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for parent in (self.folder, self.folder.parent):
            parent.chmod(0o755)
        self.launch()
        until(self.accepts, f"{self.label} accepts connections", 60, 0.1)
        return self

    def launch(self):
        raise NotImplementedError

    def spawn(self, *command, owner=None, environment=None):
        as_owner = []
        if owner and os.geteuid() == 0:
            user = pwd.getpwnam(owner)
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
            as_owner = ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--init-groups", "--"]
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(
                [*as_owner, *(str(part) for part in command)], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd=self.folder,
                env={**os.environ, **(environment or {})}))

    def accepts(self):
        for process in self.processes:
            if process.poll() is not None:
                raise RuntimeError(f"ended with {process.returncode} at its start")
        return self.server.answers(self.port)

    def log_tail(self):
        """The last of what it said."""
        return "".join(path.read_text(errors="replace")[-2000:]
                       for path in self.folder.glob("*log"))

    def pids(self):
        return [pid for process in self.processes for pid in children(process.pid)]

    def cpu_seconds(self):
        return sum(time.clock_gettime(cpu_clock(pid)) for pid in self.pids())

    def resident_bytes(self):
        """Private and shared pages of all its processes, shared ones once."""
        total = 0
        for pid in self.pids():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * 1024
        return total

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        self.processes = []


class Direct(Contender):
    """Nothing in between: what the database and the load generator do alone."""

    name = "direct"
    protocols = ("postgresql", "mysql")
    pools = False
    spreads = False
    program = "true"

    @classmethod
    def version(cls):
        return None

    def launch(self):
        self.port = self.server.port

    def cpu_seconds(self):
        return 0.0


class Weirpool(Contender):
    name = "Weirpool"
    protocols = ("postgresql", "mysql")

    @classmethod
    def find(cls):
        return str(proxy.BINARY)

    @classmethod
    def version(cls):
        out = subprocess.run([cls.find(), "version"], text=True, check=True,
                             stdout=subprocess.PIPE).stdout
        return f"{cls.name} {out.split()[1]}"

    def launch(self):
        self.weir = proxy.Weirpool(
            self.folder, {"db": self.server}, max_connections=self.backends,
            config=proxy.as_it_comes(
                workers=self.threads, log={"level": "warn"},
                backends={"db": {"tls": {"mode": "disable"}}},
                limits={"max_client_conn": MANY_CLIENTS},
                admission={"elasticity": self.elasticity,
                           **({"queue_target": self.queue_target} if self.queue_target else {})},
                users=self.server.extra_users()),
            listener_tls={"mode": "allow", "cert_file": str(self.server.tls_cert),
                          "key_file": str(self.server.tls_key)})
        self.port = self.weir.port
        try:
            self.weir.start()
        finally:
            self.processes = [self.weir.process] if self.weir.process else []


class Floor(Contender):
    name = "floor (no authentication)"
    protocols = ("postgresql",)
    prepares = False
    spreads = False

    @classmethod
    def find(cls):
        path = proxy.BINARY.parent.parent / "bench" / "floor"
        return str(path) if path.exists() else None

    @classmethod
    def version(cls):
        return None

    def launch(self):
        self.spawn(self.find(), self.port, self.server.port, self.server.trusted_user, DATABASE,
                   self.backends)


class PgBouncer(Contender):
    """One process has one thread; more cores are used by more processes on one port, each with its
    part of the backends."""

    name = "PgBouncer"
    program = "pgbouncer"
    protocols = ("postgresql",)

    def launch(self):
        number = re.search(r"(\d+)\.(\d+)", self.version())
        self.prepares = (int(number[1]), int(number[2])) >= (1, 21)
        (self.folder / "users.txt").write_text("".join(
            f'"{user}" "{PASSWORD}"\n' for user in (USER, *self.server.extra_users())))
        for number in range(self.threads):
            ini = self.folder / f"pgbouncer-{number}.ini"
            ini.write_text(f"""[databases]
* = host={HOST} port={self.server.port}
[pgbouncer]
listen_addr = {HOST}
listen_port = {self.port}
unix_socket_dir =
so_reuseport = {int(self.threads > 1)}
auth_type = scram-sha-256
auth_file = {self.folder}/users.txt
pool_mode = transaction
default_pool_size = {self.backends // self.threads}
max_db_connections = {self.backends // self.threads}
max_client_conn = {MANY_CLIENTS}
server_tls_sslmode = disable
client_tls_sslmode = allow
client_tls_cert_file = {self.folder}/tls.pem
client_tls_key_file = {self.folder}/tls.key
log_connections = 0
log_disconnections = 0
log_pooler_errors = 0
stats_period = 600
""" + ("max_prepared_statements = 200\n" if self.prepares else ""))
            for source, name in ((self.server.tls_cert, "tls.pem"), (self.server.tls_key, "tls.key")):
                shutil.copyfile(source, self.folder / name)
            self.spawn(self.find(), ini, owner=OWNER)


class Odyssey(Contender):
    name = "Odyssey"
    program = "odyssey"
    protocols = ("postgresql",)

    def launch(self):
        users = "".join(f"""
  user "{user}" {{
    authentication "scram-sha-256"
    password "{PASSWORD}"
    storage "pg"
    storage_db "{DATABASE}"
    storage_user "{user}"
    storage_password "{PASSWORD}"
    pool "transaction"
    pool_size {self.backends}
    pool_reserve_prepared_statement yes
    pool_discard no
    pool_cancel yes
    pool_rollback yes
    client_fwd_error yes
    log_debug no
  }}""" for user in (USER, *self.server.extra_users()))
        (self.folder / "odyssey.conf").write_text(f"""daemonize no
log_to_stdout yes
log_format "%p %t %l [%i %s] (%c) %m\\n"
log_config no
log_debug no
log_session no
log_query no
log_stats no
workers {self.threads}
resolvers 1
readahead 8192
cache_coroutine 64
coroutine_stack_size 16
nodelay yes
keepalive 15
client_max {MANY_CLIENTS}
listen {{ host "{HOST}" port {self.port} backlog 1024 tls "disable" }}
storage "pg" {{ type "remote" host "{HOST}" port {self.server.port} tls "disable" }}
database "{DATABASE}" {{{users}
}}
""")
        self.spawn(self.find(), self.folder / "odyssey.conf", owner=OWNER)


class HaProxy(Contender):
    """Passes TCP on, connection by connection: the floor of a proxy that does not pool."""

    name = "HAProxy (TCP)"
    program = "haproxy"
    protocols = ("postgresql", "mysql")
    pools = False

    @classmethod
    def version(cls):
        out = subprocess.run([cls.find(), "-v"], text=True, check=True,
                             stdout=subprocess.PIPE).stdout
        return f"HAProxy {re.search(r'[0-9.]+', out)[0]}"

    def launch(self):
        (self.folder / "haproxy.cfg").write_text(f"""global
  nbthread {self.threads}
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen db
  bind {HOST}:{self.port}
  server db {HOST}:{self.server.port}
""")
        self.spawn(self.find(), "-db", "-f", self.folder / "haproxy.cfg")


class MySqlRouter(Contender):
    """With connection sharing, which is what it calls pooling by transaction."""

    name = "MySQL Router"
    program = "mysqlrouter"
    protocols = ("mysql",)

    def launch(self):
        # Below a private root its own idea of where plugins are does not hold.
        plugins = Path(self.find()).parents[1] / "lib" / "mysqlrouter" / "plugin"
        for name in ("tls.pem", "tls.key"):
            source = self.server.tls_cert if name == "tls.pem" else self.server.tls_key
            shutil.copyfile(source, self.folder / name)
        (self.folder / "router.conf").write_text(f"""[DEFAULT]
max_total_connections={MANY_CLIENTS}
plugin_folder={plugins}
logging_folder=
runtime_folder={self.folder}
data_folder={self.folder}
[logger]
level=WARNING
[io]
threads={self.threads}
[connection_pool]
max_idle_server_connections={self.backends}
[routing:db]
bind_address={HOST}
bind_port={self.port}
destinations={HOST}:{self.server.port}
routing_strategy=first-available
protocol=classic
connection_sharing=1
connection_sharing_delay=0
client_ssl_mode=PREFERRED
server_ssl_mode=DISABLED
client_ssl_key={self.folder}/tls.key
client_ssl_cert={self.folder}/tls.pem
max_connections={MANY_CLIENTS}
max_connect_errors=4294967295
""")
        self.spawn(self.find(), "-c", self.folder / "router.conf", owner=OWNER)


ALL = (Direct, Floor, HaProxy, Weirpool, PgBouncer, Odyssey, MySqlRouter)
# Peers that Debian does not package and that nothing here knows how to configure.
UNKNOWN = {"ProxySQL": ("proxysql", ("postgresql", "mysql")), "MaxScale": ("maxscale", ("mysql",))}


def chosen(name, wanted):
    return not wanted or any(word.lower() in name.lower() for word in wanted)


def contenders(server, folder, wanted=None, quick=False):
    """Every installed one that speaks the server's protocol, with one thread and with all cores; where
    it is to be quick, only Weirpool with all cores."""
    found = []
    for kind in ALL:
        if server.protocol not in kind.protocols or not kind.find():
            continue
        if not chosen(kind.name, wanted):
            continue
        spreads = kind.spreads and CORES > 1 and (kind is Weirpool or not quick)
        counts = (1, CORES) if spreads else (1,)
        found += [kind(server, folder, threads) for threads in counts]
    return found


def absent(protocol, wanted=None):
    """Name of each peer of that protocol that does not take part, and why."""
    found = {kind.name: "not installed" for kind in ALL
             if protocol in kind.protocols and not kind.find()}
    for name, (program, protocols) in UNKNOWN.items():
        if protocol in protocols:
            found[name] = ("installed, but contenders.py has no configuration for it"
                           if installed(program) else "not installed")
    return {name: why for name, why in found.items() if chosen(name, wanted)}
