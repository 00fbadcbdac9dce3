"""Operations of the isolation check on what PostgreSQL keeps for a session: settings, prepared
statements, channels, temporary tables, locks, COPY, cancels. Whatever one client does, no other may
see; whatever it has set, it finds again on any backend. A mixin of PostgresActor."""

import asyncio
import random

from actor import expect
from weirtest import pgwire

TRACES = """select coalesce(current_setting('my.isolation', true), ''), current_setting('work_mem'),
 current_setting('timezone'), (select count(*) from pg_listening_channels()),
 (select count(*) from pg_class where relnamespace = pg_my_temp_schema()),
 (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
 (select count(*) from pg_prepared_statements where from_sql),
 (select count(*) from pg_cursors)"""


class PostgresSession:
    def session_operations(self):
        return (self.set, self.set_undone, self.traces, self.listen, self.temporary, self.lock,
                self.prepared_in_sql, self.kept_in_sql, self.copied, self.copy_fails,
                self.cancelled, self.renamed, self.batch_of_settings)

    def wanted(self):
        """What this client has set so far; a new one wants the defaults."""
        if getattr(self.connection, "wanted", None) is None:
            self.connection.wanted = {"my.isolation": "", "work_mem": "4MB", "timezone": "Etc/UTC"}
        return self.connection.wanted

    async def set(self):
        wanted = self.wanted()
        name, value = random.choice((
            ("my.isolation", self.token()), ("work_mem", f"{random.randrange(1, 9) * 1024}kB"),
            ("timezone", random.choice(("Asia/Tokyo", "Europe/Rome", "Etc/UTC")))))
        if name == "timezone" and self.kept():
            # What was prepared under another one would pin, and four pins stop everybody.
            await self.ask(pgwire.query("deallocate all"))
            self.kept().clear()
            self.connection.prepared.clear()
        text = random.choice(("set {} = '{}'", "select set_config('{}', '{}', false)"))
        if random.random() < 0.5:
            await self.ask(pgwire.query(text.format(name, value)))
        else:
            await self.ask(pgwire.parse("", text.format(name, value)), pgwire.bind("", ""),
                           pgwire.execute(), pgwire.SYNC)
        wanted[name] = f"{int(value[:-2]) // 1024}MB" if name == "work_mem" else value
        await self.traces()

    async def set_undone(self):
        """What a transaction has set is gone with it."""
        self.wanted()
        await self.ask(pgwire.query("begin"))
        await self.ask(pgwire.query(f"set my.isolation = '{self.token()}'"))
        if random.random() < 0.5:
            await self.ask(pgwire.query("set local work_mem = '64kB'; set timezone = 'Asia/Tokyo'"))
        await self.ask(pgwire.query("rollback"))
        await self.traces()

    async def batch_of_settings(self):
        """Pipelined behind each other, each answer must have its own."""
        tokens = [self.token() for _ in range(4)]
        wanted = self.wanted()
        for token in tokens:
            self.connection.send(pgwire.query(f"set my.isolation = '{token}'"),
                                 pgwire.query("show my.isolation"))
        await self.perhaps_die()
        for token in tokens:
            (await self.connection.answer()).check()
            expect((await self.connection.answer()).check().rows, [(token.encode(),)], "settings")
        wanted["my.isolation"] = tokens[-1]
        await self.traces()

    async def traces(self):
        """Nothing here but what this client has set."""
        wanted = self.wanted()
        rows = (await self.ask(pgwire.query(TRACES))).rows
        expect(rows, [(wanted["my.isolation"].encode(), wanted["work_mem"].encode(),
                     wanted["timezone"].encode(), b"0", b"0", b"0",
                     str(len(self.kept())).encode(), b"0")], "traces")

    async def listen(self):
        """It hears what it has been told, and by itself (isolation.py) nobody else does."""
        channel, token = f"channel_{self.number}", self.token()
        self.connection.listens = True
        await self.ask(pgwire.query(f"listen {channel}"))
        answer = await self.ask(pgwire.query(f"notify {channel}, '{token}'"))
        expect(answer.heard, [(channel, token)], "notifications")
        rows = (await self.ask(pgwire.query("select * from pg_listening_channels()"))).rows
        expect(rows, [(channel.encode(),)], "channels")
        await self.ask(pgwire.query("unlisten *"))
        self.connection.listens = False
        await self.ask(pgwire.query(f"notify {channel}, '{token}'"))
        await self.traces()

    async def temporary(self):
        token = self.token()
        ending = random.choice(("", " on commit drop"))
        begin, end = ("begin;", "commit") if ending else ("", "drop table mine")
        await self.ask(pgwire.query(
            f"{begin}create temp table mine{ending} as select '{token}' as token"))
        expect((await self.ask(pgwire.query("select token from mine"))).rows, [(token.encode(),)],
             "temporary table")
        await self.ask(pgwire.query(end))
        await self.traces()

    async def lock(self):
        expect((await self.ask(pgwire.query(
            f"select pg_try_advisory_lock({self.number})"))).rows, [(b"t",)], "lock")
        await self.ask(pgwire.query(f"select pg_advisory_unlock({self.number})"))
        await self.traces()

    async def prepared_in_sql(self):
        token = self.token()
        await self.ask(pgwire.query(f"prepare mine as select '{token}'"))
        expect((await self.ask(pgwire.query("execute mine"))).rows, [(token.encode(),)], "execute")
        ending = random.choice(("deallocate mine", "deallocate all"))
        await self.ask(pgwire.query(ending))
        if ending == "deallocate all":
            self.kept().clear()
        self.connection.prepared.clear()
        self.connection.send(*(pgwire.close_statement(f"{kind}{n}") for kind in "sp"
                               for n in range(3)), pgwire.SYNC)
        (await self.connection.answer()).check()
        await self.traces()

    def kept(self):
        """What this client has prepared in SQL and not deallocated."""
        if getattr(self.connection, "kept", None) is None:
            self.connection.kept = {}
        return self.connection.kept

    async def kept_in_sql(self):
        """All clients use the same three names, and find their own statement on any backend."""
        kept, name, token = self.kept(), f"kept{random.randrange(3)}", self.token()
        if name in kept and random.random() < 0.3:
            await self.ask(pgwire.query(f"deallocate {name}"))
            del kept[name]
            self.connection.send(pgwire.query(f"execute {name}('x')"))
            await self.perhaps_die()
            answer = await self.connection.answer()
            expect([error.code for error in answer.errors], ["26000"], "deallocated")
        if name not in kept:
            begin, end = random.choice((("", ""), ("begin", "rollback"), ("begin", "commit")))
            if begin:
                await self.ask(pgwire.query(begin))
            await self.ask(pgwire.query(f"prepare {name}(text) as select $1 || '{token}'"))
            if end:
                await self.ask(pgwire.query(end))
            kept[name] = token
        for word in random.sample(sorted(kept), random.randrange(len(kept)) + 1):
            rows = (await self.ask(pgwire.query(f"execute {word}('{name}')"))).rows
            expect(rows, [((name + kept[word]).encode(),)], "kept in SQL")
        await self.traces()

    async def renamed(self):
        """The same name for another text after a Close, in one batch."""
        token = self.token()
        answer = await self.ask(
            pgwire.close_statement("again"), pgwire.parse("again", f"select '{token}'"),
            pgwire.bind("", "again"), pgwire.execute(), pgwire.SYNC)
        expect(answer.rows, [(token.encode(),)], "renamed")

    async def copied(self):
        token = self.token()
        answer = await self.ask(pgwire.query(
            f"copy (select '{token}' from generate_series(1, 50)) to stdout"))
        expect(answer.copied, f"{token}\n".encode() * 50, "copy out")
        await self.ask(pgwire.query("begin; create temp table rows (t text) on commit drop"))
        self.connection.send(pgwire.query("copy rows from stdin"))
        expect((await self.connection.answer()).check().kinds, "G", "copy in")
        self.connection.send(pgwire.message(b"d", f"{token}\n".encode()), pgwire.message(b"c"))
        await self.perhaps_die()
        expect((await self.connection.answer()).check().tags, ["COPY 1"], "copy in")
        expect((await self.ask(pgwire.query("select t from rows"))).rows, [(token.encode(),)], "rows")
        await self.ask(pgwire.query("commit"))

    async def copy_fails(self):
        """Rows that come behind the error belong to nobody."""
        await self.ask(pgwire.query("begin; create temp table rows (n int) on commit drop"))
        self.connection.send(pgwire.query("copy rows from stdin"))
        expect((await self.connection.answer()).check().kinds, "G", "copy in")
        self.connection.send(*(pgwire.message(b"d", b"nonsense\n") for _ in range(3)),
                             pgwire.message(b"c"))
        await self.perhaps_die()
        answer = await self.connection.answer()
        expect([error.code for error in answer.errors], ["22P02"], "copy of nonsense")
        await self.ask(pgwire.query("rollback"))
        await self.traces()

    async def cancelled(self):
        """A cancel ends its own statement and no other. It may come too late."""
        token = self.token()
        self.connection.send(pgwire.query(f"select '{token}' from pg_sleep(0.3)"))
        await asyncio.sleep(random.uniform(0, 0.3))
        one = self.connection
        canceller = asyncio.create_task(
            pgwire.cancel("127.0.0.1", self.options.port, one.process, one.secret))
        answer = await self.connection.answer()
        await asyncio.wait([canceller], timeout=20)
        if canceller.done() and not canceller.cancelled():
            canceller.exception()  # a proxy that is busy with deaths may close it
        if answer.errors:
            if answer.errors[0].code != "57014":
                raise answer.errors[0]
        else:
            expect(answer.rows, [(token.encode(),)], "cancelled too late")
