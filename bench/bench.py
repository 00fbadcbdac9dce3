#!/usr/bin/python3
"""What ./dev bench runs: Weirpool beside its peers, round by round, into bench/RESULTS.md.

usage: bench.py [--quick] [--rounds N] [--seconds N] [--only WORD]... [--with NAME]... [--output FILE]
  --quick    one round of 2 s unless said otherwise: does everything work, and roughly how fast
  --rounds   how often each contender is measured (default 3); they take turns
  --seconds  of each measurement (default 8)
  --only     experiments whose anchor contains WORD
  --with     contenders whose name contains NAME
  --output   default bench/RESULTS.md; with --quick, --only or --with: standard output
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


class Turns:
    """One experiment: the contenders take turns, each round beginning with another. One that fails is
    stopped and sits out; the table says why."""

    def __init__(self, experiment, field, options):
        self.experiment, self.field, self.options = experiment, field, options
        self.running, self.measured, self.failed = [], {}, {}

    def take(self, one, number):
        if one not in self.running:
            self.running.append(one)
            one.start()
        values = self.experiment.run(one, self.options.seconds)
        say(f"   {number + 1}/{self.options.rounds}  {one.label:<28} " + "  ".join(
            f"{report.shown(value)} {column}"
            for column, value in zip(self.experiment.columns, values)))
        self.measured.setdefault(one.label, []).append(values)
        if self.experiment.fresh:
            self.leave(one)

    def leave(self, one):
        self.running.remove(one)
        one.stop()

    def give_up(self, one, error):
        self.failed[one.label] = f"failed: {error or type(error).__name__}"
        self.measured.pop(one.label, None)
        say(f"   {one.label} failed: {error}\n{one.log_tail()}")
        self.leave(one)

    def run(self):
        """label -> rounds of tuples; and label -> why there are none."""
        try:
            for number in range(self.options.rounds):
                first = number % max(1, len(self.field))
                for one in self.field[first:] + self.field[:first]:
                    if one.label in self.failed:
                        continue
                    try:
                        self.take(one, number)
                    except Exception as error:  # whatever it is, the others go on
                        self.give_up(one, error)
        finally:
            for one in self.running:
                one.stop()
        return {one.label: self.measured[one.label] for one in self.field
                if one.label in self.measured}, self.failed


def measure(experiment, server, folder, options):
    """The experiment's table, in Markdown."""
    experiment.ready(server)
    field = [one for one in contenders.contenders(server, folder, options.contenders)
             if experiment.fits(one)]
    measured, failed = Turns(experiment, field, options).run()
    return report.table(experiment, measured,
                        {**failed, **contenders.absent(server.protocol, options.contenders)})


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
                    sections.append(measure(experiment, server, folder, options))
            finally:
                server.stop()
    for one in contenders.ALL:
        version = one.find() and one.version()
        if version:
            versions.append(version)
    return "\n".join(sections), versions


def document(tables, versions, options):
    keys = {one.anchor: one.key for one in experiments.ALL}
    plural = "s" if options.rounds > 1 else ""
    method = f"""Load, proxies and databases share one machine, so
rates say what all of them did together; **CPU µs** is the processor time of the proxy alone, per
transaction, query, login or MB. Compare rows of one table. Medians of {options.rounds} round{plural} of {options.seconds} s, in which the
contenders took turns; in brackets the lowest and highest round. {experiments.CLIENTS} clients on {contenders.BACKENDS} backends unless
said otherwise; loopback; `pgbench -S`, sysbench `oltp_point_select`."""
    return report.document(datetime.date.today().isoformat(), machine(), versions, method,
                           report.goals(experiments.GOALS, keys, report.read(tables)), tables)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--with", action="append", dest="contenders")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (2 if options.quick else 8)
    return options


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
    if not output and not options.quick and not options.only and not options.contenders:
        output = HERE / "RESULTS.md"
    if output:
        output.write_text(text, encoding="utf-8")
        say(f"== written: {output}")
    else:
        print(text)


if __name__ == "__main__":
    main()
