#!/usr/bin/env python3
"""The isolation check: every answer must be the asker's own, whatever dies meanwhile.

Many clients share few backends. Each statement carries a token nobody else has, and each answer
must carry it back. At random, clients are reset in the middle of a statement or of its result, and
backends are terminated by the database's administrator or reset on the wire (all traffic to the
database passes a relay in this program). At the end everybody must be served again. What a client
does is in postgres_actor.py and mysql_actor.py.

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

from actor import Wrong  # noqa: E402
from mysql_actor import MySqlActor  # noqa: E402
from mysql_state import PREPARATION  # noqa: E402
from postgres_actor import PostgresActor  # noqa: E402
from weirtest import mywire, pgwire  # noqa: E402
from weirtest.wire import DatabaseError, Lost  # noqa: E402


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
