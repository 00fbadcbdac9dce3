"""PostgreSQL's own regression tests against a bare server and through Weirpool. What only Weirpool
makes differ is listed with its reason in regression_differences.yaml; anything else fails."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import proxy
import servers
from servers import HOST, run

HERE = Path(__file__).resolve().parent
SUITE = HERE.parents[1] / "support" / "regression_suite.sh"
EXPECTED = yaml.safe_load((HERE / "regression_differences.yaml").read_text(encoding="utf-8"))
MODES = {
    "session": {"pool_mode": "session"},
    "pinned": {"pool": {"session_state": {"parameters": "pin", "roles": "pin"}}},
    "tracked": {},
}
SECTION = re.compile(r"^diff -U3 \S+ \S+/results/(\w[\w.]*)\.out$", re.MULTILINE)
TALLY = re.compile(r"(\d+) (?:of (\d+) )?tests (?:passed|failed)")

pytestmark = pytest.mark.long


class RegressionServer(servers.PostgresServer):
    """As the tests want it: nobody shows a password, and the database is there."""

    def prepare(self):
        super().prepare()
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("max_prepared_transactions=2\n")
        (self.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n"
                                               "host replication all 127.0.0.1/32 trust\n")

    def fill(self):
        self.execute("create database regression template template0")
        # What pg_regress does to a database that it makes itself.
        for name, value in (("lc_messages", "C"), ("lc_monetary", "C"), ("lc_numeric", "C"),
                            ("lc_time", "C"), ("bytea_output", "hex"),
                            ("timezone_abbreviations", "Default")):
            self.execute(f"alter database regression set {name} to '{value}'")

    @property
    def home(self):
        return self.bin.parent

    def place(self):
        """Where the tests read and write: all of it is the server's, which does both as well."""
        suite = Path(run(SUITE, self.home.name, timeout=900).splitlines()[-1])
        place = self.folder / "regress"
        shutil.copytree(suite, place)
        (place / "out").mkdir()
        for name in ("autoinc", "refint"):
            shutil.copy(self.home / "lib" / f"{name}.so", place / "lib")
        run("chown", "-R", f"{self.owner}:", place)
        return place


def play(server, port):
    """Runs all tests by way of `port`. {test: its lines that differ}"""
    place = server.place()
    program = server.home / "lib" / "pgxs" / "src" / "test" / "regress" / "pg_regress"
    done = subprocess.run(
        ["setpriv", f"--reuid={server.owner}", f"--regid={server.owner}", "--init-groups", program,
         f"--inputdir={place}/src", f"--outputdir={place}/out", f"--bindir={server.bin}",
         f"--dlpath={place}/lib", f"--schedule={place}/src/parallel_schedule", "--use-existing",
         f"--host={HOST}", f"--port={port}", "--user=postgres", "--dbname=regression",
         "--max-concurrent-tests=20"],
        cwd=place / "out", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=1800, check=False)
    tally = TALLY.search(done.stdout)
    assert tally and int(tally[2] or tally[1]) > 200, done.stdout[-3000:]
    if done.returncode == 0:
        return {}
    text = (place / "out" / "regression.diffs").read_text(encoding="utf-8", errors="replace")
    parts = SECTION.split(text)[1:]
    found = {name: changed(lines) for name, lines in zip(parts[::2], parts[1::2])}
    assert found, done.stdout[-3000:]
    return found


def changed(text):
    return [line for line in text.splitlines()
            if line.startswith(("-", "+")) and not line.startswith(("--- ", "+++ "))]


@pytest.fixture(scope="module")
def bare(certificates):
    server = RegressionServer.create(certificates)
    try:
        yield play(server, server.port)
    finally:
        server.stop()


@pytest.fixture
def fresh(certificates):
    server = RegressionServer.create(certificates)
    yield server
    server.stop()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_what_the_regression_tests_see(launch, bare, fresh, mode):
    config = proxy.merged({"auth": {"method": "trust"}, "users": {"postgres": {"password": "x"}}},
                          MODES[mode])
    weir = launch(fresh, max_connections=60, config=config)
    expected = EXPECTED[mode]
    problems = []
    seen = {}
    for name, lines in play(fresh, weir.port).items():
        seen[name] = [line for line in lines if line not in bare.get(name, [])]
        patterns = expected.get(name, {}).get("lines", [])
        new = [line for line in seen[name]
               if not any(re.search(pattern, line) for pattern in patterns)]
        if new:
            problems.append(f"{name} differs:\n" + "\n".join(new[:40]))
    for name, entry in expected.items():
        if not seen.get(name) and not entry.get("sometimes"):
            problems.append(f"{name} does not differ any more: take it off the list")
    assert not problems, "\n".join(problems)
