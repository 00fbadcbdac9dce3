// The pools of pg and mysql2 in front of Weirpool that sheds. More ask than there are connections,
// all they can, in and outside transactions; when it is over every connection must still be of use.
// All connections are there before the crowd comes. Environment: URL, STATEMENT, CONNECTIONS, CALLERS,
// SECONDS; SHORTCUT: through pool.query(). Prints what happened, a line each.
'use strict';

const size = Number(process.env.CONNECTIONS);
let served = 0;
const refused = new Map();

async function postgres() {
  const { Pool } = require('pg');
  const pool = new Pool({ connectionString: process.env.URL, max: size });
  return {
    shortcut: (text) => pool.query(text),
    connect: () => pool.connect(),
    async transaction(text) {
      const client = await pool.connect();
      try {
        await client.query('begin');
        await client.query(text);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      } finally {
        client.release();
      }
    },
    end: () => pool.end(),
    name: (error) => error.code,
  };
}

async function mysql() {
  const pool = require('mysql2/promise').createPool(
    { uri: process.env.URL, connectionLimit: size });
  return {
    shortcut: (text) => pool.query(text),
    connect: () => pool.getConnection(),
    async transaction(text) {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        await connection.query(text);
        await connection.commit();
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        connection.release();
      }
    },
    end: () => pool.end(),
    name: (error) => `${error.sqlState}/${error.errno}`,
  };
}

async function flood(pool, ask, until) {
  while (Date.now() < until) {
    try {
      await ask(process.env.STATEMENT);
      served += 1;
    } catch (error) {
      const name = pool.name(error);
      refused.set(name, (refused.get(name) || 0) + 1);
    }
  }
}

async function main() {
  const pool = await (process.env.URL.startsWith('mysql') ? mysql() : postgres());
  const first = await Promise.all(Array.from({ length: size }, () => pool.connect()));
  first.forEach((connection) => connection.release());
  const single = async (text) => {
    const connection = await pool.connect();
    try {
      await connection.query(text);
    } finally {
      connection.release();
    }
  };
  const until = Date.now() + 1000 * Number(process.env.SECONDS);
  const plain = process.env.SHORTCUT ? pool.shortcut : single;
  const asks = (i) => (i % 2 ? pool.transaction : plain);
  await Promise.all(Array.from({ length: Number(process.env.CALLERS) },
    (_, i) => flood(pool, asks(i), until)));
  console.log(`served ${served}`);
  refused.forEach((count, name) => console.log(`refused ${name} ${count}`));
  for (let i = 0; i < 3 * size; i += 1) await asks(i)('select 1');
  console.log('well');
  await pool.end();
}

main().catch((error) => { console.error(error); process.exit(1); });
