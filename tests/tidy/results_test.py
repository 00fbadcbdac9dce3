#!/usr/bin/python3
"""What bench/report.py writes passes; each way in which RESULTS.md or a README's claim can be wrong is found."""

import pathlib
import sys
import tempfile
import types
import unittest

import results

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "bench"))

import report  # noqa: E402

EXPERIMENT = types.SimpleNamespace(
    anchor="simple", title="simple queries", columns=("transactions/s", "CPU µs"), key="CPU µs",
    note="", against=("Other",))
MEASURED = {"Weirpool, 1 thread": [(21000, 17.21), (20500, 17.9), (22100.0, 17.0)],
            "Other": [(19000, 21.0), (18000, 20.5), (20000, 21.5)]}
MISSING = {"Third": "not installed", "Fourth": "failed: it | ended\nsaying | much"}
GOAL = types.SimpleNamespace(text="CPU beside Other", table="simple", limit=0.95, over="Other",
                             over_table="", row="Weirpool, 1 thread", column="", at_least=False)


def document():
    table = report.table(EXPERIMENT, MEASURED, MISSING)
    goals = report.goals([GOAL], {"simple": "CPU µs"}, report.read(table))
    return report.document("2026-01-31", "2 cores (a model), 16 GiB, Linux 6.1, Debian 12",
                           ["PostgreSQL 15.1", "Weirpool 0.1.0"], "Medians of 3 rounds of 8 s.",
                           goals, table)


class ResultsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "bench").mkdir()
        self.readme("Fast.\n")

    def readme(self, text):
        (self.root / "README.md").write_text(text, encoding="utf-8")

    def found(self, text):
        (self.root / "bench/RESULTS.md").write_text(text, encoding="utf-8")
        return results.check(self.root)

    def assert_finds(self, old, new, part):
        text = document()
        self.assertIn(old, text)
        found = self.found(text.replace(old, new, 1))
        self.assertTrue(any(part in one for one in found), found)

    def test_what_is_written_passes(self):
        self.assertEqual(self.found(document()), [])

    def test_this_checkout_passes(self):
        self.assertEqual(results.check(TOP), [])

    def test_empty(self):
        self.assertIn("bench/RESULTS.md: no tables", self.found(""))

    def test_header(self):
        self.assert_finds("# Results", "# Some results", "begin")
        self.assert_finds("2026-01-31", "2026-01-32", "no such day")
        self.assert_finds("* Date: 2026-01-31", "* Date: today", "Date")
        self.assert_finds("* Machine: 2 cores", "* Machine: fast", "Machine")
        self.assert_finds("Weirpool 0.1.0", "something", "Versions")
        self.assert_finds("Medians of 3 rounds", "Runs", "how many rounds")

    def test_anchor_twice(self):
        text = document()
        self.assertTrue(any("twice" in one for one in self.found(
            text + text[text.index("### "):])))

    def test_anchor_without_table(self):
        self.assert_finds('<a id="simple"></a>', '<a id="none"></a>\n\n### next\n', "no table")

    def test_cell_that_is_no_figure(self):
        self.assert_finds("17.2 (17.0–17.9)", "about 17", "about 17")
        self.assert_finds("17.2 (17.0–17.9)", "17.2 (17.5–17.9)", "17.5")
        self.assert_finds("| 17.2 (17.0–17.9) ", "", "as many cells")

    def test_figures_behind_a_reason(self):
        self.assert_finds("| not installed | – |", "| not installed | 3.00 |", "figures behind")

    def test_contender_twice(self):
        self.assert_finds("| Third |", "| Other |", "twice")

    def test_ratio_that_was_typed_in(self):
        self.assert_finds("| 0.82 |\n", "| 0.62 |\n", "is not 17.2")

    def test_goal_that_is_not_met(self):
        self.assert_finds("| yes |", "| **no** |", "does not follow")
        self.assert_finds("| ≤ 0.95 |", "| ≥ 0.95 |", "does not follow")
        self.assert_finds("| ≤ 0.95 |", "| 0.95 |", "does not follow")
        self.assert_finds("(#simple)", "(#other)", "does not follow")

    def test_missing_picture(self):
        self.assert_finds("### ", "![picture](overload.svg)\n\n### ", "overload.svg is missing")

    def test_claims_that_stand_there(self):
        self.readme("It takes **17.2 µs, 0.82 of Other** (bench/RESULTS.md#simple), and does\n"
                    "**21,000/s**\n([measured](bench/RESULTS.md#simple)); see bench/RESULTS.md.\n")
        self.assertEqual(self.found(document()), [])

    def test_claims_that_do_not(self):
        for claim, part in {
                "**17.3 µs** (bench/RESULTS.md#simple)": "17.3 does not stand",
                "**17.2 µs** ([measured](bench/RESULTS.md#complex))": "no RESULTS.md#complex",
                "**fast** (bench/RESULTS.md#simple)": "no number",
                "17.2 µs (bench/RESULTS.md#simple)": "without **a figure**"}.items():
            self.readme(f"It takes {claim}.\n")
            found = self.found(document())
            self.assertEqual(len(found), 1, found)
            self.assertIn(part, found[0])

    def test_claim_in_a_folder(self):
        (self.root / "proxy").mkdir()
        (self.root / "proxy/README.md").write_text("**9 µs** (../bench/RESULTS.md#simple)\n")
        self.assertTrue(self.found(document())[0].startswith("proxy/README.md: "))

    def test_without_results_nothing_may_be_claimed(self):
        self.assertEqual(results.check(self.root), [])
        self.readme("**17.2 µs** (bench/RESULTS.md#simple)\n")
        self.assertEqual(len(results.check(self.root)), 1)


if __name__ == "__main__":
    unittest.main()
