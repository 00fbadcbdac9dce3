#!/usr/bin/env python3
"""The isolation check: every answer must be the asker's own, whatever dies meanwhile.

Many clients share few backends. Each statement carries a token nobody else has, and each answer
must carry it back. At random, clients are reset in the middle of a statement or of its result, and
backends are terminated by the database's administrator or reset on the wire (all traffic to the
database passes a relay in this program). At the end everybody must be served again. What a session
holds for its client is looked after in postgres_session.py.

usage: isolation.py --protocol postgresql --port PROXY --database-port DB --relay-port RELAY …
The proxy's backend address must be the relay. Prints one JSON object; exit code 0 if all is well.
"""

import argparse
import asyncio
import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from mysql_state import PREPARATION, StateOperations  # noqa: E402
from postgres_session import PostgresSession  # noqa: E402
from weirtest import mywire, pgwire  # noqa: E402
from weirtest.wire import DatabaseError, Lost  # noqa: E402

# What a client may be told when its backend dies or none can be had for the moment.
EXCUSES = {"08006", "08007", "40001", "25P02", "57P01", "57P03", "53300",
           1040, 1053, 1105, 1213, 1927, 1317, 2013}


class Wrong(Exception):
    """An answer that was not the asker's, or no honest answer at all."""


class Killed(Exception):
    """This client was reset on purpose."""


def expect(got, wanted, what):
    if got != wanted:
        raise Wrong(f"{what}: wanted {str(wanted)[:200]!r}, got {str(got)[:200]!r}")


