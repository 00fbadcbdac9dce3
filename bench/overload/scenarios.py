"""What happens to a proxy and its database; each scenario is one table of RESULTS.md.

`run(contender, seconds)`: the trouble lasts `seconds`. The double's USL has no contention unless
a scenario says so, so that N backends are worth N, and the capacity is BACKENDS / service time."""

import math
import time
from dataclasses import dataclass
from typing import Callable

import judge
from contenders import BACKENDS
from double import Load
from judge import FAILED, LOGIN

SERVICE = 0.04  # seconds; the load fits two cores at ten times the capacity
QUICK = 0.01
CALM = 4  # seconds before the trouble
AFTER = 6  # and behind it
NODES = 100
WILD = 50
HUG = 100  # connections of each node
HUG_BACKENDS = 2 * BACKENDS
STORM = (2500, 2)  # logins per second, seconds


def capacity(service):
    return BACKENDS / service


def micros(seconds):
    return round(seconds * 1e6)


def rates(*phases):
    return ",".join(f"{rate:g}@{seconds:g}" for rate, seconds in phases)


@dataclass
class Scenario:
    anchor: str
    title: str
    columns: tuple
    key: str
    run: Callable
    note: str = ""
    protocol: str = "postgresql"
    fits: Callable = lambda contender: contender.pools
    against: tuple = ()
    fresh: bool = True
    ready: Callable = lambda server: None
    backends: int = BACKENDS
    elasticity: str = "off"
    long: bool = False  # measured once, and not at all where it is to be quick


def loaded(contender, flows, seconds, during=lambda: None, **more):
    """The events of a load; `during` turns the double's knobs meanwhile."""
    load = Load(contender, flows, **more)
    try:
        during()
        return load.events(seconds + 60)
    finally:
        load.stop()


class Plan:
    """What is done to somebody, mostly the double, at times since the load began."""

    def __init__(self, whom, *steps):
        self.whom, self.steps = whom, steps

    def __call__(self):
        began = time.monotonic()
        for when, step in self.steps:
            time.sleep(max(0.0, began + when - time.monotonic()))
            step(self.whom)


def calm(one, seconds):
    """Half of what the database can do."""
    one.server.reset(service_us=micros(SERVICE))
    spent = []
    sample = Plan(one, *((when, lambda one: spent.append(one.cpu_seconds()))
                         for when in (CALM, CALM + seconds)))
    events = loaded(one, [{"rates": rates((capacity(SERVICE) / 2, CALM + seconds + 1)),
                           "nodes": 10, "connections": 5}], CALM + seconds + 1, sample)
    done = judge.attempts(events, CALM, CALM + seconds)
    return ((spent[1] - spent[0]) * 1e6 / max(1, len(done)),
            *(judge.latency_ms(done, share) for share in (0.5, 0.99)), 100 * judge.share(done))


def overload(times):
    def run(one, seconds):
        full, end = capacity(SERVICE), CALM + seconds
        one.server.reset(service_us=micros(SERVICE))
        events = loaded(one, [{"rates": rates((full / 2, CALM), (times * full, seconds),
                                              (full / 2, AFTER))}], end + AFTER)
        # The first second of it is on its way in; what the line held then is still answered.
        done = judge.attempts(events, CALM + 1, end)
        usual = judge.latency_ms(judge.attempts(events, 1, CALM), 0.99)
        p99 = judge.latency_ms(done, 0.99)
        return (judge.answered_per_second(events, CALM + 1, end) / full,
                judge.latency_ms(done, 0.5), p99, p99 / usual, judge.refusal_ms(done, 0.99),
                judge.recovery(events, end, end + AFTER))
    return run


def brownout(one, seconds):
    """Ten times slower for a while, at 0.8 of the usual capacity."""
    slow, end = 10, CALM + seconds
    one.server.reset(service_us=micros(QUICK))
    events = loaded(
        one, [{"rates": rates((0.8 * capacity(QUICK), end + AFTER))}], end + AFTER,
        Plan(one.server, (CALM, lambda server: server.turn(service_us=micros(slow * QUICK))),
             (end, lambda server: server.turn(service_us=micros(QUICK)))))
    done = judge.attempts(events, CALM + 1, end)
    return (judge.answered_per_second(events, CALM + 1, end) / capacity(slow * QUICK),
            judge.latency_ms(done, 0.5), judge.latency_ms(done, 0.99),
            judge.recovery(events, end, end + AFTER))


