"""Measuring in turns, so that whatever else happens on the machine happens to all."""

import sys

import report


def say(text):
    print(text, file=sys.stderr, flush=True)


class Turns:
    """One experiment: the contenders take turns, each round beginning with another. One that fails is
    stopped and sits out; the table says why."""

    def __init__(self, experiment, field, options):
        self.experiment, self.field, self.options = experiment, field, options
        self.rounds = options.rounds
        self.running, self.measured, self.failed = [], {}, {}

    def seconds(self):
        return self.options.seconds

    def take(self, one, number):
        if one not in self.running:
            self.running.append(one)
            one.start()
        values = self.experiment.run(one, self.seconds())
        say(f"   {number + 1}/{self.rounds}  {one.label:<28} " + "  ".join(
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
            for number in range(self.rounds):
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
