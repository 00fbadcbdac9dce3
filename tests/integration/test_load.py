"""Load with the tools people measure with: no error, and never more backends than allowed."""

import os
import re
import subprocess

import pytest

from servers import DATABASE, HOST, PASSWORD, USER, Peak

BACKENDS = 20


def measured(server, weir, command, environment=None, timeout=240):
    with Peak(server, weir.pid) as peak:
        done = subprocess.run([str(part) for part in command], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              env={**os.environ, **(environment or {})})
    assert done.returncode == 0, done.stdout[-3000:]
    peak.stayed_within(BACKENDS)
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("script", ["select-only", "tpcb-like"])
@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(launch, postgres, long, script, mode):
    weir = launch(postgres, max_connections=BACKENDS)
    # By count: pgbench takes its time from before a thousand logins, most of which is its own SCRAM.
    each = (20 if script == "select-only" else 5) * (20 if long else 1)
    # It prepares by a call that blocks its thread, and with it all transactions that thread has open:
    # sharing backends, such a thread would wait for itself.
    threads = 1000 if mode == "prepared" else 2
    out = measured(postgres, weir, [
        "pgbench", "-n", "-h", HOST, "-p", weir.port, "-U", USER, "-b", script, "-M", mode,
        "-c", 1000, "-j", threads, "-t", each, DATABASE], {"PGPASSWORD": PASSWORD},
        timeout=1800 if long else 240)
    failed = re.search(r"number of failed transactions: (\d+)", out)
    assert failed and failed[1] == "0", out
    done = int(re.search(r"transactions actually processed: (\d+)", out)[1])
    assert done == 1000 * each and "aborted" not in out, out


@pytest.mark.slow
@pytest.mark.parametrize("test", ["oltp_point_select", "oltp_read_write"])
def test_sysbench(launch, mysql_like, long, test):
    weir = launch(mysql_like, max_connections=BACKENDS)
    seconds = 60 if long else 6
    # A deadlock is the database's own answer to read_write, not an error of the way to it.
    out = measured(mysql_like, weir, [
        "sysbench", test, "--db-driver=mysql", f"--mysql-host={HOST}",
        f"--mysql-port={weir.port}", f"--mysql-user={USER}", f"--mysql-password={PASSWORD}",
        "--mysql-db=sbtest", *mysql_like.sysbench, "--threads=256", f"--time={seconds}",
        "--db-ps-mode=disable", "--mysql-ignore-errors=1213,1020,1205,1062", "run"])
    assert int(re.search(r"reconnects:\s+(\d+)", out)[1]) == 0, out
    assert int(re.search(r"transactions:\s+(\d+)", out)[1]) > 256, out
