"""PyMySQL and mysqlclient: the scenario of every driver, written down as what it saw.

usage: dbapi.py pymysql|mysqlclient < places      prints {place: [[step, what was seen], …]}
"""

import datetime
import decimal
import json
import os
import sys
import tempfile

KIND = sys.argv[1]
if KIND == "pymysql":
    import pymysql as driver
    from pymysql.cursors import SSCursor
    from pymysql.constants import CLIENT
    MULTI, FOUND_ROWS = CLIENT.MULTI_STATEMENTS, CLIENT.FOUND_ROWS
else:
    import MySQLdb as driver
    from MySQLdb.cursors import SSCursor
    from MySQLdb.constants import CLIENT
    MULTI, FOUND_ROWS = CLIENT.MULTI_STATEMENTS, CLIENT.FOUND_ROWS


def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (decimal.Decimal, datetime.date, datetime.timedelta)):
        return str(value)
    return value


def connect(place, **more):
    options = {"host": place["host"], "port": place["port"], "user": place["user"],
               "charset": "utf8mb4", "database": place["database"], "local_infile": True}
    options["password"] = place["password"]
    if place.get("tls"):
        options["ssl"] = {"ca": place["ca"]}
    if place.get("compress") and KIND == "mysqlclient":
        options["compress"] = True
    options.update(more)
    return driver.connect(**options)


