// node's mysql2, mysql and mariadb: the scenario of every driver, written down as what it saw.
// usage: differential.js mysql2|mysql|mariadb < places
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const kind = process.argv[2];
const driver = require(kind);

// Whether the session has changed is not told to who does not listen to it.
const SESSION_CHANGED = 0x4000;

function plain(value) {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) {
    const rows = value.map(plain);
    return value.meta ? { rows, meta: value.meta.map((m) => [m.name(), m.type]) } : rows;
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value)
      .filter(([key]) => !['meta', 'stateChanges'].includes(key))
      .map(([key, one]) => [key, key === 'serverStatus' ? one & ~SESSION_CHANGED : plain(one)]));
  }
  return value;
}

function promised(object, method, ...args) {
  return new Promise((resolve, reject) => {
    object[method](...args, (error, result, fields) => (error ? reject(error) : resolve(
      fields === undefined || kind === 'mysql' ? result
        : [result, (fields || []).map((f) => (f ? [f.name, f.columnType] : f))])));
  });
}

async function connect(place, more = {}) {
  const options = { host: place.host, port: place.port, user: place.user, password: place.password,
    database: place.database, multipleStatements: true, charset: 'utf8mb4', ...more };
  if (place.tls) options.ssl = { ca: fs.readFileSync(place.ca), rejectUnauthorized: false };
  if (place.compress) options.compress = true;
  if (kind === 'mariadb') {
    delete options.charset;
    return driver.createConnection({ ...options, permitLocalInfile: true, allowPublicKeyRetrieval: true,
      connectTimeout: 20000 });
  }
  if (kind === 'mysql2') options.infileStreamFactory = (name) => fs.createReadStream(name);
  const one = driver.createConnection({ ...options, connectTimeout: 20000 });
  await promised(one, 'connect');
  return one;
}

class Scenario {
  constructor(connection, place) {
    this.connection = connection;
    this.place = place;
    this.seen = [];
  }

  note(step, value) { this.seen.push([step, JSON.parse(JSON.stringify(plain(value)))]); }

  call(method, ...args) {
    return kind === 'mariadb' ? this.connection[method](...args)
      : promised(this.connection, method, ...args);
  }

  async attempt(step, action) {
    try {
      this.note(step, await action());
    } catch (error) {
      this.note(step, ['error', error.errno, error.sqlState || '']);
    }
  }

  query(step, sql, values) {
    return this.attempt(step, () => this.call('query', sql, values || []));
  }

  execute(step, sql, values) {
    return this.attempt(step, () => this.call('execute', sql, values));
  }

  async values() {
    await this.query('values', "select 1, -2, 3.50, 1e3, null, 'ä€😀', x'00ff27', '' as empty, "
      + "cast('2020-02-29' as char), true");
    await this.query('arguments', 'select ?, ?, ?', ["quote ' and \\", null, 7]);
    await this.query('many columns', `select ${Array.from({ length: 300 }, (_, i) => `${i} as c${i}`)}`);
    await this.query('many rows', 'with recursive n(i) as (select 1 union all select i + 1 from n '
      + "where i < 700) select i, repeat('x', i % 7) as x from n");
  }

  async changes() {
    await this.call('query', 'drop table if exists d_n');
    await this.query('create', 'create table d_n (id int primary key auto_increment, v varchar(50), '
      + 'unique (v)) engine=innodb');
    await this.query('insert', "insert into d_n (v) values ('a'), ('b'), ('c')");
    await this.query('same again', "update d_n set v = 'a' where v = 'a'");
    await this.query('duplicate', "insert into d_n (v) values ('a')");
    await this.query('unknown', 'select nothing from d_n');
    await this.query('after', 'select count(*) as c from d_n');
  }

  async prepared() {
    if (kind === 'mysql') return;
    for (let i = 0; i < 3; i += 1) {
      await this.execute('sum', 'select ? + ? as total, ? as text', [i, 2, 'x'.repeat(i * 300)]);
      await this.execute('insert', 'insert into d_n (v) values (?)', [`p${i}`]);
      await this.query('between', "select 'between' as b");
    }
    await this.execute('null', 'select ? as n, ? as e', [null, '']);
    await this.execute('refused', 'select nothing where 1 = ?', [1]);
    await this.execute('rows', 'select id, v from d_n where id < ? order by id', [4]);
    if (kind === 'mariadb') {
      await this.attempt('batch', () => this.connection.batch('insert into d_n (v) values (?)',
        Array.from({ length: 60 }, (_, i) => [`b${i}`])));
    }
    await this.query('count', 'select count(*) as c from d_n');
  }

