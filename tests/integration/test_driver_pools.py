"""The pools of real drivers while Weirpool sheds: a refusal reaches the application as an ordinary
SQL error, and no pool throws its connection away for it. A pool that did would answer overload with
logins, which are dearer than what was refused. Where a driver does it all the same, which is said
below, it is one login for one refusal and no more."""

import collections
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy

from proxy import as_it_comes
from servers import DATABASE, HOST, PASSWORD, USER

CLIENTS = Path(__file__).resolve().parent / "clients"
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in (
    "HikariCP", "slf4j-api", "slf4j-nop", "postgresql", "mariadb-java-client"))
SIZE = 20
CALLERS = 40
SECONDS = 4
REFUSED = {"postgresql": {"53300", "53300/0"}, "mysql": {"HY000/1040", "1040"}}

pytestmark = pytest.mark.slow


@pytest.fixture
def shedding(launch, database):
    """A Weirpool whose database answers about forty times a second: a pool of twenty is too many."""
    count = 2 if database.protocol == "postgresql" else 3  # one is kept for ending statements
    return launch(database, max_connections=count,
                  config=as_it_comes(workers=1, admission={"queue_target": "20ms"}))


@pytest.fixture
def slow(database):
    return "select pg_sleep(0.05)" if database.protocol == "postgresql" else "select sleep(0.05)"


def judge(weir, protocol, told, thrown_away=0):
    """`told`: lines of what happened and how often. `thrown_away`: connections, for each refusal."""
    seen = collections.Counter()
    for line in told:
        words = line.split()
        seen[tuple(words[:-1])] += int(words[-1])
    refusals = {key[1]: count for key, count in seen.items() if key[0] == "refused"}
    assert refusals and set(refusals) <= REFUSED[protocol], seen
    # How fast is not asked here: callers that are refused try again at once and leave little CPU.
    assert seen[("served",)] > SECONDS * 5, seen
    metrics = weir.metrics()
    logins = metrics.total("weirpool_client_logins_total", result="ok")
    assert logins <= SIZE + thrown_away * sum(refusals.values()), (logins, seen)
    # The odd one waits in vain; there is no other fault, and pools say little of their own.
    said = sum(metrics.total("weirpool_faults_total", reason=reason)
               for reason in ("pool_overloaded", "pool_timeout"))
    assert metrics.total("weirpool_faults_total") == said >= sum(refusals.values())


def lines_of(output):
    *told, last = output.splitlines()
    assert last == "well", output
    return told


# Whether a connection lives is looked at after half a second without use, or always. The PostgreSQL
# driver of Debian asks by a prepared statement, which may be refused as others, and then the
# connection counts as dead; later ones ask by an empty query, which Weirpool answers itself, as it
# does MySQL's ping.
@pytest.mark.parametrize("unwatched_ms", [500, 0])
def test_hikari(shedding, database, slow, program, unwatched_ms):
    kind = "postgresql" if database.protocol == "postgresql" else "mariadb"
    url = f"jdbc:{kind}://{HOST}:{shedding.port}/{DATABASE}"
    told = program("java", f"-Dcom.zaxxer.hikari.aliveBypassWindowMs={unwatched_ms}", "-cp", JARS,
                   CLIENTS / "java/Pool.java", url, USER, PASSWORD, slow, SIZE, CALLERS, SECONDS)
    judge(shedding, database.protocol, lines_of(told),
          thrown_away=1 if unwatched_ms == 0 and database.protocol == "postgresql" else 0)


# pg's pool.query() closes its connection after any error, also of the application's own making.
@pytest.mark.parametrize("shortcut", ["", "yes"])
def test_node(shedding, database, slow, node_modules, program, shortcut):
    scheme = "postgresql" if database.protocol == "postgresql" else "mysql"
    told = program("node", CLIENTS / "node/pool.js", env={
        "URL": f"{scheme}://{USER}:{PASSWORD}@{HOST}:{shedding.port}/{DATABASE}",
        "STATEMENT": slow, "CONNECTIONS": str(SIZE), "CALLERS": str(CALLERS),
        "SECONDS": str(SECONDS), "SHORTCUT": shortcut, "NODE_PATH": str(node_modules)})
    judge(shedding, database.protocol, lines_of(told),
          thrown_away=1 if shortcut and database.protocol == "postgresql" else 0)


class Crowd:
    """Threads that share one engine of SQLAlchemy."""

    def __init__(self, engine, statement):
        self.engine = engine
        self.statement = sqlalchemy.text(statement)
        self.told = []
        self.until = time.monotonic() + SECONDS

    @staticmethod
    def code(error):
        if not isinstance(error, sqlalchemy.exc.DBAPIError) or error.connection_invalidated:
            return f"otherwise:{type(error).__name__}"
        return getattr(error.orig, "pgcode", None) or error.orig.args[0]

    def ask(self):
        while time.monotonic() < self.until:
            try:
                with self.engine.begin() as connection:
                    connection.execute(self.statement)
                self.told.append("served 1")
            except Exception as error:  # whatever it is, judge() is told
                self.told.append(f"refused {self.code(error)} 1")

    def run(self):
        threads = [threading.Thread(target=self.ask) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


# A ping that is refused costs a connection as well: of PostgreSQL it is a transaction with a SELECT.
@pytest.mark.parametrize("pre_ping", [False, True])
def test_sqlalchemy(shedding, database, slow, pre_ping):
    driver = "postgresql+psycopg2" if database.protocol == "postgresql" else "mysql+pymysql"
    engine = sqlalchemy.create_engine(
        f"{driver}://{USER}:{PASSWORD}@{HOST}:{shedding.port}/{DATABASE}",
        pool_size=SIZE, max_overflow=0, pool_pre_ping=pre_ping)
    for connection in [engine.connect() for _ in range(SIZE)]:
        connection.close()
    crowd = Crowd(engine, slow)
    crowd.run()
    thrown_away = 1 if pre_ping and database.protocol == "postgresql" else 0
    judge(shedding, database.protocol, crowd.told, thrown_away)
    before = shedding.metrics().total("weirpool_client_logins_total", result="ok")
    for _ in range(3 * SIZE):
        with engine.begin() as connection:
            assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
    engine.dispose()
    after = shedding.metrics().total("weirpool_client_logins_total", result="ok")
    assert after <= before + SIZE * thrown_away