def wild_node(one, seconds):
    """One node of a hundred sends fifty times what each of the others does."""
    each, end = 0.8 * capacity(SERVICE) / NODES, CALM + seconds
    one.server.reset(service_us=micros(SERVICE))
    events = loaded(one, [{"nodes": NODES - 1, "rates": rates((each * (NODES - 1), end))},
                          {"nodes": 1, "rates": rates((each, CALM), (WILD * each, seconds))}], end)
    before, during = judge.attempts(events, 1, CALM, 0), judge.attempts(events, CALM, end, 0)
    usual, p99 = (judge.latency_ms(part, 0.99) for part in (before, during))
    return (p99 / usual, p99, 100 * (1 - judge.share(during)),
            100 * judge.share(judge.attempts(events, CALM, end, 1)))


def death_hug(one, _):
    """Every connection of every node is opened within five seconds, and queries."""
    seconds, patience = 5, 5
    one.server.reset(service_us=micros(QUICK))
    events = loaded(one, [{"rates": rates((NODES * HUG / seconds, seconds)), "fresh": 1,
                           "connections": HUG}], seconds, deadline_ms=1000 * patience, retries=0)
    logins = [event for event in events if event.outcome == LOGIN]
    stats = one.server.stats()
    done = judge.attempts(events, 0, math.inf)
    return (100 * judge.share(done), len(logins),
            max((event.began + event.took for event in logins), default=math.nan),
            judge.latency_ms(done, 0.99), stats["peak_connections"], stats["refused"])


def login_storm(one, _):
    """Clients log in through TLS by the thousand while others work."""
    per_second, storm = STORM
    end = CALM + storm
    one.server.reset(service_us=micros(QUICK))
    crowd = Load(one, [{"rates": rates((0, CALM), (per_second, storm), (0, 2 * AFTER)), "tls": 1,
                        "fresh": 1, "silent": 1, "connections": per_second}],
                 deadline_ms=10000, nice=19, retries=0)
    try:
        # One connection each: a second one would be a login of the storm.
        events = loaded(one, [{"rates": rates((0.3 * capacity(QUICK), end + AFTER)),
                               "connections": 1}], end + AFTER, deadline_ms=10000, retries=0)
        logins = [event for event in crowd.events(60) if event.outcome == LOGIN]
    finally:
        crowd.stop()
    last = max((event.began + event.took for event in logins), default=end)
    usual = judge.latency_ms(judge.attempts(events, 1, CALM), 0.99)
    during = judge.latency_ms(judge.attempts(events, CALM, max(end, last)), 0.99)
    return (during / usual, during, 1000 * judge.quantile([one.took for one in logins], 0.99),
            len(logins))


ALPHA, BETA = 0.004, 0.0005


def usl(alpha, beta, service, backends):
    """Statements per second at so many at a time, and at the best number of them."""
    def rate(n):
        return n / (service * (1 + alpha * (n - 1) + beta * n * (n - 1)))
    return rate(backends), max(rate(n) for n in range(1, backends + 1))


