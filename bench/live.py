#!/usr/bin/python3
"""A line each second from Weirpool's /metrics while a load runs.

Ends when the process --pid has ended (it may have become a zombie of the caller). On a terminal the
line is rewritten in place. Exit code 1 if the database ever counted more connections than --bound or
if no transaction was seen.
"""

import argparse
import math
import re
import subprocess
import sys
import time
import urllib.request

SAMPLE = re.compile(r"^(weirpool_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape: name -> list of (labels, value)."""

    def __init__(self, text):
        self.families = {}
        for name, labels, value in SAMPLE.findall(text):
            self.families.setdefault(name, []).append((dict(LABEL.findall(labels)), float(value)))

    def total(self, name, **labels):
        """Sum of all series that carry the labels."""
        return sum(
            value
            for have, value in self.families.get(name, [])
            if all(have.get(key) == wanted for key, wanted in labels.items())
        )

    def buckets(self, name):
        """Cumulative counts of a histogram, summed over its series: upper bound -> count."""
        counts = {}
        for labels, value in self.families.get(name + "_bucket", []):
            bound = float(labels["le"])
            counts[bound] = counts.get(bound, 0) + value
        return counts


def quantile(share, before, after):
    """Upper bound of the bucket that holds the quantile of what came between; None: nothing came."""
    grown = sorted((bound, count - before.get(bound, 0)) for bound, count in after.items())
    if not grown or grown[-1][1] <= 0:
        return None
    wanted = share * grown[-1][1]
    return next(bound for bound, count in grown if count >= wanted)


def milliseconds(seconds):
    if seconds is None:
        return "-"
    return "more" if math.isinf(seconds) else f"{seconds * 1000:g} ms"


def line(before, after, seconds, counted):
    waits = quantile(
        0.99,
        before.buckets("weirpool_pool_wait_seconds"),
        after.buckets("weirpool_pool_wait_seconds"),
    )
    done = after.total("weirpool_transactions_total") - before.total("weirpool_transactions_total")
    return (
        f"   clients {after.total('weirpool_client_connections'):5.0f}"
        f"   waiting {after.total('weirpool_pool_queue_length'):5.0f}"
        f"   backends in use {after.total('weirpool_server_connections', state='active'):3.0f}"
        f" (the database counts {counted})"
        f"   transactions/s {done / seconds:6.0f}"
        f"   p99 wait {milliseconds(waits)}"
    ), done


def running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def scrape(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return Metrics(answer.read().decode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metrics", required=True, help="URL")
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--bound", type=int, required=True)
    parser.add_argument("--count-command", nargs=argparse.REMAINDER, required=True)
    options = parser.parse_args()

    before, last, most, transactions = scrape(options.metrics), time.monotonic(), 0, 0
    terminal = sys.stdout.isatty()
    while running(options.pid):
        time.sleep(1)
        counted = int(subprocess.run(options.count_command, check=True, capture_output=True).stdout)
        after, now = scrape(options.metrics), time.monotonic()
        text, done = line(before, after, now - last, counted)
        print("\r\033[K" + text if terminal else text, end="" if terminal else "\n", flush=True)
        before, last, most, transactions = after, now, max(most, counted), transactions + done
    if terminal:
        print()
    print(f"   most connections the database ever counted: {most}, allowed: {options.bound}")
    sys.exit(0 if most <= options.bound and transactions > 0 else 1)


if __name__ == "__main__":
    main()
