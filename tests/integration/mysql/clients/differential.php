<?php
// PHP's mysqli and PDO: the scenario of every driver, written down as what it saw.
// usage: differential.php mysqli|pdo|pdo-native < places

mysqli_report(MYSQLI_REPORT_OFF);

final class Mysqli_
{
    private mysqli $link;

    public function __construct(private array $place)
    {
        $this->link = mysqli_init();
        $this->link->options(MYSQLI_OPT_LOCAL_INFILE, true);
        $flags = empty($place['compress']) ? 0 : MYSQLI_CLIENT_COMPRESS;
        if (!empty($place['tls'])) {
            $this->link->ssl_set(null, null, $place['ca'], null, null);
            $flags |= MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT;
        }
        if (!$this->link->real_connect($place['host'], $place['user'], $place['password'],
            $place['database'], $place['port'], null, $flags)) {
            throw new Exception($this->link->connect_error);
        }
    }

    public function query(string $sql): mixed
    {
        if (!$this->link->multi_query($sql)) {
            return ['error', $this->link->errno, $this->link->sqlstate];
        }
        $sets = [];
        do {
            $rows = $this->link->store_result();
            $sets[] = $rows ? [array_map(fn ($f) => [$f->name, $f->type], $rows->fetch_fields()),
                $rows->fetch_all()]
                : [$this->link->errno, $this->link->affected_rows, $this->link->insert_id,
                    $this->link->info];
        } while ($this->link->more_results() && $this->link->next_result());
        return [$sets, $this->link->errno];
    }

    public function execute(string $sql, array $values): mixed
    {
        $statement = $this->link->prepare($sql);
        if (!$statement) {
            return ['error', $this->link->errno, $this->link->sqlstate];
        }
        if (!$statement->execute($values)) {
            return ['error', $statement->errno, $statement->sqlstate];
        }
        $rows = $statement->get_result();
        return $rows ? $rows->fetch_all() : [$statement->affected_rows, $statement->insert_id];
    }

    public function begin(): void { $this->link->begin_transaction(); }
    public function commit(): void { $this->link->commit(); }
    public function rollback(): void { $this->link->rollback(); }

    public function more(): iterable
    {
        yield 'autocommit' => $this->link->autocommit(false);
        yield 'is off' => $this->query('select @@autocommit');
        yield 'on again' => $this->link->autocommit(true);
        yield 'charset' => [$this->link->set_charset('latin1'), $this->query('select @@character_set_client')];
        yield 'charset back' => $this->link->set_charset('utf8mb4');
        yield 'schema' => [$this->link->select_db($this->place['other']), $this->query('select database()')];
        $statement = $this->link->prepare('select ?, length(?)');
        $blob = null;
        $number = 1;
        $statement->bind_param('ib', $number, $blob);
        foreach ([1, 2] as $number) {
            $statement->send_long_data(1, str_repeat('l', 70000));
            $statement->send_long_data(1, str_repeat('m', 10));
            $statement->execute();
            yield "long data $number" => $statement->get_result()->fetch_all();
        }
        $statement->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
        yield 'reset' => $statement->reset();
        $statement->close();
        yield 'stat' => is_string($this->link->stat());
        yield 'debug' => is_bool($this->link->dump_debug_info());
        $this->query('set @d_v = 1');
        yield 'user' => [$this->link->change_user($this->place['user'], $this->place['password'],
            $this->place['database']), $this->query('select @d_v, database()')];
        yield 'nobody' => [$this->link->change_user('nobody', 'x', ''), $this->link->errno];
    }
}

final class Pdo_
{
    private PDO $link;

    public function __construct(private array $place, private bool $native)
    {
        $options = [PDO::ATTR_EMULATE_PREPARES => !$native, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::MYSQL_ATTR_LOCAL_INFILE => true, PDO::ATTR_STRINGIFY_FETCHES => false];
        if (!empty($place['tls'])) {
            $options[PDO::MYSQL_ATTR_SSL_CA] = $place['ca'];
            $options[PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT] = false;
        }
        if (!empty($place['compress'])) {
            $options[PDO::MYSQL_ATTR_COMPRESS] = true;
        }
        $this->link = new PDO("mysql:host={$place['host']};port={$place['port']};charset=utf8mb4;"
            . "dbname={$place['database']}", $place['user'], $place['password'], $options);
    }

    private function attempt(callable $action): mixed
    {
        try {
            return $action();
        } catch (PDOException $error) {
            return ['error', $error->errorInfo[1] ?? null, $error->errorInfo[0] ?? null];
        }
    }

