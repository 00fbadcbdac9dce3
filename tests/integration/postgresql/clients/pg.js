// node-postgres: what an application does with it, step by step.
'use strict';
const { Client } = require('pg');
const Cursor = require('pg-cursor');
const { run, outcome } = require('./steps');

async function main() {
  const client = new Client({ connectionString: process.env.URL });
  await client.connect();
  const notices = [];
  const heard = [];
  client.on('notice', (notice) => notices.push(notice.message));
  client.on('notification', (message) => heard.push([message.channel, message.payload]));
  const rows = async (...query) => (await client.query(...query)).rows;

  await run({
    simple: () => rows('select 1 as n, null as nothing, array[1,2] as list'),
    several: async () => (await client.query('select 1; select 2; select 3')).map((r) => r.rows),
    parameters: () => rows('select $1::int as a, $2::text as b, $3::jsonb as c', [7, 'ä', { x: 1 }]),
    named: async () => {
      const seen = [];
      for (let i = 0; i < 6; i += 1) {
        seen.push(await rows({ name: 'plus', text: 'select $1::int + 1 as n', values: [i] }));
      }
      return seen;
    },
    nameTakenByAnotherText: () => rows({ name: 'plus', text: 'select 2' }),
    queued: () => Promise.all([1, 2, 3, 4, 5].map((n) => rows('select $1::int as n', [n]))),
    queuedWithAnError: () => Promise.all([
      outcome(() => rows('select 1 as n')), outcome(() => rows('select 1/0')),
      outcome(() => rows('select 3 as n'))]),
    failedTransaction: async () => {
      await client.query('begin');
      return [await outcome(() => rows('select 1/0')), await outcome(() => rows('select 1')),
        (await client.query('rollback')).command];
    },
    temporary: async () => {
      await client.query('create temp table t (n int)');
      await client.query('insert into t select generate_series(1, 250)');
      const cursor = client.query(new Cursor('select n from t order by n'));
      const seen = [];
      for (let part = await cursor.read(100); part.length > 0; part = await cursor.read(100)) {
        seen.push(part.length);
      }
      await cursor.close();
      return seen;
    },
    settings: async () => {
      await client.query("set timezone = 'Asia/Tokyo'");
      await client.query("set search_path = pg_catalog");
      return [await rows('show timezone'), await rows('show search_path'),
        (await client.query('reset all')).command, await rows('show search_path')];
    },
    notices: async () => {
      await client.query("do $$ begin raise notice 'hello'; end $$");
      return notices.splice(0);
    },
    listen: async () => {
      await client.query('listen conform_js');
      await client.query("notify conform_js, 'one'");
      await client.query('select 1');
      await client.query('unlisten *');
      return heard.splice(0);
    },
    large: async () => (await rows('select length($1) as n, repeat($2, 1000000) as r',
      ['x'.repeat(2000000), 'y']))[0].r.length,
    empty: () => rows(''),
    syntax: () => rows('selec'),
  });
  await client.end();
  console.log('done');
}

main().catch((error) => { console.error(error); process.exit(1); });
