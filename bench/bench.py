#!/usr/bin/python3
"""What ./dev bench runs: Weirpool beside its peers, round by round, into bench/RESULTS.md.

usage: bench.py [--rounds N] [--seconds N] [--only WORD]... [--with NAME]... [--output FILE]
  --rounds   how often each contender is measured (default 3); they take turns
  --seconds  of each measurement (default 8)
  --only     experiments whose anchor contains WORD
  --with     contenders whose name contains NAME
  --output   default bench/RESULTS.md; with --only or --with: standard output
"""

import argparse
import datetime
import os
import platform
import re
import resource
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/integration"), str(ROOT / "tests/support")]

import contenders  # noqa: E402
import experiments  # noqa: E402
import report  # noqa: E402
from databases import BenchMySql, BenchPostgres  # noqa: E402
from servers import Certificates  # noqa: E402

SERVERS = {"postgresql": BenchPostgres, "mysql": BenchMySql}


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    model = re.search(r"^model name\s*: (.*)", text, re.M)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    release = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
            f"{int(memory[1]) / 2**20:.0f} GiB, Linux {platform.release().split('-')[0]}, {release}")


def measure(experiment, server, folder, options):
    """label -> rounds of tuples. The contenders take turns, each round beginning with another."""
    running = []
    measured = {}
    experiment.ready(server)
    field = [one for one in contenders.contenders(server, folder, options.contenders)
             if experiment.fits(one)]
    try:
        for number in range(options.rounds):
            turn = field[number % len(field):] + field[:number % len(field)]
            for one in turn:
                if one not in running:
                    one.start()
                    running.append(one)
                values = experiment.run(one, options.seconds)
                say(f"   {number + 1}/{options.rounds}  {one.label:<28} " + "  ".join(
                    f"{report.shown(value)} {column}"
                    for column, value in zip(experiment.columns, values)))
                measured.setdefault(one.label, []).append(values)
                if experiment.fresh:
                    one.stop()
                    running.remove(one)
    finally:
        for one in running:
            one.stop()
    return {one.label: measured[one.label] for one in field}


def run_all(chosen, options):
    """Markdown of all tables, by protocol, and the versions of who took part."""
    sections, versions = [], []
    with tempfile.TemporaryDirectory(prefix="weirpool-bench-", dir="/var/tmp") as folder:
        certificates = Certificates(Path(folder) / "tls")
        for protocol, kind in SERVERS.items():
            wanted = [one for one in chosen if one.protocol == protocol]
            if not wanted:
                continue
            say(f"== starting {experiments.PROTOCOL_NAMES[protocol]}")
            server = kind.create(certificates)
            try:
                versions.append(server.value("select version()").split(" (")[0])
                if protocol == "mysql":
                    versions[-1] = f"MySQL {versions[-1]}"
                sections.append(f"## {experiments.PROTOCOL_NAMES[protocol]}\n")
                for experiment in wanted:
                    say(f"== {experiment.anchor}: {experiment.title}")
                    sections.append(report.table(
                        experiment, measure(experiment, server, folder, options)))
            finally:
                server.stop()
    for one in contenders.ALL:
        version = one.find() and one.version()
        if version:
            versions.append(version)
    return "\n".join(sections), versions


def document(tables, versions, options):
    keys = {one.anchor: one.key for one in experiments.ALL}
    goals = report.goals(experiments.GOALS, keys, report.read(tables))
    return f"""# Results

Written by `./dev bench`; nothing here is typed in. Load, proxies and databases share one machine, so
rates say what all of them did together; **CPU µs** is the processor time of the proxy alone, per
transaction, query, login or MB. Compare rows of one table. Medians of {options.rounds} rounds of {options.seconds} s, in which the
contenders took turns; in brackets the lowest and highest round.

* Date: {datetime.date.today().isoformat()}
* Machine: {machine()}
* Versions: {', '.join(versions)}
* {experiments.CLIENTS} clients on {contenders.BACKENDS} backends unless said otherwise; loopback; `pgbench -S`, sysbench `oltp_point_select`

## Goals

{goals}
{tables}"""


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--with", action="append", dest="contenders")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def main():
    options = parse()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = [one for one in experiments.ALL
              if not options.only or any(word in one.anchor for word in options.only)]
    if not chosen:
        sys.exit("bench: no experiment of that name; there are: "
                 + " ".join(one.anchor for one in experiments.ALL))
    text = document(*run_all(chosen, options), options)
    output = options.output
    if not output and not options.only and not options.contenders:
        output = HERE / "RESULTS.md"
    if output:
        output.write_text(text, encoding="utf-8")
        say(f"== written: {output}")
    else:
        print(text)


if __name__ == "__main__":
    main()