def contention(one, seconds):
    """More backends than are good for the database, and it gets worse: first all statements take
    four times as long, then contention grows eightfold. Nobody gives up and three times as many
    clients as backends always have something to ask: the number of backends in use decides."""
    service, heavy, worse = SERVICE / 2, 4, 8
    _, usual = usl(ALPHA, BETA, service, one.backends)
    _, crowded = usl(ALPHA, worse * BETA, service, one.backends)
    third = 2 * seconds  # a controller needs some time
    one.server.reset(service_us=micros(service), alpha=ALPHA, beta=BETA)
    events = loaded(
        one, [{"rates": rates((1.5 * usual, third), (1.5 * usual / heavy, third),
                              (1.5 * crowded, third)), "nodes": 10, "connections": 3 * one.backends // 10}],
        3 * third,
        Plan(one.server,
             (third, lambda server: server.turn(service_us=micros(heavy * service))),
             (2 * third, lambda server: server.turn(service_us=micros(service),
                                                    beta=worse * BETA))),
        deadline_ms=600_000, linger=0)
    best = (usual, usual / heavy, crowded)
    return tuple(judge.answered_per_second(events, (part + 0.5) * third, (part + 1) * third)
                 / best[part] for part in range(3))


def death(away):
    """The database is away for so many seconds, at half its capacity."""
    def run(one, _):
        back = CALM + away
        end = back + 15
        one.server.reset(service_us=micros(SERVICE))
        events = loaded(one, [{"rates": rates((capacity(SERVICE) / 2, end))}], end,
                        Plan(one.server, (CALM, lambda server: server.order("die")),
                             (back - 0.5, lambda server: server.order("forget")),
                             (back, lambda server: server.order("live"))))
        stats = one.server.stats()
        meanwhile = judge.attempts(events, CALM, back)
        return (judge.first_answer(events, back), judge.recovery(events, back, end),
                stats["peak_logins_per_second"], 100 * judge.share(meanwhile, FAILED))
    return run


OVERLOAD = ("goodput", "p50 ms", "p99 ms", "p99 / calm p99", "refusal p99 ms", "recovery s")
OVERLOAD_NOTE = """Half of the capacity, then {times} times the capacity, then half of it again. Clients give up after
1 s and try twice more. Goodput: answers per second by what the database can do. p50, p99: of what was
answered. Recovery: until 95 % of the attempts are answered; 6.00 is as long as was looked at."""
HUG_NOTE = f"""The database lets 400 connections in; the pool has {HUG_BACKENDS}, which is twice what the queries need:
the trouble is the connections."""
HUGGED = ("answered %", "logins", "last login s", "p99 ms", "peak backends", "refused by the database")
DIED = ("first answer s", "recovery s", "logins to it in 1 s", "failed meanwhile %")


def overloads(protocol, *times):
    return [Scenario(f"{protocol}-overload-{one}x", f"{one} times what the database can do",
                     OVERLOAD, "goodput", overload(one), OVERLOAD_NOTE.format(times=one), protocol)
            for one in times]


def tls(one):
    return one.name in ("Weirpool", "PgBouncer")


ALL = [
    Scenario("postgresql-calm", "half of what the database can do",
             ("CPU µs", "p50 ms", "p99 ms", "answered %"), "CPU µs", calm,
             "What the proxy costs when nothing is wrong, and the latency to compare with."),
    *overloads("postgresql", 2, 4, 10),
    Scenario("postgresql-brownout", "the database is ten times slower for a while",
             ("goodput", "p50 ms", "p99 ms", "recovery s"), "goodput", brownout,
             "At 0.8 of its usual capacity. Goodput: by what the slow database can do."),
    Scenario("postgresql-wild-node", f"one node of {NODES} sends {WILD} times its share",
             ("p99 / before", "p99 ms", "not answered %", "the wild one's answered %"),
             "p99 / before", wild_node, "The first three columns are the other nodes'."),
    Scenario("postgresql-death-hug", f"{NODES} nodes open {HUG} connections each within 5 s",
             HUGGED, "answered %", death_hug, HUG_NOTE, backends=HUG_BACKENDS,
             fits=lambda one: one.pools or one.name == "direct"),
    Scenario("postgresql-login-storm", f"{STORM[0] * STORM[1]} logins inside TLS within {STORM[1]} s",
             ("p99 / before", "p99 ms", "login p99 ms", "logins"), "p99 / before", login_storm,
             "The first two columns are those of clients that run meanwhile. The crowd has what is "
             "left of the two cores, as if it came from elsewhere; it stays, and asks nothing.", fits=tls),
    Scenario("postgresql-contention", "more backends than are good for the database",
             ("usual", "4 x heavier", "8 x contention"), "usual", contention,
             "Throughput by that of the best fixed number of backends; 100 are allowed. Weirpool with "
             "admission.elasticity: enforce.", backends=100, elasticity="enforce"),
    Scenario("postgresql-death", "the database dies and returns after 5 s", DIED, "recovery s",
             death(5)),
    Scenario("postgresql-long-death", "the database dies and returns after 60 s", DIED,
             "recovery s", death(60), "Measured once.", long=True),
    *overloads("mysql", 2, 4),
    Scenario("mysql-death-hug", f"{NODES} nodes open {HUG} connections each within 5 s", HUGGED,
             "answered %", death_hug, HUG_NOTE, "mysql", backends=HUG_BACKENDS,
             fits=lambda one: one.pools or one.name == "direct"),
    Scenario("mysql-death", "the database dies and returns after 5 s", DIED, "recovery s", death(5),
             protocol="mysql"),
]
