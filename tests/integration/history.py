"""What a MySQL or MariaDB server has been told, by its own general log: the oracle for replay, and
for the absence of round trips nobody asked for."""

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire

# Kinds that open and close connections, and what weirpool tells every new one.
COMING_AND_GOING = {"Connect", "Quit"}
SETUP = ("SET @@session.collation_connection=", "SET @@session.session_track_system_variables=")


class History:
    """`with History(server) as told: …` and then told() -> [(kind, text), …] in order, of one user,
    without logins and the set-up behind them."""

    def __init__(self, server, user=USER):
        self.server = server
        self.user = user
        self.admin = None

    def _run(self, sql):
        with self.admin.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def __enter__(self):
        self.admin = self.server.admin()
        self.clear()
        return self

    def clear(self):
        """From here on."""
        self._run("set global general_log = off")
        self._run("truncate table mysql.general_log")
        self._run("set global log_output = 'TABLE'")
        self._run("set global general_log = on")

    def __call__(self):
        rows = self._run("select command_type, convert(argument using utf8mb4) from "
                         f"mysql.general_log where user_host like '%{self.user}%'")
        return [(kind, text) for kind, text in rows
                if kind not in COMING_AND_GOING and not text.startswith(SETUP)]

    def __exit__(self, *_):
        self._run("set global general_log = off")
        self._run("set global log_output = 'FILE'")
        self.admin.close()


def play(weir, server, aio, scenario, clients=2):
    """Runs `scenario(told, *clients)` with clients that have connected, and told() empty."""
    async def run(told):
        opened = [await mywire.MyConn.connect(HOST, weir.port, USER, PASSWORD, DATABASE, charset=0)
                  for _ in range(clients)]
        await opened[0].query("select 1")
        told.clear()
        await scenario(told, *opened)
        for one in opened:
            await one.close()

    with History(server) as told:
        aio(run(told))


def statements(told):
    """Texts alone; both servers name their own kinds."""
    return [text for _, text in told()]
