"""Session state of MySQL clients for the isolation check: what a client has set it finds again, and
what others have set it never sees, on whatever backend it is served."""

import random

from weirtest.wire import DatabaseError


class StateOperations:
    """Mixed into an actor, which brings ask(), token(), expect(), connection and number."""

    def state_operations(self):
        return (self.settings, self.insert_id, self.temporary, self.diagnostics, self.typed)

    async def settings(self):
        """A setting, a schema and a user variable that nobody else has."""
        zone = f"+{self.number // 60:02}:{self.number % 60:02}"
        mine = f"me-{self.number}"
        if not self.connection.state.get("settings"):
            await self.ask(f"set time_zone = '{zone}'")
            await self.ask(f"set @mine = '{mine}'")
            self.connection.state["settings"] = True
        answer = await self.ask("select @@session.time_zone, @mine, @never_set")
        self.expect(answer.rows, [(zone.encode(), mine.encode(), None)], "settings")

    async def insert_id(self):
        token = self.token()
        inserted = await self.ask(f"insert into isolation_ids (token) values ('{token}')")
        answer = await self.ask("select last_insert_id(), (select token from isolation_ids "
                                "where id = last_insert_id())")
        self.expect(answer.rows, [(str(inserted.last_id).encode(), token.encode())], "insert id")
        answer = await self.ask("select last_insert_id()")
        self.expect(answer.rows, [(str(inserted.last_id).encode(),)], "insert id alone")

    async def temporary(self):
        """All have the same name: it would be there already if somebody's had been left behind."""
        token = self.token()
        await self.ask("create temporary table isolation_temporary (token varchar(80))")
        await self.ask(f"insert into isolation_temporary values ('{token}')")
        answer = await self.ask("select token from isolation_temporary")
        self.expect(answer.rows, [(token.encode(),)], "temporary table")
        await self.ask("drop table isolation_temporary")

    async def diagnostics(self):
        token = self.token()
        try:
            await self.ask(f"select `{token}`")
        except DatabaseError as error:
            if error.code != 1054:
                raise
        rows = (await self.ask("show warnings")).rows
        self.expect([token.encode() in row[2] for row in rows], [True], f"warnings {rows}")

    async def typed(self):
        """One text for all, with parameters of different types, bound once and then taken for
        granted."""
        one = self.connection
        kind, value, shown = ((8, self.number.to_bytes(8, "little"), str(self.number).encode())
                              if self.number % 2 else (253, b"\2ab", b"ab"))
        if "typed" not in one.state:
            one.state["typed"] = await one.prepare("select concat(?)")
            answer = await one.execute_raw(one.state["typed"], kind, value)
            self.expect(answer.rows, [(shown,)], "typed, bound")
        answer = await one.execute_raw(one.state["typed"], None, value)
        self.expect(answer.rows, [(shown,)], "typed, taken for granted")
        if random.random() < 0.1:
            one.close_statement(one.state.pop("typed"))
