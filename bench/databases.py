"""The throw-away servers of the tests, with what measuring needs on top."""

import psycopg2
import pymysql

from servers import DATABASE, HOST, PASSWORD, USER, MySqlServer, PostgresServer

POOL_USERS = 1000


class BenchServer:
    """Mixed into a DatabaseServer: who else may log in, and whether somebody in front of it answers."""

    users = ()

    def extra_users(self):
        """As Weirpool's configuration wants them; empty until add_users()."""
        return {user: {"password": PASSWORD} for user in self.users}

    def answers(self, port):
        try:
            self.connect(port, USER).close()
            return True
        except (psycopg2.Error, pymysql.Error, OSError):
            return False


class BenchPostgres(BenchServer, PostgresServer):
    trusted_user = "floor"

    def prepare(self):
        super().prepare()
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all {self.trusted_user} 127.0.0.1/32 trust\n" + rules.read_text())

    def fill(self):
        super().fill()
        self.execute(f"create role {self.trusted_user} login in role {USER}")
        # A thousand roles with one password: one verifier for all, since each costs milliseconds.
        connection = self.admin(DATABASE)
        with connection.cursor() as cursor:
            cursor.execute("select rolpassword from pg_authid where rolname = %s", (USER,))
            (verifier,) = cursor.fetchone()
            for number in range(POOL_USERS):
                cursor.execute(f"create role {self.user(number)} login in role {USER} "
                               f"password '{verifier}'")
        connection.close()

    @staticmethod
    def user(number):
        return f"tenant{number}"

    def add_users(self):
        self.users = [self.user(number) for number in range(POOL_USERS)]

    @staticmethod
    def connect(port, user):
        return psycopg2.connect(host=HOST, port=port, user=user, password=PASSWORD,
                                dbname=DATABASE, connect_timeout=5)


class BenchMySql(BenchServer, MySqlServer):
    def fill(self):
        super().fill()
        # From now on the server has the hash at hand that a login without TLS needs.
        self.connect(self.port, USER).close()

    @staticmethod
    def connect(port, user):
        return pymysql.connect(host=HOST, port=port, user=user, password=PASSWORD,
                               database="sbtest", connect_timeout=5)
