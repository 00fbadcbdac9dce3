"""The loads, and what they say. Every load runs for a fixed time and is judged by a window inside
that time in which all clients are logged in: CPU per transaction is the CPU of the contender's
processes in the window divided by the transactions that ended in it."""

import asyncio
import math
import os
import re
import signal
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from servers import DATABASE, HOST, PASSWORD, USER
from weirtest import mywire, pgwire
from weirtest.poll import until

HERE = Path(__file__).resolve().parent
GENERATOR_THREADS = 2
PIPELINE = 10
FEWEST_REPORTS = 3  # of sysbench, one a second; the first one only begins the window
LOGINS_AT_MOST = 120  # seconds until all clients of a load are there


@dataclass
class Outcome:
    transactions: int
    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    slowest_share: float = math.nan  # of the mean client's transactions


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


class Window:
    """Samples the CPU of a contender at the edges of the middle of a run."""

    def __init__(self, contender, seconds):
        self.contender = contender
        self.first, self.last = 0.25 * seconds, 0.9 * seconds

    def watch(self, began):
        """Sleeps through the run; `began`: time.time() when the load's own clock started."""
        self.samples = []
        for moment in (self.first, self.last):
            time.sleep(max(0.0, began + moment - time.time()))
            self.samples.append((time.time(), self.contender.cpu_seconds()))

    @property
    def span(self):
        return self.samples[0][0], self.samples[1][0]

    @property
    def cpu(self):
        return self.samples[1][1] - self.samples[0][1]


def pgbench(contender, clients, seconds, mode="simple", script=None, tls=False, queries=1,
            user=USER):
    """`script`: a file of bench/, else pgbench's own select-only. `queries`: in one transaction."""
    with tempfile.TemporaryDirectory(prefix="weirpool-pgbench-") as folder:
        command = ["pgbench", "-n", "-h", HOST, "-p", str(contender.port), "-U", user,
                   "-c", str(clients), "-j", str(min(clients, GENERATOR_THREADS)), "-M", mode,
                   "-T", str(seconds + LOGINS_AT_MOST), "-l", f"--log-prefix={folder}/t",
                   *(["-f", str(HERE / script)] if script else ["-S"]), DATABASE]
        process = subprocess.Popen(command, text=True, cwd=folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env={
                                       **os.environ, "PGPASSWORD": PASSWORD,
                                       "PGSSLMODE": "require" if tls else "disable"})
        window = Window(contender, seconds)
        try:
            until(lambda: process.poll() is not None or any(
                path.stat().st_size for path in Path(folder).glob("t.*")),
                "the load runs", LOGINS_AT_MOST, 0.05)
            window.watch(time.time())
        finally:
            # Its own alarm rings so long after its start, whatever the logins took of that.
            process.send_signal(signal.SIGALRM)
        out = process.communicate(timeout=120)[0]
        failed = re.search(r"number of failed transactions: (\d+)", out)
        if process.returncode or not failed or failed[1] != "0":
            raise RuntimeError(f"pgbench ended with {process.returncode}\n{out[-2000:]}")
        return outcome(window, transaction_log(folder), clients, queries)


def transaction_log(folder):
    """(end as time.time(), latency in ms, client) of every transaction."""
    for path in Path(folder).glob("t.*"):
        with open(path, encoding="ascii") as lines:
            for line in lines:
                client, _, latency, _, seconds, micros = line.split()[:6]
                yield int(seconds) + int(micros) / 1e6, int(latency) / 1e3, client


def outcome(window, log, clients, queries):
    first, last = window.span
    latencies, each = [], {}
    for ended, latency, client in log:
        if first <= ended < last:
            latencies.append(latency)
            each[client] = each.get(client, 0) + 1
    latencies.sort()
    count = len(latencies) * queries
    if not count:
        raise RuntimeError("no transaction ended in the window")
    slowest = min(each.values()) if len(each) == clients else 0
    return Outcome(count, count / (last - first), window.cpu * 1e6 / count,
                   quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 0.999),
                   slowest / statistics.fmean(each.values()))


def sysbench(contender, clients, seconds, mode="text", test="oltp_point_select"):
    command = ["sysbench", test, "--db-driver=mysql", f"--mysql-host={HOST}",
               f"--mysql-port={contender.port}", f"--mysql-user={USER}",
               f"--mysql-password={PASSWORD}", "--mysql-db=sbtest", *contender.server.sysbench,
               f"--threads={clients}", f"--time={max(seconds, FEWEST_REPORTS + 1)}", "--report-interval=1",
               "--histogram=on", f"--db-ps-mode={'disable' if mode == 'text' else 'auto'}",
               "--mysql-ssl=off", "run"]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    lines, edges = [], []
    for line in process.stdout:
        lines.append(line)
        at = re.match(r"\[ (\d+)s \] .* tps: ([\d.]+)", line)
        if at:
            edges.append((contender.cpu_seconds(), float(at[2])))
    if process.wait(60) or len(edges) < FEWEST_REPORTS:
        raise RuntimeError(f"sysbench reported {len(edges)} seconds\n{''.join(lines)[-2000:]}")
    # Each line tells of the second that it ends.
    count = sum(rate for _, rate in edges[1:])
    histogram = [(float(ms), int(number)) for ms, number in re.findall(
        r"^\s*([\d.]+) \|.* (\d+)$", "".join(lines), re.M)]
    return Outcome(round(count), count / (len(edges) - 1),
                   (edges[-1][0] - edges[0][0]) * 1e6 / count,
                   *(histogram_quantile(histogram, share) for share in (0.5, 0.99, 0.999)))


