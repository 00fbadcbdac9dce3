"""A client of PostgreSQL for the isolation check: queries, transactions, pipelines, errors. What a
session holds for it is looked after in postgres_session.py."""

import random

from actor import EXCUSES, Actor, Killed, Wrong, expect
from postgres_session import PostgresSession
from weirtest import pgwire


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
