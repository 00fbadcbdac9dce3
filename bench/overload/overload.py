"""Runs the scenarios in front of the double, for Weirpool and its peers with one thread each, and
draws what became of overload. bench.py calls it; what is measured is in scenarios.py."""

import contenders
import report
from chart import goodput_chart
from double import Double
from experiments import PROTOCOL_NAMES, Goal
from scenarios import ALL, CALM
from turns import Turns, say

PICTURE = "overload.svg"
LENGTH = 2.5  # a scenario's trouble lasts so many times a measurement of the other experiments
NOT_HERE = ("floor (no authentication)", "HAProxy (TCP)")

GOALS = [
    *(Goal(f"{times} times overloaded, goodput", f"postgresql-overload-{times}x", 0.97,
           row="Weirpool", column="goodput", at_least=True) for times in (2, 4, 10)),
    Goal("10 times overloaded, p99 beside calm", "postgresql-overload-10x", 5, row="Weirpool",
         column="p99 / calm p99"),
    Goal("10 times overloaded, refusals' p99, ms", "postgresql-overload-10x", 25, row="Weirpool",
         column="refusal p99 ms"),
    Goal("10 times overloaded, recovery, s", "postgresql-overload-10x", 1, row="Weirpool",
         column="recovery s"),
    Goal("brownout, goodput", "postgresql-brownout", 0.97, row="Weirpool", column="goodput",
         at_least=True),
    Goal("brownout, p50, ms", "postgresql-brownout", 200, row="Weirpool", column="p50 ms"),
    Goal("brownout, recovery, s", "postgresql-brownout", 1, row="Weirpool", column="recovery s"),
    Goal("wild node, the others' p99", "postgresql-wild-node", 1.5, row="Weirpool",
         column="p99 / before"),
    Goal("wild node, the others' not answered, %", "postgresql-wild-node", 0, row="Weirpool",
         column="not answered %"),
    Goal("death hug, answered, %", "postgresql-death-hug", 99.9, row="Weirpool",
         column="answered %", at_least=True),
    Goal("death hug, refused by the database", "postgresql-death-hug", 0, row="Weirpool",
         column="refused by the database"),
    Goal("login storm, running clients' p99", "postgresql-login-storm", 2, row="Weirpool",
         column="p99 / before"),
    Goal("login storm, login p99, ms", "postgresql-login-storm", 2000, row="Weirpool",
         column="login p99 ms"),
    Goal("4 x heavier, throughput by the best", "postgresql-contention", 0.93, row="Weirpool",
         column="4 x heavier", at_least=True),
    Goal("8 x contention, throughput by the best", "postgresql-contention", 0.94, row="Weirpool",
         column="8 x contention", at_least=True),
    Goal("death of 5 s, first answer, s", "postgresql-death", 1, row="Weirpool",
         column="first answer s"),
    Goal("death of 5 s, recovery, s", "postgresql-death", 10, row="Weirpool", column="recovery s"),
    Goal("death of 60 s, first answer, s", "postgresql-long-death", 1, row="Weirpool",
         column="first answer s"),
    Goal("death of 60 s, recovery, s", "postgresql-long-death", 10, row="Weirpool",
         column="recovery s"),
]


class LongTurns(Turns):
    """The trouble of a scenario takes longer than a measurement."""

    def seconds(self):
        return max(3, round(LENGTH * self.options.seconds))


def field(scenario, server, folder, wanted):
    """The contenders with one thread, named without it: both cores are needed by the rest."""
    found = []
    for one in contenders.contenders(server, folder, wanted):
        if one.threads == 1 and scenario.fits(one) and one.name not in NOT_HERE:
            one.backends = scenario.backends
            one.elasticity = scenario.elasticity
            one.short = True
            found.append(one)
    return found


def measure(scenario, folder, options):
    server = Double(scenario.protocol, folder)
    try:
        turns = LongTurns(scenario, field(scenario, server, folder, options.contenders), options)
        turns.rounds = 1 if scenario.long else turns.rounds
        measured, failed = turns.run()
    finally:
        server.stop()
    missing = {name: why for name, why in contenders.absent(
        scenario.protocol, options.contenders).items() if name not in NOT_HERE}
    return report.table(scenario, measured, {**failed, **missing})


def sections(chosen, folder, options, pictures):
    """Markdown of the scenarios' tables; the picture goes to the folder `pictures`, if any."""
    parts = []
    for protocol, name in PROTOCOL_NAMES.items():
        wanted = [one for one in chosen if one.protocol == protocol]
        if not wanted:
            continue
        parts.append(f"## {name} under overload\n")
        for scenario in wanted:
            if options.quick and scenario.long:
                continue
            say(f"== {scenario.anchor}: {scenario.title}")
            parts.append(measure(scenario, folder, options))
    text = "\n".join(parts)
    chart = goodput_chart(report.read(text))
    if chart and pictures:
        (pictures / PICTURE).write_text(chart, encoding="utf-8")
        heading = f"## {PROTOCOL_NAMES['postgresql']} under overload\n"
        text = text.replace(heading, f"{heading}\n![goodput under overload]({PICTURE})\n", 1)
    return text


__all__ = ["ALL", "CALM", "GOALS", "sections"]
