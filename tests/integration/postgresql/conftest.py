"""Fixtures of the conformance suite: the same scenario against a bare server and through Weirpool,
where other clients keep the backends moving. A difference fails."""

import threading

import psycopg2
import pytest

import proxy
from servers import DATABASE, HOST, PASSWORD, USER


def url_of(port, database=DATABASE):
    return f"postgresql://{USER}:{PASSWORD}@{HOST}:{port}/{database}?sslmode=disable"


class Neighbours:
    """Clients with settings, statements and transactions of their own, so that whoever is looked
    at gets another backend again and again, and one that somebody else has used."""

    def __init__(self, url, count=2):
        self.url = url
        self.stopping = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self._live, args=(number,))
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def _live(self, number):
        try:
            connection = psycopg2.connect(
                self.url, application_name=f"neighbour-{number}",
                options=f"-c statement_timeout={60000 + number} -c DateStyle=German")
            connection.autocommit = True
            turn = 0
            with connection.cursor() as cursor:
                while not self.stopping.is_set():
                    turn += 1
                    cursor.execute(f"set timezone to 'Etc/GMT+{turn % 12}'")
                    cursor.execute("begin")
                    cursor.execute("select count(*) from pg_class where relname = %s", ("x",))
                    cursor.execute("select pg_sleep(0.002)")
                    cursor.execute("commit" if turn % 2 else "rollback")
            connection.close()
        except psycopg2.Error as error:
            self.failures.append(error)

    def leave(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(20)
        assert not self.failures, self.failures


@pytest.fixture(scope="module", params=["postgres", "postgres18"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory, server):
    """The URL of a Weirpool with default settings, more clients than backends, and neighbours."""
    weir = proxy.Weirpool(tmp_path_factory.mktemp("conformance"), {"db": server},
                          max_connections=3)
    try:
        weir.start()
        neighbours = Neighbours(url_of(weir.port))
        yield url_of(weir.port)
        neighbours.leave()
        weir.stop()
    finally:
        weir.kill()


@pytest.fixture
def same(server, pooled):
    """same(run): run(url) must give the same against both, and something at all."""

    def check(run):
        bare = run(url_of(server.port))
        assert bare not in (None, "", [], {}), "the scenario says nothing"
        assert run(pooled) == bare

    return check


@pytest.fixture
def same_lines(same, program):
    """The same for programs that print one line per step, and a last one "done"."""

    def check(*command, least=5, **options):
        def run(url):
            lines = program(*[part.replace("{url}", url) for part in map(str, command)],
                            **{**options, "env": {**options.get("env", {}), "URL": url}})
            steps = lines.splitlines()
            assert steps[-1] == "done" and len(steps) > least, lines
            return steps

        same(run)

    return check
