"""What is measured: each experiment is one table of RESULTS.md, a row for each contender."""

from dataclasses import dataclass, field
from typing import Callable

import loads
from contenders import BACKENDS

CLIENTS = 40
CROWD = 1000
THRONG = 512
READ_WRITE = "oltp_read_write"
MANY = 10000
TENANTS = 1000
PROTOCOL_NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL"}


@dataclass
class Experiment:
    """`run(contender, seconds)` returns one value for each of `columns`. `key` is the column whose
    ratios to the other contenders are shown; of it, less is better."""

    anchor: str
    title: str
    protocol: str
    columns: tuple
    key: str
    run: Callable
    fits: Callable = lambda contender: True
    fresh: bool = False  # needs processes that have done nothing before
    ready: Callable = lambda server: None  # prepares the server
    note: str = ""
    queue_target: str | None = None  # Weirpool's admission.queue_target
    against: tuple = field(default=())

    def __post_init__(self):
        if not self.against:
            self.against = {"postgresql": ("floor", "PgBouncer"),
                            "mysql": ("MySQL Router",)}[self.protocol]


TRANSACTION = ("transactions/s", "CPU µs", "p50 ms", "p99 ms", "p99.9 ms")


def figures(outcome):
    return (outcome.per_second, outcome.cpu_us, outcome.p50_ms, outcome.p99_ms, outcome.p999_ms)


def relay(mode, **more):
    return lambda one, seconds: figures(loads.pgbench(one, CLIENTS, seconds, mode, **more))


def prepares(one):
    return one.prepares


def crowded(one, seconds):
    outcome = loads.pgbench(one, CROWD, 2 * seconds)
    return (*figures(outcome), outcome.slowest_share)


def among_many(one, seconds, mode="simple"):
    """The load of CLIENTS beside MANY who are logged in and silent."""
    with loads.Crowd(one, MANY):
        return figures(loads.pgbench(one, CLIENTS, seconds, mode))


def among_pools(one, seconds):
    """Each of TENANTS has had a pool of its own; now one of them works."""
    with loads.Crowd(one, TENANTS, user=one.server.user):
        return figures(loads.pgbench(one, CLIENTS, seconds, user=one.server.user(7)))


def login(tls):
    return lambda one, seconds: loads.logins(one, 250 * seconds, tls)


def idle(tls):
    return lambda one, seconds: (loads.idle_bytes(one, CROWD, tls) / 1000,)


def transfer(way):
    return lambda one, seconds: loads.bulk(one, 100 * seconds, way)


def speaks_tls(one):
    return one.name in ("Weirpool", "PgBouncer", "MySQL Router")


POSTGRES = [
    Experiment("postgresql-simple", "simple queries", "postgresql", TRANSACTION, "CPU µs",
               relay("simple")),
    Experiment("postgresql-extended", "extended queries", "postgresql", TRANSACTION, "CPU µs",
               relay("extended")),
    Experiment("postgresql-prepared", "prepared statements", "postgresql", TRANSACTION, "CPU µs",
               relay("prepared"), prepares),
    Experiment("postgresql-pipeline", f"pipelines of {loads.PIPELINE}, per query", "postgresql",
               ("queries/s", *TRANSACTION[1:]), "CPU µs",
               relay("extended", script="pipeline.sql", queries=loads.PIPELINE), prepares),
    Experiment("postgresql-tls", "simple queries inside TLS", "postgresql", TRANSACTION, "CPU µs",
               relay("simple", tls=True), speaks_tls),
    Experiment("postgresql-crowd", f"{CROWD} clients on {BACKENDS} backends", "postgresql",
               (*TRANSACTION, "slowest/mean"), "p99 ms", crowded, lambda one: one.pools,
               note="slowest/mean: transactions of the client that got fewest, by those of the mean "
                    "client; 1 is perfectly fair."),
    Experiment("postgresql-many", f"{MANY} connected, {CLIENTS} of them working", "postgresql",
               TRANSACTION, "CPU µs", among_many,
               lambda one: one.pools and one.name in ("Weirpool", "PgBouncer"), fresh=True),
    Experiment("postgresql-pools", f"{TENANTS} pools known, one working", "postgresql",
               TRANSACTION, "CPU µs", among_pools,
               lambda one: one.name in ("Weirpool", "PgBouncer"), fresh=True,
               ready=lambda server: server.add_users()),
    Experiment("postgresql-login", "logins, SCRAM-SHA-256", "postgresql",
               ("logins/s", "CPU µs"), "CPU µs", login(False), lambda one: one.pools),
    Experiment("postgresql-login-tls", "logins, SCRAM-SHA-256 inside TLS", "postgresql",
               ("logins/s", "CPU µs"), "CPU µs", login(True), speaks_tls),
    Experiment("postgresql-idle", "an idle client", "postgresql", ("kB",), "kB", idle(False),
               lambda one: one.pools, fresh=True),
    Experiment("postgresql-idle-tls", "an idle client inside TLS", "postgresql", ("kB",), "kB",
               idle(True), speaks_tls, fresh=True),
    Experiment("postgresql-copy-out", "COPY to the client, per MB", "postgresql",
               ("MB/s", "CPU µs"), "CPU µs", transfer("out"),
               lambda one: not one.name.startswith("floor")),
    Experiment("postgresql-copy-in", "COPY from the client, per MB", "postgresql",
               ("MB/s", "CPU µs"), "CPU µs", transfer("in"),
               lambda one: not one.name.startswith("floor")),
]