def histogram_quantile(histogram, share):
    wanted = share * sum(number for _, number in histogram)
    for milliseconds, number in histogram:
        wanted -= number
        if wanted <= 0:
            return milliseconds
    return math.nan


class Crowd:
    """Clients that log in and then do nothing, held by an event loop of its own until the block ends.
    They come from many addresses, since one has too few ports for them."""

    def __init__(self, contender, count, tls=False, user=lambda _: USER, parallel=50):
        self.contender, self.count, self.user, self.parallel = contender, count, user, parallel
        self.tls = ssl._create_unverified_context() if tls else None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.clients = []

    async def _one(self, gate, number):
        async with gate:
            if self.contender.server.protocol == "postgresql":
                client = await pgwire.PgConn.connect(
                    HOST, self.contender.port, self.user(number), PASSWORD, DATABASE,
                    tls=self.tls, timeout=120)
            else:
                client = await mywire.MyConn.connect(
                    HOST, self.contender.port, self.user(number), PASSWORD, "sbtest",
                    tls=self.tls, timeout=120)
            self.clients.append(client)

    async def _all(self, count):
        gate = asyncio.Semaphore(self.parallel)
        await asyncio.gather(*(self._one(gate, number) for number in range(count)))

    def join(self, count):
        """`count` more log in; returns the seconds that took."""
        began = time.monotonic()
        asyncio.run_coroutine_threadsafe(self._all(count), self.loop).result(600)
        return time.monotonic() - began

    def __enter__(self):
        self.thread.start()
        try:
            self.join(self.count)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        async def leave():
            for client in self.clients:
                client.abort()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(leave(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()


def logins(contender, count, tls=False):
    """(logins per second, CPU per login in us) of clients that come, log in and leave."""
    with Crowd(contender, 20, tls):  # what the first ones cost is not what each costs
        pass
    before = contender.cpu_seconds()
    crowd = Crowd(contender, 0, tls)
    with crowd:
        seconds = crowd.join(count)
        spent = contender.cpu_seconds() - before
    return count / seconds, spent * 1e6 / count


def idle_bytes(contender, count, tls=False):
    """Resident memory per client that is logged in and does nothing; the first hundred are for the
    allocator's first pages."""
    with Crowd(contender, 100, tls) as crowd:
        before = contender.resident_bytes()
        crowd.join(count)
        return (contender.resident_bytes() - before) / count


def bulk(contender, megabytes, way):
    """(MB/s, CPU in us per MB) of one transfer. `way`: out or in."""
    before, began = contender.cpu_seconds(), time.monotonic()
    if contender.server.protocol == "postgresql":
        _postgres_bulk(contender, megabytes, way)
    else:
        _mysql_bulk(contender, megabytes)
    seconds = time.monotonic() - began
    return megabytes / seconds, (contender.cpu_seconds() - before) * 1e6 / megabytes


ROW = 1000  # bytes, of which one is the end of the line


def _postgres_bulk(contender, megabytes, way):
    psql = ["psql", "-X", "-q", "-h", HOST, "-p", str(contender.port), "-U", USER, "-d", DATABASE,
            "-v", "ON_ERROR_STOP=1"]
    environment = {**os.environ, "PGPASSWORD": PASSWORD, "PGSSLMODE": "disable"}
    rows = megabytes * 1_000_000 // ROW
    if way == "out":
        subprocess.run([*psql, "-c", f"copy (select repeat('x', {ROW - 1}) from "
                        f"generate_series(1, {rows})) to stdout"],
                       stdout=subprocess.DEVNULL, check=True, env=environment)
        return
    subprocess.run([*psql, "-c", "drop table if exists bulk",
                    "-c", "create unlogged table bulk (line text)"], check=True, env=environment)
    copy = subprocess.Popen([*psql, "-c", "copy bulk from stdin"], stdin=subprocess.PIPE,
                            env=environment)
    block = (b"x" * (ROW - 1) + b"\n") * 1000
    for _ in range(rows // 1000):
        copy.stdin.write(block)
    copy.stdin.close()
    if copy.wait(300):
        raise RuntimeError("COPY failed")


def _mysql_bulk(contender, megabytes):
    rows = megabytes * 1_000_000 // ROW
    subprocess.run(
        ["mariadb", "--no-defaults", "--skip-ssl", "--quick", "-N", "-h", HOST, "-P",
         str(contender.port), "-u", USER, "sbtest", "-e",
         f"with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000) "
         f"select repeat('x', {ROW - 1}) from n a, n b limit {rows}"],
        stdout=subprocess.DEVNULL, check=True, env={**os.environ, "MYSQL_PWD": PASSWORD})
