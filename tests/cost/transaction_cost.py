#!/usr/bin/python3
"""What one simple transaction costs Weirpool: instructions and allocations, counted by callgrind.

One client asks a real server for one row, again and again in lock step, through the release build. The
same input takes the same instructions, whatever else the machine does. Fails if they have grown by
more than 5 % over baseline.json, or if a transaction allocates in steady state.

usage: transaction_cost.py [--strict] [--update]
  --strict   a baseline of another compiler or C library fails, too; otherwise that is only said,
             since a difference would not be the change's
  --update   write what has been counted to baseline.json; say in the commit why it grew
WEIRPOOL_BIN names the program.
"""

import argparse
import contextlib
import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "support")]

import psycopg2  # noqa: E402
import pymysql  # noqa: E402

import proxy  # noqa: E402
from servers import (DATABASE, HOST, PASSWORD, USER, Certificates, MySqlServer,  # noqa: E402
                     PostgresServer)

BASELINE = HERE / "baseline.json"
GROWTH = 0.05
WARM_UP, TRANSACTIONS = 300, 1000
ALLOCATORS = {"malloc", "calloc", "realloc", "memalign", "posix_memalign", "aligned_alloc"}
# In steady state none; what a timer of the process does meanwhile is none of a transaction's.
ALLOCATIONS_PER_TRANSACTION = 0.01


# --- counting ----------------------------------------------------------------------------------


def total_instructions(profile):
    """Of one dump of callgrind."""
    return int(re.search(r"^totals: (\d+)", profile, re.M)[1])


def calls_of(profile, names):
    """How often functions of these names were called. A name stands there once, with the number that
    stands for it from then on."""
    known, callee, count = {}, None, 0
    for line in profile.splitlines():
        named = re.match(r"c?fn=\((\d+)\)(?: (.*))?$", line)
        if named:
            if named[2]:
                known[named[1]] = named[2].split("'")[0].split("@")[0]
            if line.startswith("cfn="):
                callee = known.get(named[1])
        elif line.startswith("calls=") and callee in names:
            count += int(line[len("calls="):].split()[0])
    return count


class Callgrind:
    """Weirpool inside callgrind; `counted()` is what happened since the last `zero()`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.script = self.folder / "weirpool-in-callgrind"
        self.script.write_text(f"""#!/bin/sh
exec valgrind --quiet --tool=callgrind --instr-atstart=no --separate-threads=no \\
  --callgrind-out-file={self.folder}/callgrind.out {proxy.BINARY} "$@"
""")
        self.script.chmod(0o755)

    def control(self, *options):
        subprocess.run(["callgrind_control", *options, str(self.pid)], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @contextlib.contextmanager
    def around(self, server):
        plain, proxy.BINARY = proxy.BINARY, self.script
        weir = proxy.Weirpool(self.folder, {"db": server}, max_connections=2, config={
            "workers": 1, "log": {"level": "warn"}, "limits": {"memory_high": 0},
            "backends": {"db": {"tls": {"mode": "disable"}}}})
        try:
            weir.start()
            self.pid = weir.pid
            yield weir
        finally:
            proxy.BINARY = plain
            weir.kill()

    def zero(self):
        self.control("--instr=on")
        self.control("--zero")

    def counted(self):
        self.control("--dump")
        (dump,) = self.folder.glob("callgrind.out.*")
        return dump.read_text(encoding="utf-8", errors="replace")


def postgresql(port):
    connection = psycopg2.connect(host=HOST, port=port, user=USER, password=PASSWORD,
                                  dbname=DATABASE, sslmode="disable", connect_timeout=60)
    connection.autocommit = True
    return connection


def mysql(port):
    return pymysql.connect(host=HOST, port=port, user=USER, password=PASSWORD, database=DATABASE,
                           autocommit=True, connect_timeout=60)


def cost(kind, connect):
    """(instructions, allocations) of one transaction."""
    with tempfile.TemporaryDirectory(prefix="weirpool-cost-", dir="/var/tmp") as folder:
        server = kind.create(Certificates(Path(folder) / "tls"))
        try:
            # From now on MySQL has the hash at hand that a login without TLS needs.
            connect(server.port).close()
            callgrind = Callgrind(folder)
            with callgrind.around(server) as weir:
                connection = connect(weir.port)
                cursor = connection.cursor()

                def repeat(count):
                    for _ in range(count):
                        cursor.execute("select 1")
                        cursor.fetchall()

                repeat(WARM_UP)
                callgrind.zero()
                repeat(TRANSACTIONS)
                profile = callgrind.counted()
                connection.close()
        finally:
            server.stop()
    return (total_instructions(profile) / TRANSACTIONS,
            calls_of(profile, ALLOCATORS) / TRANSACTIONS)


# --- judging -----------------------------------------------------------------------------------


def toolchain():
    """What decides about instructions beside the sources, as the program itself tells it."""
    comment = subprocess.run(["readelf", "-p", ".comment", proxy.BINARY], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    compilers = sorted(set(re.findall(r"\]\s+(.*\S)", comment)))
    return {"machine": platform.machine(), "compiler": ", ".join(compilers),
            "libc": " ".join(platform.libc_ver())}


def judge(measured, tools, baseline, strict):
    """Lines to print, and whether it is a failure. `measured`: name -> (instructions, allocations)."""
    lines, failed = [], False
    other = [f"{key} {tools[key]} instead of {baseline[key]}" for key in tools
             if tools[key] != baseline.get(key)]
    if other:
        failed = strict
        lines.append("BASELINE OF ANOTHER TOOLCHAIN, growth is not judged: " + "; ".join(other))
    for name, (instructions, allocations) in measured.items():
        before = baseline["instructions"].get(name)
        text = f"{name}: {instructions:.0f} instructions, {allocations:.2f} allocations"
        if allocations > ALLOCATIONS_PER_TRANSACTION:
            failed = True
            text += "; FAILED: a transaction allocates"
        if before is None:
            failed = True
            text += "; FAILED: the baseline does not know it"
        else:
            growth = instructions / before - 1
            text += f" ({growth:+.1%} of {before})"
            if not other and growth > GROWTH:
                failed = True
                text += f"; FAILED: more than {GROWTH:.0%}"
            elif not other and growth < -GROWTH:
                text += "; the baseline can be lowered with --update"
        lines.append(text)
    return lines, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    measured = {"postgresql": cost(PostgresServer, postgresql), "mysql": cost(MySqlServer, mysql)}
    tools = toolchain()
    if options.update:
        baseline = {**tools, "instructions": {
            name: round(instructions) for name, (instructions, _) in measured.items()}}
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n", encoding="utf-8")
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    lines, failed = judge(measured, tools, baseline, options.strict)
    print("\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
