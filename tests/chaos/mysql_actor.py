"""A client of MySQL for the isolation check: queries, transactions, prepared statements, errors. What
a session holds for it is looked after in mysql_state.py."""

import random

from actor import EXCUSES, Actor, Killed, Wrong, expect
from mysql_state import StateOperations
from weirtest import mywire
from weirtest.wire import DatabaseError


class MySqlActor(StateOperations, Actor):
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
