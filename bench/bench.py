#!/usr/bin/python3
"""What ./dev bench runs: Weirpool beside its peers, round by round, into bench/RESULTS.md.

usage: bench.py [--quick] [--rounds N] [--seconds N] [--only WORD]... [--with NAME]... [--output FILE] [--again]
  --quick    one round of 2 s unless said otherwise, peers with one thread only: does everything work,
             and roughly how fast
  --rounds   how often each contender is measured (default 3); they take turns
  --seconds  of each measurement (default 8)
  --only     experiments whose anchor contains WORD
  --with     contenders whose name contains NAME
  --output   default bench/RESULTS.md; with --quick, --only or --with: standard output
  --again    with --only: the tables take the place of those in bench/RESULTS.md, and say when they were measured
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
sys.path[:0] = [str(HERE), str(HERE / "overload"), str(ROOT / "tests/integration"), str(ROOT / "tests/support")]

import contenders  # noqa: E402
import experiments  # noqa: E402
import overload  # noqa: E402
import report  # noqa: E402
from databases import BenchMySql, BenchPostgres  # noqa: E402
from servers import Certificates  # noqa: E402
from turns import Turns, say  # noqa: E402

EVERYTHING = experiments.ALL + overload.ALL
SERVERS = {"postgresql": BenchPostgres, "mysql": BenchMySql}


def machine():
    text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    model = re.search(r"^model name\s*: (.*)", text, re.M)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    release = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
            f"{int(memory[1]) / 2**20:.0f} GiB, Linux {platform.release().split('-')[0]}, {release}")


def measure(experiment, server, folder, options):
    """The experiment's table, in Markdown."""
    experiment.ready(server)
    field = [one for one in contenders.contenders(server, folder, options.contenders,
                                                   options.quick)
             if experiment.fits(one)]
    for one in field:
        one.queue_target = experiment.queue_target
    measured, failed = Turns(experiment, field, options).run()
    return report.table(experiment, measured,
                        {**failed, **contenders.absent(server.protocol, options.contenders)})


def versions_of(server, protocol):
    version = server.value("select version()").split(" (")[0]
    return f"MySQL {version}" if protocol == "mysql" else version


def run_all(chosen, options, pictures):
    """Markdown of all tables, by protocol, and the versions of who took part."""
    sections, versions = [], []
    with tempfile.TemporaryDirectory(prefix="weirpool-bench-", dir="/var/tmp") as folder:
        certificates = Certificates(Path(folder) / "tls")
        for protocol, kind in SERVERS.items():
            wanted = [one for one in chosen if one.protocol == protocol
                      and one in experiments.ALL]
            if not wanted:
                continue
            say(f"== starting {experiments.PROTOCOL_NAMES[protocol]}")
            server = kind.create(certificates)
            try:
                versions.append(versions_of(server, protocol))
                sections.append(f"## {experiments.PROTOCOL_NAMES[protocol]}\n")
                for experiment in wanted:
                    say(f"== {experiment.anchor}: {experiment.title}")
                    sections.append(measure(experiment, server, folder, options))
            finally:
                server.stop()
        sections.append(overload.sections([one for one in chosen if one in overload.ALL],
                                          folder, options, pictures))
    for one in contenders.ALL:
        version = one.find() and one.version()
        if version:
            versions.append(version)
    return "\n".join(sections), versions


def goals_table(tables):
    keys = {one.anchor: one.key for one in EVERYTHING}
    return report.goals(experiments.GOALS + overload.GOALS, keys, tables)


def rounds_text(options):
    plural = "s" if options.rounds > 1 else ""
    return f"{options.rounds} round{plural} of {options.seconds} s"


def document(tables, versions, options):
    method = f"""Load, proxies and databases share one machine, so
rates say what all of them did together; **CPU µs** is the processor time of the proxy alone, per
transaction, query, login or MB. Compare rows of one table. Medians of {rounds_text(options)}, in which the
contenders took turns; in brackets the lowest and highest round. {experiments.CLIENTS} clients on {contenders.BACKENDS} backends unless
said otherwise; loopback; `pgbench -S`, sysbench `oltp_point_select`."""
    return report.document(datetime.date.today().isoformat(), machine(), versions, method,
                           goals_table(report.read(tables)), tables)


def measure_again(chosen, options):
    page = HERE / "RESULTS.md"
    tables, _ = run_all(chosen, options, HERE)
    when = f"{datetime.date.today().isoformat()}, {rounds_text(options)}"
    page.write_text(report.renewed(page.read_text(encoding="utf-8"), tables, when, goals_table),
                    encoding="utf-8")
    say(f"== renewed: {page}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--with", action="append", dest="contenders")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (2 if options.quick else 8)
    return options


def main():
    options = parse()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = [one for one in EVERYTHING
              if not options.only or any(word in one.anchor for word in options.only)]
    if not chosen:
        sys.exit("bench: no experiment of that name; there are: "
                 + " ".join(one.anchor for one in EVERYTHING))
    if options.again:
        return measure_again(chosen, options)
    output = options.output
    if not output and not options.quick and not options.only and not options.contenders:
        output = HERE / "RESULTS.md"
    text = document(*run_all(chosen, options, output and output.parent), options)
    if output:
        output.write_text(text, encoding="utf-8")
        say(f"== written: {output}")
    else:
        print(text)


if __name__ == "__main__":
    main()
