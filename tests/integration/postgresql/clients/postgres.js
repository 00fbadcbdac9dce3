// postgres.js, which pipelines and prepares by itself, step by step.
'use strict';
const postgres = require('postgres');
const { run, outcome } = require('./steps');

async function main() {
  const notices = [];
  const sql = postgres(process.env.URL, { max: 1, onnotice: (notice) => notices.push(notice.message) });
  const rows = async (query) => [...await query];

  await run({
    simple: () => rows(sql`select 1 as n, null as nothing, array[1,2] as list`),
    parameters: () => rows(sql`select ${7}::int as a, ${'ä'} as b, ${sql.json({ x: 1 })} as c`),
    repeated: async () => {
      const seen = [];
      for (let i = 0; i < 6; i += 1) seen.push(await rows(sql`select ${i}::int + 1 as n`));
      return seen;
    },
    pipelined: () => Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => rows(sql`select ${n}::int as n`))),
    pipelinedWithAnError: () => Promise.all([
      outcome(() => rows(sql`select ${1}::int as n`)), outcome(() => rows(sql`select 1/${0}::int`)),
      outcome(() => rows(sql`select ${3}::int as n`))]),
    transaction: () => sql.begin(async (tx) => {
      await tx`create temp table t (n int) on commit drop`;
      await tx`insert into t ${tx([{ n: 1 }, { n: 2 }], 'n')}`;
      const inner = await outcome(() => tx.savepoint(async (point) => {
        await point`insert into t values (3)`;
        await point`select 1/0`;
      }));
      return [inner, [...await tx`select sum(n)::int from t`]];
    }),
    failedTransaction: () => sql.begin(async (tx) => { await tx`select 1/0`; }),
    unprepared: () => rows(sql.unsafe('select 1 as n; select 2 as n')),
    simpleProtocol: () => rows(sql`select 1 as n`.simple()),
    described: async () => (await sql`select ${1}::int as a, 'x' as b`.describe()).columns.map((c) => c.name),
    cursor: async () => {
      const seen = [];
      await sql`select generate_series(1, 25) as n`.cursor(10, (part) => { seen.push(part.length); });
      return seen;
    },
    copyIn: () => sql.begin(async (tx) => {
      await tx`create temp table c (n int) on commit drop`;
      const writable = await tx`copy c from stdin`.writable();
      await new Promise((resolve, reject) => {
        writable.on('error', reject).on('finish', resolve);
        writable.write('1\n2\n');
        writable.end('3\n');
      });
      return [...await tx`select sum(n)::int from c`];
    }),
    listen: async () => {
      const heard = [];
      const { unlisten } = await sql.listen('conform_pjs', (payload) => heard.push(payload));
      await sql.notify('conform_pjs', 'one');
      for (let i = 0; i < 200 && heard.length === 0; i += 1) {
        await new Promise((resolve) => { setTimeout(resolve, 10); });
      }
      await unlisten();
      return heard;
    },
    notices: async () => {
      await sql.unsafe("do $$ begin raise notice 'hello'; end $$");
      return notices.splice(0);
    },
    syntax: () => rows(sql.unsafe('selec')),
  });
  await sql.end();
  console.log('done');
}

main().catch((error) => { console.error(error); process.exit(1); });