  async transactions() {
    await this.call('beginTransaction');
    await this.query('in', "insert into d_n (v) values ('gone')");
    await this.query('seen', "select count(*) as c from d_n where v = 'gone'");
    await this.call('rollback');
    await this.query('undone', "select count(*) as c from d_n where v = 'gone'");
    await this.call('beginTransaction');
    await this.query('stays', "insert into d_n (v) values ('stays')");
    await this.call('commit');
    await this.query('kept', "select count(*) as c from d_n where v = 'stays'");
  }

  async settings() {
    await this.query('zone', "set time_zone = '+05:00'");
    await this.query('zone stays', 'select @@time_zone as z, cast(from_unixtime(0) as char) as t');
    await this.query('one mode', "set session sql_mode = 'ANSI_QUOTES'");
    await this.query('one mode works', 'select "id" from d_n order by "id" limit 1');
    await this.query('one plain mode', "set session sql_mode = ''");
    await this.query('one use', `use ${this.place.other}`);
    await this.query('one schema', 'select database() as d');
    await this.query('one back', `use ${this.place.database}`);
  }

  // Late: what procedures and settings among several statements leave behind keeps a client on its
  // backend, and nothing moves any more.
  async several() {
    await this.query('several', "select 1 as a; update d_n set v = 'z' where v = 'c'; select 'x' as x");
    await this.query('several and an error', 'select 1; select nothing; select 2');
    await this.call('query', 'drop procedure if exists d_q');
    await this.query('procedure', 'create procedure d_q(in a int, out b int) begin select a; '
      + "select a + 1, 'two'; set b = a * 2; end");
    await this.query('call', 'call d_q(20, @d_out)');
    await this.query('out', 'select @d_out as o');
    await this.query('settings', "set time_zone = '+03:00'; select @@time_zone as z, "
      + 'cast(from_unixtime(0) as char) as t');
    await this.query('mode', "set session sql_mode = 'ANSI_QUOTES'; select \"id\" from d_n limit 1");
    await this.query('plain mode', "set session sql_mode = ''");
    await this.query('use', `use ${this.place.other}; select database() as d`);
    await this.query('back', `use ${this.place.database}`);
    await this.query('variable', 'set @d_v = 5');
    await this.query('variable stays', 'select @d_v as v');
    await this.attempt('ping', async () => { await this.call('ping'); return 'alive'; });
  }

  async pipelined() {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 9 === 8
      ? this.call('query', 'select nothing').catch((error) => error.errno)
      : this.call('query', 'select ? as n', [i]))));
    this.note('pipelined', answers);
  }

  async files() {
    if (kind === 'mysql') return;
    const file = path.join(os.tmpdir(), `weirpool-${process.pid}.csv`);
    fs.writeFileSync(file, Array.from({ length: 2000 }, (_, i) => `f${i}\n`).join(''));
    await this.query('table', 'create temporary table d_f (v varchar(20))');
    await this.query('load', `load data local infile '${file}' into table d_f`);
    await this.query('loaded', 'select count(*) as c, min(v) as a, max(v) as z from d_f');
    await this.query('gone', 'drop temporary table d_f');
    fs.unlinkSync(file);
  }

  async others() {
    const { large, other, user, password } = this.place;
    await this.query('large', 'select length(?) as l', ['x'.repeat(large)]);
    await this.query('large result', `select length(repeat('z', ${large})) as l`);
    await this.attempt('change user', async () => {
      await this.call('changeUser', { user, password, database: other });
      return this.call('query', 'select database() as d, @d_v as v');
    });
    if (kind === 'mariadb') {
      await this.attempt('reset', async () => {
        await this.connection.query('set @d_v = 6');
        await this.connection.reset();
        return this.connection.query('select @d_v as v');
      });
    }
    if (kind !== 'mariadb') {  // its releases for node 18 never hear of a refusal
      const refused = await this.call('changeUser', { user: 'nobody', password: 'x', database: other })
        .then(() => 'let in', (error) => error.errno);
      this.note('refused', refused);
    }
    this.connection.on('error', () => {});
    if (kind === 'mariadb') await this.connection.end().catch(() => {});
    else this.connection.destroy();
  }
}

async function play(place) {
  const connection = await connect(place);
  const scenario = new Scenario(connection, place);
  for (const part of ['values', 'changes', 'prepared', 'transactions', 'settings', 'pipelined', 'files',
    'several', 'others']) await scenario[part]();
  return scenario.seen;
}

async function main() {
  const places = JSON.parse(fs.readFileSync(0, 'utf8'));
  const transcripts = {};
  for (const place of places) transcripts[place.name] = await play(place);
  console.log(JSON.stringify(transcripts));
}

main().catch((error) => { console.error(error); process.exit(1); });