    private static function all(PDOStatement $statement): array
    {
        $sets = [];
        do {
            $sets[] = $statement->columnCount() ? $statement->fetchAll(PDO::FETCH_NUM) : $statement->rowCount();
        } while ($statement->nextRowset());
        return $sets;
    }

    public function query(string $sql): mixed
    {
        return $this->attempt(fn () => [self::all($this->link->query($sql)), $this->link->lastInsertId()]);
    }

    public function execute(string $sql, array $values): mixed
    {
        return $this->attempt(function () use ($sql, $values) {
            $statement = $this->link->prepare($sql);
            $statement->execute($values);
            return [self::all($statement), $this->link->lastInsertId()];
        });
    }

    public function begin(): void { $this->link->beginTransaction(); }
    public function commit(): void { $this->link->commit(); }
    public function rollback(): void { $this->link->rollBack(); }

    public function more(): iterable
    {
        $this->link->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
        $rows = $this->link->query('with recursive n(i) as (select 1 union all select i + 1 from n '
            . 'where i < 900) select i from n');
        yield 'first' => $rows->fetch(PDO::FETCH_NUM);
        yield 'others' => count($rows->fetchAll());
        $rows = null;
        $this->link->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, true);
        yield 'autocommit' => $this->attempt(fn () => $this->link->setAttribute(PDO::ATTR_AUTOCOMMIT, 0));
        yield 'is off' => $this->query('select @@autocommit');
        yield 'on again' => $this->link->setAttribute(PDO::ATTR_AUTOCOMMIT, 1);
    }
}

function play(string $kind, array $place): array
{
    $connect = fn () => $kind === 'mysqli' ? new Mysqli_($place) : new Pdo_($place, $kind === 'pdo-native');
    $link = $connect();
    $seen = [];
    $note = function (string $step, mixed $what) use (&$seen): void { $seen[] = [$step, $what]; };
    $query = fn (string $step, string $sql) => $note($step, $link->query($sql));
    $query('values', "select 1, -2, 3.50, null, 'ä€😀', hex(x'00ff27'), '' as empty, true");
    $query('drop', 'drop table if exists d_h');
    $query('create', 'create table d_h (id int primary key auto_increment, v varchar(50), unique (v))');
    $query('insert', "insert into d_h (v) values ('a'), ('b'), ('c')");
    $query('same again', "update d_h set v = 'a' where v = 'a'");
    $query('duplicate', "insert into d_h (v) values ('a')");
    $query('unknown', 'select nothing from d_h');
    foreach ([0, 1, 2] as $i) {
        $note('prepared', $link->execute('select ?, ?, ?', [$i, null, str_repeat('t', $i * 300)]));
        $note('prepared insert', $link->execute('insert into d_h (v) values (?)', ["p$i"]));
    }
    $note('prepared and refused', $link->execute('select nothing where 1 = ?', [1]));
    $link->begin();
    $query('in', "insert into d_h (v) values ('gone')");
    $link->rollback();
    $query('undone', "select count(*) from d_h where v = 'gone'");
    $link->begin();
    $query('stays', "insert into d_h (v) values ('stays')");
    $link->commit();
    $query('kept', "select count(*) from d_h where v = 'stays'");
    $query('several', "select 1 as a; update d_h set v = 'z' where v = 'c'; select 'x'");
    $query('drop procedure', 'drop procedure if exists d_u');
    $query('procedure', 'create procedure d_u(in a int, out b int) begin select a; select a + 1; '
        . 'set b = a * 2; end');
    // On its own: what a procedure leaves behind keeps a client on its backend.
    $calling = $connect();
    $note('call', $calling->query('call d_u(20, @d_out)'));
    $note('out', $calling->query('select @d_out'));
    $calling = null;
    $query('zone', "set time_zone = '+03:00'");
    $query('zone stays', 'select @@time_zone');
    $file = tempnam(sys_get_temp_dir(), 'weirpool');
    file_put_contents($file, str_repeat("a line\n", 3000));
    $query('table', 'create temporary table d_f (v varchar(20))');
    $query('load', "load data local infile '$file' into table d_f");
    $query('loaded', 'select count(*) from d_f');
    $query('gone', 'drop temporary table d_f');
    unlink($file);
    $query('large', "select length('" . str_repeat('x', $place['large']) . "')");
    foreach ($link->more() as $step => $what) {
        $note($step, $what);
    }
    return $seen;
}

$transcripts = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as $place) {
    $transcripts[$place['name']] = play($argv[1], $place);
}
echo json_encode($transcripts, JSON_INVALID_UTF8_SUBSTITUTE);