class Relay:
    """Everything between proxy and database; `reset_one` cuts a backend off as a dead host would."""

    def __init__(self, port, target):
        self.port = port
        self.target = target
        self.pairs = set()

    async def start(self):
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self.pairs.add(pair)
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self.pairs.discard(pair)

    @staticmethod
    async def _pump(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def reset_one(self):
        if self.pairs:
            for writer in random.choice(sorted(self.pairs, key=id)):
                sock = writer.get_extra_info("socket")
                if sock is not None and sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()


class Actor:
    """One client: connects, asks, is killed, comes back."""

    def __init__(self, options, number, tally):
        self.options = options
        self.number = number
        self.tally = tally
        self.count = 0
        self.connection = None
        self.deadly = True

    def token(self):
        self.count += 1
        return f"tok-{self.number}-{self.count}-{random.getrandbits(48):012x}"

    async def connect(self):
        raise NotImplementedError

    def operations(self):
        raise NotImplementedError

    async def perhaps_die(self):
        """After a statement was sent: be reset at once, or in the middle of the result."""
        if not self.deadly or random.random() > self.options.kill_share:
            return
        stream = self.connection.stream
        if random.random() < 0.5:
            await stream.drain()
            if random.random() < 0.7:
                try:
                    await asyncio.wait_for(stream.reader.read(random.choice((1, 7, 1000))), 1)
                except (asyncio.TimeoutError, OSError):
                    pass
        self.connection.abort()
        self.connection = None
        raise Killed

    def gone(self):
        if self.connection is not None:
            self.connection.abort()
            self.connection = None

    async def once(self):
        """One exchange. True if it was answered, and rightly."""
        name = "login"
        try:
            if self.connection is None:
                self.connection = await self.connect()
            operation = random.choice(self.operations())
            name = operation.__name__
            await operation()
            self.tally[name] += 1
            return True
        except Killed:
            self.tally["clients killed"] += 1
        except Lost:
            self.tally["lost"] += 1
            self.gone()
        except DatabaseError as error:
            self.gone()
            if error.code not in EXCUSES:
                raise Wrong(f"{name}: {error}") from error
            self.tally[f"told {error.code}"] += 1
        except asyncio.TimeoutError:
            self.gone()
            self.tally["login timed out"] += 1
        except AssertionError as error:
            self.gone()
            raise Wrong(f"{name}: {error}") from error
        except Wrong:
            self.gone()
            raise
        return False


class PostgresActor(PostgresSession, Actor):
    async def connect(self):
        o = self.options
        connection = await pgwire.PgConn.connect("127.0.0.1", o.port, o.user, o.password,
                                                 o.database)
        connection.prepared = set()
        connection.listens = False
        return connection

    def operations(self):
        return (self.simple, self.extended, self.named, self.transaction, self.rows, self.error,
                self.pipeline, self.pipeline_of_named, self.slow, self.abandoned, self.no_dirt,
                *self.session_operations())

    async def ask(self, *messages):
        self.connection.send(*messages)
        await self.perhaps_die()
        answer = (await self.connection.answer()).check()
        for channel, payload in answer.heard:
            if not self.connection.listens or channel != f"channel_{self.number}":
                raise Wrong(f"heard {payload!r} on {channel}")
        return answer

    async def simple(self):
        token = self.token()
        expect((await self.ask(pgwire.query(f"select '{token}'"))).rows, [(token.encode(),)],
               "simple")

    async def extended(self):
        token = self.token().encode()
        answer = await self.ask(pgwire.parse("", "select $1::text"), pgwire.bind("", "", [token]),
                                pgwire.execute(), pgwire.SYNC)
        expect((answer.kinds, answer.rows), ("12DCZ", [(token,)]), "extended")

    async def named(self):
        """All clients use the same three names, each for statements of its own."""
        token, name = self.token().encode(), f"s{random.randrange(3)}"
        messages = [pgwire.bind("", name, [token]), pgwire.execute(), pgwire.SYNC]
        if name not in self.connection.prepared:
            text = f"select $1::text || '/{self.number}/{name}'"
            messages.insert(0, pgwire.parse(name, text))
            self.connection.prepared.add(name)
        answer = await self.ask(*messages)
        expect(answer.rows, [(token + f"/{self.number}/{name}".encode(),)], "named")

    async def transaction(self):
        await self.ask(pgwire.query("begin"))
        backends = set()
        for _ in range(3):
            token = self.token()
            answer = await self.ask(pgwire.query(f"select '{token}', pg_backend_pid()"))
            expect((answer.rows[0][0], answer.status), (token.encode(), "T"), "in a transaction")
            backends.add(answer.rows[0][1])
        expect(len(backends), 1, "backends of one transaction")
        await self.ask(pgwire.query(random.choice(("commit", "rollback"))))

    async def rows(self):
        token, count = self.token(), random.choice((10, 300, 5000))
        answer = await self.ask(pgwire.query(
            f"select '{token}-' || g from generate_series(1, {count}) g"))
        expect(answer.rows, [(f"{token}-{n}".encode(),) for n in range(1, count + 1)], "rows")

    async def error(self):
        token = self.token()
        self.connection.send(pgwire.query(f"select '{token}'::int"))
        await self.perhaps_die()
        answer = await self.connection.answer()
        if not answer.errors:
            raise Wrong(f"no error but {answer.rows}")
        if answer.errors[0].code in EXCUSES:
            raise answer.errors[0]
        expect((answer.errors[0].code, token in answer.errors[0].message), ("22P02", True),
               f"error {answer.errors[0]}")

    async def pipeline(self):
        tokens = [self.token() for _ in range(random.randrange(2, 12))]
        for token in tokens:
            self.connection.send(pgwire.parse("", "select $1::text"),
                                 pgwire.bind("", "", [token.encode()]), pgwire.execute(),
                                 pgwire.SYNC)
        await self.perhaps_die()
        for token in tokens:
            expect((await self.connection.answer()).check().rows, [(token.encode(),)], "pipeline")

    async def pipeline_of_named(self):
        """Several batches in one go; in some of them a Bind fails, and what is behind it is skipped."""
        names, wanted = [f"p{n}" for n in range(3)], []
        for name in names:
            if name not in self.connection.prepared:
                self.connection.send(
                    pgwire.parse(name, f"select $1::text || '/{self.number}/{name}'"))
        self.connection.prepared.update(names)
        self.connection.send(pgwire.SYNC)
        for _ in range(random.randrange(1, 5)):
            rows, failed = [], None
            for _ in range(random.randrange(1, 5)):
                token, name = self.token(), random.choice(names)
                if random.random() < 0.2:
                    self.connection.send(pgwire.parse("", "select $1::int"),
                                         pgwire.bind("", "", [token.encode()]), pgwire.execute())
                    failed = failed or token
                else:
                    self.connection.send(pgwire.bind("", name, [token.encode()]),
                                         pgwire.execute())
                    if not failed:
                        rows.append((f"{token}/{self.number}/{name}".encode(),))
            self.connection.send(pgwire.SYNC)
            wanted.append((rows, failed))
        await self.perhaps_die()
        (await self.connection.answer()).check()
        for rows, failed in wanted:
            answer = await self.connection.answer()
            if answer.errors and answer.errors[0].code in EXCUSES:
                raise answer.errors[0]
            expect(([error.code for error in answer.errors], answer.rows),
                   (["22P02"] if failed else [], rows), "pipeline of named statements")
            expect(not failed or failed in answer.errors[0].message, True, "whose error")

    async def slow(self):
        token = self.token()
        answer = await self.ask(pgwire.query(f"select '{token}' from pg_sleep(0.02)"))
        expect(answer.rows, [(token.encode(),)], "slow")

    async def abandoned(self):
        """Leaves in the middle of a transaction that has written something."""
        await self.ask(pgwire.query("begin"))
        await self.ask(pgwire.query("insert into isolation_dirt values (1)"))
        if self.deadly:
            self.connection.abort()
            self.connection = None
            raise Killed
        await self.ask(pgwire.query("rollback"))

    async def no_dirt(self):
        answer = await self.ask(pgwire.query(
            "select count(*), pg_current_xact_id_if_assigned() is null from isolation_dirt"))
        expect(answer.rows, [(b"0", b"t")], "somebody else's transaction")


class MySqlActor(StateOperations, Actor):
    expect = staticmethod(expect)

    async def connect(self):
        o = self.options
        connection = await mywire.MyConn.connect(
            "127.0.0.1", o.port, o.user, o.password, o.database,
            capabilities=mywire.CAPABILITIES | mywire.LOCAL_FILES)
        connection.named = None
        connection.state = {}
        return connection

    def operations(self):
        return (self.simple, self.several, self.named, self.transaction, self.rows, self.error,
                self.slow, self.abandoned, self.no_dirt, *self.state_operations())

    async def ask(self, sql):
        self.connection.command(mywire.COM_QUERY, sql.encode())
        await self.perhaps_die()
        return await self.connection.answer()

    async def simple(self):
        token = self.token()
        expect((await self.ask(f"select '{token}'")).rows, [(token.encode(),)], "simple")

    async def several(self):
        one, two = self.token(), self.token()
        answer = await self.ask(f"select '{one}'; select '{two}'")
        expect((answer.results, answer.rows), (2, [(one.encode(),), (two.encode(),)]), "several")

    async def named(self):
        token = self.token().encode()
        one = self.connection
        if one.named is None:
            one.named = await one.prepare(
                f"select concat(cast(? as char), '/{self.number}')")
        answer = await one.execute(one.named, [token])
        expect(answer.rows, [(token + f"/{self.number}".encode(),)], "named")
        if random.random() < 0.8:
            one.close_statement(one.named)
            one.named = None

    async def transaction(self):
        await self.ask("begin")
        backends = set()
        for _ in range(3):
            token = self.token()
            answer = await self.ask(f"select '{token}', @@pseudo_thread_id")
            expect((answer.rows[0][0], answer.status & mywire.IN_TRANSACTION),
                   (token.encode(), mywire.IN_TRANSACTION), "in a transaction")
            backends.add(answer.rows[0][1])
        expect(len(backends), 1, "backends of one transaction")
        await self.ask(random.choice(("commit", "rollback")))

    async def rows(self):
        token, count = self.token(), random.choice((10, 300, 900))
        answer = await self.ask(
            f"with recursive g(n) as (select 1 union all select n + 1 from g where n < {count}) "
            f"select concat('{token}-', n) from g")
        expect(answer.rows, [(f"{token}-{n}".encode(),) for n in range(1, count + 1)], "rows")

    async def error(self):
        token = self.token()
        try:
            answer = await self.ask(f"select `{token}`")
        except DatabaseError as error:
            if error.code in EXCUSES:
                raise
            expect((error.code, token in error.message), (1054, True), f"error {error}")
            return
        raise Wrong(f"no error but {answer.rows}")

    async def slow(self):
        token = self.token()
        answer = await self.ask(f"select '{token}' from (select sleep(0.02)) as s")
        expect(answer.rows, [(token.encode(),)], "slow")

    async def abandoned(self):
        await self.ask("begin")
        await self.ask("insert into isolation_dirt values (1)")
        if self.deadly:
            self.connection.abort()
            self.connection = None
            raise Killed
        await self.ask("rollback")

    async def no_dirt(self):
        answer = await self.ask("select count(*) from isolation_dirt")
        expect((answer.rows, answer.status & mywire.IN_TRANSACTION), ([(b"0",)], 0),
               "somebody else's transaction")


class Check:
    def __init__(self, options):
        self.options = options
        self.postgres = options.protocol == "postgresql"
        self.tally = Counter()
        self.wrong = []
        kind = PostgresActor if self.postgres else MySqlActor
        self.actors = [kind(options, n, self.tally) for n in range(options.clients)]
        self.relay = Relay(options.relay_port, options.database_port)

    async def administrator(self):
        o = self.options
        kind = pgwire.PgConn if self.postgres else mywire.MyConn
        return await kind.connect("127.0.0.1", o.database_port, o.admin, o.admin_password,
                                  o.database)

    async def prepare(self):
        admin = await self.administrator()
        await admin.query("drop table if exists isolation_dirt")
        await admin.query("create table isolation_dirt (n int)")
        if not self.postgres:
            for sql in PREPARATION:
                await admin.query(sql)
        if self.postgres:
            (await admin.query(f"grant all on isolation_dirt to {self.options.user}")).check()
        await admin.close()

    async def terminate(self, admin, everything):
        if self.postgres:
            pids = (await admin.query(
                "select pid from pg_stat_activity where backend_type = 'client backend' and "
                f"usename = '{self.options.user}'")).rows
            kill = "select pg_terminate_backend({})"
        else:
            pids = (await admin.query("select id from information_schema.processlist where "
                                      f"user = '{self.options.user}'")).rows
            kill = "kill {}"
        for (pid,) in pids if everything else random.sample(pids, min(1, len(pids))):
            try:
                await admin.query(kill.format(pid.decode()))
                self.tally["backends terminated"] += 1
            except DatabaseError:
                continue  # it left by itself

    async def kill_backends(self, until):
        admin = await self.administrator()
        while time.monotonic() < until:
            await asyncio.sleep(random.uniform(0.1, 0.9))
            choice = random.random()
            if choice < 0.45:
                self.relay.reset_one()
                self.tally["backends reset"] += 1
            else:
                await self.terminate(admin, choice > 0.95)
        await admin.close()

    async def act(self, actor, until):
        while time.monotonic() < until and len(self.wrong) < 20:
            try:
                if not await actor.once() and actor.connection is None:
                    await asyncio.sleep(random.uniform(0, 0.05))
            except Wrong as error:
                self.wrong.append(f"client {actor.number}: {error}")

    async def recover(self, actor, deadline):
        """Twenty right answers in a row, with nothing dying any more."""
        actor.deadly = False
        right = 0
        while right < 20:
            if time.monotonic() > deadline:
                self.wrong.append(f"client {actor.number} was not served again: {self.tally}")
                return
            try:
                right = right + 1 if await actor.once() else 0
            except Wrong as error:
                self.wrong.append(f"client {actor.number} afterwards: {error}")
                return
        await actor.connection.close()

    async def first_login(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                await (await self.actors[0].connect()).close()
                return
            except (Lost, DatabaseError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def run(self):
        await self.prepare()
        relay = await self.relay.start()
        print("relay ready", file=sys.stderr, flush=True)
        await self.first_login()
        until = time.monotonic() + self.options.seconds
        await asyncio.gather(self.kill_backends(until),
                             *(self.act(actor, until) for actor in self.actors))
        for actor in self.actors:
            actor.deadly = False
        deadline = time.monotonic() + 60
        await asyncio.gather(*(self.recover(actor, deadline) for actor in self.actors))
        relay.close()
        return self.wrong


def options_from(arguments):
    parser = argparse.ArgumentParser(description="every answer must be the asker's own")
    parser.add_argument("--protocol", choices=("postgresql", "mysql"), required=True)
    parser.add_argument("--port", type=int, required=True, help="the proxy")
    parser.add_argument("--database-port", type=int, required=True)
    parser.add_argument("--relay-port", type=int, required=True)
    parser.add_argument("--user", default="app")
    parser.add_argument("--password", required=True)
    parser.add_argument("--database", default="app")
    parser.add_argument("--admin", required=True, help="may terminate backends")
    parser.add_argument("--admin-password", default="")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kill-share", type=float, default=0.01,
                        help="share of statements that end with the client's reset")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args(arguments)


def main():
    options = options_from(sys.argv[1:])
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    random.seed(seed)
    check = Check(options)
    wrong = asyncio.run(check.run())
    print(json.dumps({"seed": seed, "wrong": wrong, "counts": dict(check.tally)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
