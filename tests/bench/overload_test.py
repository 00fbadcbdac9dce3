#!/usr/bin/python3
"""What bench/overload makes of a load: shares, latencies, recovery, and the picture."""

import math
import pathlib
import sys
import unittest
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "bench"), str(TOP / "bench/overload")]

import chart  # noqa: E402
import judge  # noqa: E402
from judge import ANSWERED, FAILED, GAVE_UP, LOGIN, REFUSED, Event  # noqa: E402


def every(step, first, last, outcome=ANSWERED, took=0.01, flow=0):
    return [Event(first + number * step, took, flow, outcome)
            for number in range(round((last - first) / step))]


class JudgeTest(unittest.TestCase):
    def test_a_record_is_read_as_it_was_written(self):
        record = b"".join(judge.RECORD.pack(*one, 0) for one in
                          ((1_500_000, 20_000, 1, REFUSED), (2_000_000, 1, 0, LOGIN)))
        self.assertEqual(judge.events_of(record),
                         [Event(1.5, 0.02, 1, REFUSED), Event(2.0, 1e-6, 0, LOGIN)])

    def test_attempts_are_those_that_begin_in_the_span(self):
        events = [*every(0.5, 0, 2), Event(1, 0.1, 1, GAVE_UP), Event(1, 0.1, 0, LOGIN)]
        self.assertEqual(len(judge.attempts(events, 1, 2)), 3)
        self.assertEqual(len(judge.attempts(events, 1, 2, flow=1)), 1)

    def test_shares_and_latencies(self):
        events = [Event(0, number / 1000, 0, ANSWERED) for number in range(1, 101)]
        events += [Event(0, 0.005, 0, REFUSED)] * 100
        self.assertAlmostEqual(judge.latency_ms(events, 0.5), 51)
        self.assertAlmostEqual(judge.latency_ms(events, 0.99), 100)
        self.assertAlmostEqual(judge.refusal_ms(events, 0.99), 5)
        self.assertEqual(judge.share(events), 0.5)
        self.assertTrue(math.isnan(judge.latency_ms([], 0.5)))
        self.assertTrue(math.isnan(judge.share([])))

    def test_answers_count_when_they_come(self):
        events = [Event(0.9, 0.2, 0, ANSWERED), Event(1.9, 0.2, 0, ANSWERED),
                  Event(1.5, 0.1, 0, GAVE_UP)]
        self.assertEqual(judge.answered_per_second(events, 1, 2), 1)

    def test_recovery_ends_with_the_last_bad_bin(self):
        good = every(0.01, 0, 10)
        self.assertEqual(judge.recovery(good, 5, 10), 0)
        self.assertAlmostEqual(judge.recovery(good + every(0.01, 4, 6.2, GAVE_UP), 5, 10), 1.2)
        self.assertAlmostEqual(judge.recovery(every(0.01, 0, 10, FAILED), 5, 10), 5)

    def test_first_answer(self):
        events = [Event(4, 0.5, 0, ANSWERED), Event(5, 0.1, 0, FAILED), Event(4.5, 1, 0, ANSWERED)]
        self.assertAlmostEqual(judge.first_answer(events, 5), 0.5)
        self.assertTrue(math.isnan(judge.first_answer(events, 6)))


class ChartTest(unittest.TestCase):
    TABLES = {f"postgresql-overload-{load}x": {
        "Weirpool": {"goodput": "0.98 (0.97–0.99)"}, "Peer & Co": {"goodput": "0.02"},
        "Absent": {"goodput": "not installed"}} for load in chart.LOADS}

    def test_a_bar_for_each_that_was_measured(self):
        picture = chart.goodput_chart(self.TABLES)
        root = xml.etree.ElementTree.fromstring(picture)
        words = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertEqual(words.count("98"), len(chart.LOADS))
        self.assertIn("Peer & Co", words)
        self.assertNotIn("Absent", words)

    def test_bars_are_as_high_as_the_figures(self):
        self.assertLess(chart.y_of(0.98), chart.y_of(0.02))
        self.assertEqual(chart.y_of(5), chart.y_of(1.1))

    def test_nothing_is_drawn_of_a_part(self):
        self.assertIsNone(chart.goodput_chart({}))
        self.assertIsNone(chart.goodput_chart({**self.TABLES, "postgresql-overload-4x": None}))


if __name__ == "__main__":
    unittest.main()