class Scenario:
    def __init__(self, place):
        self.place = place
        self.seen = []
        self.connection = connect(place, client_flag=MULTI)

    def note(self, step, value):
        self.seen.append([step, plain(value)])

    def run(self, step, sql, arguments=None):
        cursor = self.connection.cursor()
        try:
            cursor.execute(sql, arguments)
            sets = []
            while True:
                rows = cursor.fetchall() if cursor.description else []
                columns = [one[:2] for one in cursor.description or ()]
                sets.append([columns, cursor.rowcount, rows, cursor.lastrowid])
                if not cursor.nextset():
                    break
            self.note(step, sets)
        except driver.Error as error:
            self.note(step, ["error", *error.args])
        finally:
            cursor.close()

    def values(self):
        self.run("values", "select 1, -2, 3.50, 1e3, null, 'ä€😀', x'00ff27', date'2020-02-29', "
                 "time'-12:34:56', timestamp'2020-01-01 00:00:00.5', true, '' as empty")
        self.run("arguments", "select %s, %s, %s, hex(%s)", ("quote ' and \\", None, 7, b"\0\xff"))
        self.run("many columns", "select " + ",".join(str(n) for n in range(300)))
        self.run("many rows", "with recursive n(i) as (select 1 union all select i + 1 from n "
                 "where i < 700) select i, repeat('x', i % 7) from n")

    def changes(self):
        self.run("drop", "drop table if exists d_t")
        self.run("create", "create table d_t (id int primary key auto_increment, v varchar(50), "
                 "unique (v)) engine=innodb")
        self.run("insert", "insert into d_t (v) values ('a'), ('b'), ('c')")
        self.run("last id", "select last_insert_id()")
        self.run("same again", "update d_t set v = 'a' where v = 'a'")
        self.run("duplicate", "insert into d_t (v) values ('a')")
        self.run("unknown", "select nothing from d_t")
        self.run("syntax", "selec 1")
        self.run("after", "select count(*) from d_t")
        cursor = self.connection.cursor()
        self.note("executemany", cursor.executemany(
            "insert into d_t (v) values (%s)", [(f"m{n}",) for n in range(50)]))
        cursor.close()
        self.connection.commit()

    def transactions(self):
        self.connection.autocommit(True)
        self.run("auto", "select @@autocommit")
        self.connection.begin()
        self.run("in", "insert into d_t (v) values ('gone')")
        self.run("seen", "select count(*) from d_t where v = 'gone'")
        self.connection.rollback()
        self.run("undone", "select count(*) from d_t where v = 'gone'")
        self.connection.autocommit(False)
        self.run("no auto", "select @@autocommit")
        self.run("stays", "insert into d_t (v) values ('stays')")
        self.connection.commit()
        self.run("kept", "select count(*) from d_t where v = 'stays'")
        self.connection.rollback()
        self.connection.autocommit(True)

    def several(self):
        """Last: what procedures and settings among several statements leave behind keeps a client
        on its backend, and nothing moves any more."""
        self.run("several", "select 1 as a; update d_t set v = 'z' where v = 'c'; select 'x', 'y'")
        self.run("several and an error", "select 1; select nothing; select 2")
        self.run("drop procedure", "drop procedure if exists d_p")
        self.run("procedure", "create procedure d_p(in a int, out b int) begin select a; "
                 "select a + 1, 'two'; set b = a * 2; end")
        self.run("call", "call d_p(20, @d_out)")
        self.run("out", "select @d_out")
        self.run("zone among others", "set time_zone = '+04:00'; select @@time_zone")

    def settings(self):
        self.run("mode", "set session sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'")
        self.run("mode works", 'select "id" from d_t order by "id" limit 1')
        self.run("zone", "set time_zone = '+03:00'")
        self.run("zone works", "select @@time_zone, from_unixtime(0)")
        self.run("names", "set names latin1")
        self.run("names work", "select @@character_set_client, @@collation_connection")
        self.run("names back", "set names utf8mb4 collate utf8mb4_bin")
        self.run("collation", "select @@collation_connection")
        self.connection.select_db(self.place["other"])
        self.run("schema", "select database()")
        self.run("use", "use " + self.place["database"])
        self.run("schema again", "select database()")
        self.run("variable", "set @d_v = 5")
        self.run("variable stays", "select @d_v, @d_v + 1")
        self.connection.ping()

    def files(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as out:
            out.writelines(f"f{n}\n" for n in range(2000))
        self.run("table", "create temporary table d_f (v varchar(20))")
        self.run("load", f"load data local infile '{out.name}' into table d_f")
        self.run("loaded", "select count(*), min(v), max(v) from d_f")
        self.run("empty", f"load data local infile '{os.devnull}' into table d_f")
        self.run("missing", "load data local infile '/no/such/file' into table d_f")
        self.run("loaded still", "select count(*) from d_f")
        self.run("gone", "drop temporary table d_f")
        os.unlink(out.name)

    def streams(self):
        cursor = self.connection.cursor(SSCursor)
        cursor.execute("with recursive n(i) as (select 1 union all select i + 1 from n "
                       "where i < 900) select i from n")
        self.note("first rows", cursor.fetchmany(5))
        self.note("the others", sum(row[0] for row in cursor))
        cursor.close()
        size = self.place["large"]
        self.run("large", "select length(%s), md5(%s)", ("x" * size, "y" * size))
        cursor = self.connection.cursor()
        cursor.execute(f"select repeat('z', {size})")
        self.note("large result", len(cursor.fetchone()[0]))
        cursor.close()

    def others(self):
        found = connect(self.place, client_flag=FOUND_ROWS)
        cursor = found.cursor()
        self.note("found rows", cursor.execute("update d_t set v = 'a' where v = 'a'"))
        found.close()
        if KIND == "mysqlclient":
            self.connection.change_user(self.place["user"], self.place["password"],
                                        self.place["other"])
            self.run("changed user", "select current_user(), database(), @d_v")
            try:
                self.connection.change_user("nobody", "nothing", "")
            except driver.Error as error:
                self.note("refused", error.args[0])
            return
        self.connection.close()


def play(place):
    scenario = Scenario(place)
    for part in (scenario.values, scenario.changes, scenario.transactions, scenario.settings,
                 scenario.files, scenario.streams, scenario.several, scenario.others):
        part()
    return scenario.seen


json.dump({place["name"]: play(place) for place in json.load(sys.stdin)}, sys.stdout)
