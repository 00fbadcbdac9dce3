// node mysql2 through Weirpool: text and prepared queries, a transaction, parallelism.
'use strict';
const assert = require('node:assert');
const mysql = require('mysql2/promise');

async function main() {
  const pool = mysql.createPool({ uri: process.env.URL, connectionLimit: 10,
    multipleStatements: true });
  const [one] = await pool.query('select 1 as n');
  assert.strictEqual(one[0].n, 1);
  for (let i = 0; i < 5; i += 1) {
    const [sum] = await pool.execute('select ? + ? as total', [2, 3]);
    assert.strictEqual(Number(sum[0].total), 5);
  }
  const [several] = await pool.query('select 1 as a; select 2 as b');
  assert.strictEqual(several[1][0].b, 2);

  const connection = await pool.getConnection();
  await connection.query('create table if not exists node_t (n int) engine=innodb');
  await connection.beginTransaction();
  await connection.query('insert into node_t values (1), (2)');
  const [rows] = await connection.query('select count(*) as c from node_t');
  assert.ok(rows[0].c >= 2);
  await connection.rollback();
  const [after] = await connection.query('select count(*) as c from node_t');
  assert.strictEqual(after[0].c, 0);
  await connection.query('drop table node_t');
  await assert.rejects(connection.query('select no_such_column'), { errno: 1054 });
  await connection.ping();
  connection.release();

  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    pool.query('select ? as token', [`token-${i}`])));
  answers.forEach(([got], i) => assert.strictEqual(got[0].token, `token-${i}`));
  await pool.end();
  console.log('done');
}

main().catch((error) => { console.error(error); process.exit(1); });
