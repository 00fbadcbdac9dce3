"""asyncpg, which prepares everything and sets its own parameters, against a bare server and through
Weirpool."""

import asyncio
import datetime

import asyncpg
import pytest

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


async def error_of(awaitable):
    with pytest.raises(asyncpg.PostgresError) as caught:
        await awaitable
    return type(caught.value).__name__, caught.value.sqlstate, caught.value.message


@scenario
async def values_of_all_kinds(connection):
    row = await connection.fetchrow(
        "select $1::int, $2::text, $3::bytea, $4::float8, $5::int[], $6::date, $7::numeric",
        7, "ä", b"\0\1", 0.5, [1, 2], datetime.date(2024, 2, 29), 3)
    return tuple(row)


@scenario
async def statements_and_their_descriptions(connection):
    statement = await connection.prepare("select $1::int as a, $2::text as b")
    seen = [[(one.name, one.type.name) for one in statement.get_attributes()],
            [one.name for one in statement.get_parameters()]]
    for number in range(5):
        seen.append(tuple(await statement.fetchrow(number, str(number))))
    return seen


@scenario
async def transactions_and_savepoints(connection):
    seen = []
    async with connection.transaction():
        await connection.execute("create temp table t (n int) on commit drop")
        await connection.executemany("insert into t values ($1)", [(n,) for n in range(20)])
        try:
            async with connection.transaction():
                await connection.execute("insert into t values (100)")
                await connection.execute("select 1/0")
        except asyncpg.DivisionByZeroError as error:
            seen.append(error.sqlstate)
        seen.append(await connection.fetchval("select sum(n) from t"))
    return seen


@scenario
async def cursors(connection):
    async with connection.transaction():
        seen = [row[0] async for row in connection.cursor("select generate_series(1, 120)")]
        cursor = await connection.cursor("select generate_series(1, 20)")
        await cursor.forward(5)
        seen.append([row[0] for row in await cursor.fetch(3)])
    return seen


@scenario
async def errors(connection):
    return [await error_of(connection.fetch("select 1/0")),
            await error_of(connection.fetch("selec")),
            await error_of(connection.execute("select 1; select 1/0")),
            await connection.fetchval("select 'fine'")]


@scenario
async def copies(connection):
    await connection.execute("create temp table c (a int, b text)")
    seen = [await connection.copy_records_to_table("c", records=[(n, str(n)) for n in range(300)])]
    out = bytearray()

    async def collect(data):
        out.extend(data)

    seen.append(await connection.copy_from_query("select * from c where a < 3", output=collect))
    return [*seen, bytes(out)]


@scenario
async def settings(connection):
    seen = [await connection.fetchval("select set_config('work_mem', '7MB', false)"),
            await connection.fetchval("show work_mem")]
    await connection.execute("set timezone to 'Asia/Tokyo'")
    seen.append(await connection.fetchval("select '2024-01-01 00:00+00'::timestamptz::text"))
    seen.append(connection.get_settings().TimeZone)
    await connection.reset()
    return [*seen, await connection.fetchval("show work_mem")]


@scenario
async def notifications(connection):
    heard = []
    await connection.add_listener("conform_a", lambda *told: heard.append(told[2:]))
    for number in range(3):
        await connection.execute(f"notify conform_a, '{number}'")
    await connection.fetchval("select 1")
    await connection.remove_listener("conform_a", print)
    await connection.reset()
    return heard


@scenario
async def cancelled_by_its_own_timeout(connection):
    with pytest.raises(TimeoutError):
        await connection.fetch("select pg_sleep(20)", timeout=0.2)
    return await connection.fetchval("select 'still here'")


@scenario
async def custom_types_are_looked_up(connection):
    async with connection.transaction():
        await connection.execute("create type conform_mood as enum ('sad', 'ok')")
        seen = await connection.fetchval("select array['ok']::conform_mood[]")
        await connection.execute("drop type conform_mood")
    return seen


CHANGES = ("add b text default 'new'", "alter a type text", "drop a", "rename b to c")


async def rows_between_changes(changing, asking):
    """The table changes under a statement that stays prepared."""
    await changing.execute("drop table if exists conform_changed")
    await changing.execute("create table conform_changed as select 1 as a")
    seen = []
    for change in ("set (fillfactor = 90)", *CHANGES):
        await changing.execute(f"alter table conform_changed {change}")
        for _ in range(3):
            row = await asking.fetchrow("select * from conform_changed")
            seen.append(sorted(row.items()))
    await changing.execute("drop table conform_changed")
    return seen


@scenario
async def tables_that_change(connection):
    return await rows_between_changes(connection, connection)


@pytest.mark.parametrize("name", SCENARIOS)
def test_asyncpg(same, aio, name):
    async def conduct(url):
        connection = await asyncpg.connect(url.split("?")[0], ssl=False)
        try:
            return repr(await SCENARIOS[name](connection))
        finally:
            await connection.close()

    same(lambda url: aio(conduct(url)))


def test_tables_that_somebody_else_changes(same, aio):
    async def conduct(url):
        changing, asking = [await asyncpg.connect(url.split("?")[0], ssl=False) for _ in range(2)]
        try:
            return await rows_between_changes(changing, asking)
        finally:
            await changing.close()
            await asking.close()

    same(lambda url: aio(conduct(url)))


def test_asyncpg_pool(same, aio):
    async def one(pool, number):
        async with pool.acquire() as connection:
            await connection.execute(f"set application_name to 'client {number}'")
            return await connection.fetchval("show application_name")

    async def conduct(url):
        async with asyncpg.create_pool(url.split("?")[0], ssl=False, min_size=2,
                                       max_size=6) as pool:
            return await asyncio.gather(*[one(pool, number) for number in range(40)])

    same(lambda url: aio(conduct(url)))
