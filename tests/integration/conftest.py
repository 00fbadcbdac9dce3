"""Fixtures: the real servers once per run, a Weirpool per test or per file."""

import asyncio
import fcntl
import hashlib
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import proxy  # noqa: E402
import servers  # noqa: E402
from weirtest import mywire, pgwire  # noqa: E402

CACHE = Path(os.environ.get("WEIRPOOL_CACHE") or Path(
    os.environ.get("XDG_CACHE_HOME", "/var/cache")) / "weirpool")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the same checks with more time")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than about ten seconds")
    config.addinivalue_line("markers", "long: runs with --long only")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    kept = [item for item in items if item.get_closest_marker("long") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Beside a failure stands what each Weirpool of the test said last."""
    report = (yield).get_result()
    if report.when != "call" or not report.failed:
        return
    used = [item.funcargs[name] for name in ("weir",) if name in item.funcargs]
    used += getattr(item.funcargs.get("launch"), "running", [])
    for one in used:
        report.sections.append((f"log of {one.folder.name}", one.tail()))


@pytest.fixture(scope="session")
def long(request):
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return servers.Certificates(tmp_path_factory.mktemp("tls"))


def _server(kind):
    @pytest.fixture(scope="session")
    def server(certificates):
        one = kind.create(certificates)
        yield one
        one.stop()

    return server


postgres = _server(servers.PostgresServer)
postgres18 = _server(servers.Postgres18Server)
mariadb = _server(servers.MariaDbServer)
mysql = _server(servers.MySqlServer)


@pytest.fixture(params=["postgres", "postgres18"])
def any_postgres(request):
    """A test that takes it runs against both releases."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["mysql", "mariadb"])
def mysql_like(request):
    """A test that takes it runs against both."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["postgres", "mysql", "mariadb"])
def database(request):
    """A test that takes it runs against all three."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def launch(tmp_path):
    """launch({"name": server}, …) -> a ready Weirpool, stopped and judged at the end."""
    running = []

    def start(backends, ready=True, **options):
        if not isinstance(backends, dict):
            backends = {"db": backends}
        folder = tmp_path / f"weirpool-{len(running)}"
        one = proxy.Weirpool(folder, backends, **options)
        try:
            one.start(ready)
        except BaseException:
            one.kill()
            raise
        running.append(one)
        return one

    start.running = running
    yield start
    failures = []
    for one in running:
        try:
            if one.process is not None:
                one.stop()
        except AssertionError as error:
            failures.append(error)
    if failures:
        raise failures[0]


@pytest.fixture(scope="module")
def weir(tmp_path_factory, postgres, mysql, mariadb):
    """One Weirpool in front of all servers for the tests of a file that leave it as it was."""
    one = proxy.Weirpool(tmp_path_factory.mktemp("weir"),
                         {"postgres": postgres, "mysql": mysql, "mariadb": mariadb})
    try:
        one.start()
        yield one
        one.stop()
    finally:
        one.kill()


@pytest.fixture
def aio():
    """Runs a coroutine to its end; nothing may take longer than the deadline."""

    def go(coroutine, seconds=90):
        async def bounded():
            return await asyncio.wait_for(coroutine, seconds)

        return asyncio.run(bounded())

    return go


class Client:
    """Opens wire clients of a server's protocol, so that one test serves both."""

    def __init__(self, server):
        self.is_postgres = server.protocol == "postgresql"
        self.is_mysql = not self.is_postgres
        self.kind = pgwire.PgConn if self.is_postgres else mywire.MyConn

    async def __call__(self, port, user=servers.USER, password=servers.PASSWORD,
                       database=servers.DATABASE, **more):
        return await self.kind.connect(servers.HOST, port, user, password, database, **more)

    def slow(self, seconds, value="1"):
        """A statement that takes that long and then answers `value`."""
        return (f"select '{value}' from pg_sleep({seconds})" if self.is_postgres else
                f"select '{value}' from (select sleep({seconds})) as s")

    @property
    def backend_id(self):
        return "select pg_backend_pid()" if self.is_postgres else "select @@pseudo_thread_id"


@pytest.fixture
def client(database):
    return Client(database)


@pytest.fixture
def client_of():
    """client_of(server) -> what opens clients of it."""
    return Client


@pytest.fixture(scope="session")
def node_modules():
    """npm's packages as the lock file names them, kept in the cache by its checksum."""
    source = HERE / "clients" / "node"
    lock = (source / "package-lock.json").read_bytes()
    folder = CACHE / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "node.lock", "w", encoding="utf-8") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # of the workers that run tests side by side
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(source / name, folder)
            servers.run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
            (folder / "complete").touch()
    return folder / "node_modules"


@pytest.fixture(scope="session")
def go(tmp_path_factory):
    """go(source) -> the program, built with the libraries that Debian packages."""
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode",
                   "GOCACHE": str(CACHE / "go"), "CGO_ENABLED": "0"}

    def build(source):
        target = folder / source.stem
        if not target.exists():
            servers.run("go", "build", "-o", target, source, env=environment)
        return target

    return build


@pytest.fixture
def program():
    """program(command…, env=…) -> standard output; a failure shows everything it printed."""

    def go(*command, env=None, timeout=120, stdin=None):
        done = subprocess.run([str(part) for part in command], env={**os.environ, **(env or {})},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              input=stdin, timeout=timeout, check=False)
        assert done.returncode == 0, (
            f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    return go
