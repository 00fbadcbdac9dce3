"""Session state of MySQL clients for the isolation check: what a client has set it finds again, and
what others have set it never sees, on whatever backend it is served."""

import hashlib
import random
import struct

from actor import expect
from weirtest.mywire import COM_QUERY, COM_RESET, COM_STMT_EXECUTE, VAR_STRING
from weirtest.wire import DatabaseError

PREPARATION = (
    "drop table if exists isolation_ids, isolation_loaded",
    "create table isolation_ids (id int auto_increment primary key, token varchar(80))",
    "create table isolation_loaded (token varchar(80), key (token))",
    "set global local_infile = 1",
    "drop procedure if exists isolation_tells",
    "drop procedure if exists isolation_leaves",
    "create procedure isolation_tells(token varchar(80)) begin select token; select 2; end",
    # What no server reports.
    "create procedure isolation_leaves(token varchar(80)) select token into @left_behind",
)


class StateOperations:
    """Mixed into an actor, which brings ask(), perhaps_die(), token(), connection, options
    and number."""

    holders = set()  # of the one lock, by number

    def state_operations(self):
        return (self.settings, self.insert_id, self.temporary, self.diagnostics, self.typed,
                self.lock, self.prepared_in_sql, self.cursor, self.long_data, self.found_rows,
                self.changed_user, self.called, self.called_and_left, self.loaded, self.warned)

    async def settings(self):
        """A setting, a schema and a user variable that nobody else has."""
        zone = f"+{self.number // 60:02}:{self.number % 60:02}"
        mine = f"me-{self.number}"
        if not self.connection.state.get("settings"):
            await self.ask(f"set time_zone = '{zone}'")
            await self.ask(f"set @mine = '{mine}'")
            self.connection.state["settings"] = True
        answer = await self.ask("select @@session.time_zone, @mine, @never_set")
        expect(answer.rows, [(zone.encode(), mine.encode(), None)], "settings")

    async def insert_id(self):
        token = self.token()
        inserted = await self.ask(f"insert into isolation_ids (token) values ('{token}')")
        answer = await self.ask("select last_insert_id(), (select token from isolation_ids "
                                "where id = last_insert_id())")
        expect(answer.rows, [(str(inserted.last_id).encode(), token.encode())], "insert id")
        answer = await self.ask("select last_insert_id()")
        expect(answer.rows, [(str(inserted.last_id).encode(),)], "insert id alone")

    async def temporary(self):
        """All have the same name: it would be there already if somebody's had been left behind."""
        token = self.token()
        await self.ask("create temporary table isolation_temporary (token varchar(80))")
        await self.ask(f"insert into isolation_temporary values ('{token}')")
        answer = await self.ask("select token from isolation_temporary")
        expect(answer.rows, [(token.encode(),)], "temporary table")
        await self.ask("drop table isolation_temporary")

    async def diagnostics(self):
        token = self.token()
        try:
            await self.ask(f"select `{token}`")
        except DatabaseError as error:
            if error.code != 1054:
                raise
        rows = (await self.ask("show warnings")).rows
        expect([token.encode() in row[2] for row in rows], [True], f"warnings {rows}")

    async def lock(self):
        """All want the same one: whoever has been told to have it is the only one."""
        answer = await self.ask("select get_lock('isolation', 0)")
        if answer.rows == [(b"0",)]:
            return
        expect((answer.rows, self.holders), ([(b"1",)], set()), "lock")
        self.holders.add(self.number)
        try:
            answer = await self.ask("select is_free_lock('isolation')")
            expect(answer.rows, [(b"0",)], "lock that is held")
        finally:
            self.holders.discard(self.number)
        answer = await self.ask("select release_lock('isolation')")
        expect(answer.rows, [(b"1",)], "lock released")

    async def prepared_in_sql(self):
        token = self.token()
        quoted = random.choice((f"'select ''{token}'''", '"select \'' + token + '\'"'))
        await self.ask(f"prepare mine from {quoted}")
        answer = await self.ask("execute mine")
        expect(answer.rows, [(token.encode(),)], "prepared in SQL")
        await self.ask("deallocate prepare mine")

    async def cursor(self):
        one, token = self.connection, self.token()
        statement = await one.prepare(
            "with recursive g(n) as (select 1 union all select n + 1 from g where n < 20) "
            "select concat(cast(? as char), '-', n) from g")
        rows = (await one.execute(statement, [token.encode()], cursor=1)).rows
        await self.perhaps_die()
        for _ in range(3):
            rows += (await one.fetch(statement, 7)).rows
        expect(rows, [(f"{token}-{n}".encode(),) for n in range(1, 21)], "cursor")
        one.close_statement(statement)

    async def long_data(self):
        one, token = self.connection, self.token().encode()
        statement = await one.prepare("select sha2(?, 256)")
        for part in (token, token * 2000, token):
            one.long_data(statement, 0, part)
        await self.perhaps_die()
        one.command(COM_STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1) + b"\0\1" +
                    struct.pack("<H", VAR_STRING))
        answer = await one.answer(binary=True)
        expect(answer.rows, [(hashlib.sha256(token * 2002).hexdigest().encode(),)], "long data")
        one.close_statement(statement)

    async def found_rows(self):
        count = random.randrange(5, 500)
        answer = await self.ask(
            f"with recursive g(n) as (select 1 union all select n + 1 from g where n < {count}) "
            "select sql_calc_found_rows n from g limit 2")
        expect(answer.rows, [(b"1",), (b"2",)], "limited")
        answer = await self.ask("select found_rows()")
        expect(answer.rows, [(str(count).encode(),)], "found rows")

    async def changed_user(self):
        """Nothing of the session before it is left."""
        one, options = self.connection, self.options
        one.named, one.state = None, {}
        await one.change_user(options.user, options.password, options.database,
                              b"mysql_native_password")
        answer = await self.ask("select @mine, database()")
        expect(answer.rows, [(None, options.database.encode())], "changed user")

    async def typed(self):
        """One text for all, with parameters of different types, bound once and then taken for
        granted."""
        one = self.connection
        kind, value, shown = ((8, self.number.to_bytes(8, "little"), str(self.number).encode())
                              if self.number % 2 else (253, b"\2ab", b"ab"))
        if "typed" not in one.state:
            one.state["typed"] = await one.prepare("select concat(?)")
            answer = await one.execute_raw(one.state["typed"], kind, value)
            expect(answer.rows, [(shown,)], "typed, bound")
        answer = await one.execute_raw(one.state["typed"], None, value)
        expect(answer.rows, [(shown,)], "typed, taken for granted")
        if random.random() < 0.1:
            one.close_statement(one.state.pop("typed"))

    async def called(self):
        token = self.token()
        answer = await self.ask(f"call isolation_tells('{token}')")
        expect((answer.results, answer.rows), (3, [(token.encode(),), (b"2",)]), "called")

    async def called_and_left(self):
        """What a procedure has left is there until a reset, and nobody else's before that."""
        token = self.token()
        expect((await self.ask("select @left_behind")).rows, [(None,)], "somebody else's call")
        await self.ask(f"call isolation_leaves('{token}')")
        answer = await self.ask("select @left_behind")
        expect(answer.rows, [(token.encode(),)], "left by a call")
        self.connection.named, self.connection.state = None, {}
        self.connection.command(COM_RESET)
        await self.connection.answer()

    async def loaded(self):
        one, token = self.connection, self.token()
        one.command(COM_QUERY, b"load data local infile 'tokens' into table isolation_loaded")
        await one.asked_for_file()
        for part in (token, "-1\n", f"{token}-2\n" * random.randrange(1, 400)):
            one.send(part.encode())
        await self.perhaps_die()
        one.send(b"")
        wanted = (await one.answer()).affected
        answer = await self.ask("select count(*), count(distinct token) from isolation_loaded "
                                f"where token like '{token}-%'")
        expect(answer.rows, [(str(wanted).encode(), b"2")], "loaded")

    async def warned(self):
        """Some statements clear nothing on MariaDB: what is shown then is nobody else's."""
        await self.ask("do 1")
        for row in (await self.ask("show warnings")).rows:
            foreign = b"tok-" in row[2] and f"tok-{self.number}-".encode() not in row[2]
            expect(foreign, False, f"warnings of somebody else: {row}")
