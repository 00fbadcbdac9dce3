// node-postgres through Weirpool: simple and prepared queries, a transaction, a cursor, parallelism.
'use strict';
const assert = require('node:assert');
const { Pool } = require('pg');
const Cursor = require('pg-cursor');

async function main() {
  const pool = new Pool({ connectionString: process.env.URL, max: 10 });
  const one = await pool.query('select 1 as n');
  assert.strictEqual(one.rows[0].n, 1);

  const named = { name: 'named-sum', text: 'select $1::int + $2::int as sum', values: [2, 3] };
  for (let i = 0; i < 5; i += 1) assert.strictEqual((await pool.query(named)).rows[0].sum, 5);

  const client = await pool.connect();
  await client.query('begin');
  await client.query('create temporary table t (n int) on commit drop');
  await client.query('insert into t select generate_series(1, 250)');
  const cursor = client.query(new Cursor('select n from t order by n'));
  let read = 0;
  for (let rows = await cursor.read(100); rows.length > 0; rows = await cursor.read(100)) {
    read += rows.length;
  }
  assert.strictEqual(read, 250);
  await cursor.close();
  await client.query('rollback');
  await assert.rejects(client.query('select 1/0'), { code: '22012' });
  client.release();

  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    pool.query('select $1::text as token', [`token-${i}`])));
  answers.forEach((answer, i) => assert.strictEqual(answer.rows[0].token, `token-${i}`));
  await pool.end();
  console.log('done');
}

main().catch((error) => { console.error(error); process.exit(1); });