def query(mode, clients=BACKENDS, test="oltp_point_select"):
    return lambda one, seconds: figures(loads.sysbench(one, clients, seconds, mode, test))


MYSQL = [
    Experiment("mysql-text", "text queries", "mysql", TRANSACTION, "CPU µs", query("text")),
    Experiment("mysql-prepared", "prepared statements", "mysql", TRANSACTION, "CPU µs",
               query("prepared")),
    Experiment("mysql-read-write", "read/write transactions", "mysql", TRANSACTION, "CPU µs",
               query("text", test=READ_WRITE), note=f"sysbench `{READ_WRITE}`"),
    Experiment("mysql-read-write-prepared", "read/write transactions, prepared", "mysql",
               TRANSACTION, "CPU µs", query("prepared", test=READ_WRITE),
               note=f"sysbench `{READ_WRITE}`"),
    Experiment("mysql-crowd", f"text queries, {THRONG} clients on {BACKENDS} backends", "mysql",
               TRANSACTION, "CPU µs", query("text", THRONG), lambda one: one.pools),
    Experiment("mysql-crowd-read-write",
               f"read/write transactions, {THRONG} clients on {BACKENDS} backends", "mysql",
               TRANSACTION, "CPU µs", query("text", THRONG, READ_WRITE), lambda one: one.pools,
               note=f"sysbench `{READ_WRITE}`. Who waits here waits for more than a second, which is "
                    "overload to Weirpool, and sysbench ends at the first refusal: "
                    "`admission.queue_target` is 10 s.", queue_target="10s"),
    Experiment("mysql-login", "logins, caching_sha2_password", "mysql", ("logins/s", "CPU µs"),
               "CPU µs", login(False), lambda one: one.pools),
    Experiment("mysql-idle", "an idle client", "mysql", ("kB",), "kB", idle(False),
               lambda one: one.pools, fresh=True),
    Experiment("mysql-idle-tls", "an idle client inside TLS", "mysql", ("kB",), "kB", idle(True),
               speaks_tls, fresh=True),
    Experiment("mysql-result", "a large result, per MB", "mysql", ("MB/s", "CPU µs"), "CPU µs",
               transfer("out")),
]

ALL = POSTGRES + MYSQL


@dataclass
class Goal:
    """The figure of `row` in `table`, absolute or as a ratio to another's, at most `limit`."""

    text: str
    table: str
    limit: float
    over: str = ""  # the other contender; empty: absolute
    over_table: str = ""  # where the other figure stands; empty: the same table
    row: str = "Weirpool, 1 thread"
    column: str = ""  # empty: the table's key
    at_least: bool = False  # not at most but at least `limit`


GOALS = [
    Goal("simple queries, CPU beside the floor", "postgresql-simple", 1.15,
         "floor (no authentication)"),
    Goal("simple queries, CPU beside PgBouncer", "postgresql-simple", 0.95, "PgBouncer, 1 thread"),
    Goal("extended queries, CPU beside PgBouncer", "postgresql-extended", 0.95,
         "PgBouncer, 1 thread"),
    Goal("prepared statements, CPU beside PgBouncer", "postgresql-prepared", 0.90,
         "PgBouncer, 1 thread"),
    Goal(f"pipelines of {loads.PIPELINE}, CPU per query beside PgBouncer", "postgresql-pipeline",
         0.6, "PgBouncer, 1 thread"),
    Goal("inside TLS, CPU beside PgBouncer", "postgresql-tls", 0.95, "PgBouncer, 1 thread"),
    Goal("COPY to the client, CPU per MB beside PgBouncer", "postgresql-copy-out", 0.5,
         "PgBouncer, 1 thread"),
    Goal("COPY from the client, CPU per MB beside PgBouncer", "postgresql-copy-in", 0.5,
         "PgBouncer, 1 thread"),
    Goal("idle client, kB", "postgresql-idle", 2.5),
    Goal("idle client inside TLS, kB", "postgresql-idle-tls", 17),
    Goal("login by SCRAM, CPU µs", "postgresql-login", 120),
    Goal(f"{CROWD} clients, p99 beside PgBouncer", "postgresql-crowd", 1.0, "PgBouncer, 1 thread"),
    Goal("two workers beside one, CPU", "postgresql-simple", 1.05, "Weirpool, 1 thread",
         row="Weirpool, 2 threads"),
    Goal(f"{MANY} connected beside {CLIENTS}, CPU", "postgresql-many", 1.15, "Weirpool, 1 thread",
         "postgresql-simple"),
    Goal(f"{TENANTS} pools beside one, CPU", "postgresql-pools", 1.15, "Weirpool, 1 thread",
         "postgresql-simple"),
    Goal("MySQL text queries, CPU beside MySQL Router", "mysql-text", 0.4,
         "MySQL Router, 1 thread"),
    Goal("MySQL prepared statements, CPU beside MySQL Router", "mysql-prepared", 0.4,
         "MySQL Router, 1 thread"),
    Goal("MySQL login, CPU µs", "mysql-login", 70),
]
