#!/usr/bin/python3
"""bench/report.py: a page whose tables are measured again, one by one."""

import pathlib
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "bench")]

import report  # noqa: E402


def table(anchor, value, title="a title"):
    return f"### {title}\n\n<a id=\"{anchor}\"></a>\n\n| contender | CPU µs |\n| --- | --- |\n| Weirpool | {value} |\n"


def goals_table(tables):
    return "".join(f"| {anchor} | {rows['Weirpool']['CPU µs']} |\n" for anchor, rows in tables.items())


def page(*tables):
    body = "## PostgreSQL\n\n" + "\n".join(tables)
    return report.document("2026-01-02", "1 core", ["Weirpool 1.0"], "Medians.",
                           goals_table(report.read(body)), body)


class RenewedTest(unittest.TestCase):
    def test_a_table_takes_the_place_of_the_old_one_and_says_when(self):
        old = page(table("one", "1.00"), table("two", "2.00"), table("three", "3.00"))
        new = report.renewed(old, "## PostgreSQL\n\n" + table("two", "2.50"), "today", goals_table)
        values = {anchor: rows["Weirpool"]["CPU µs"] for anchor, rows in report.read(new).items()}
        self.assertEqual(values, {"one": "1.00", "two": "2.50", "three": "3.00"})
        self.assertIn("| two | 2.50 |", new)
        self.assertEqual(new.count("Measured again, today."), 1)
        self.assertEqual(new.replace("Measured again, today.\n\n", ""), page(
            table("one", "1.00"), table("two", "2.50"), table("three", "3.00")))

    def test_and_once_more(self):
        old = page(table("one", "1.00"), table("two", "2.00"))
        for value in ("5.00", "6.00"):
            old = report.renewed(old, table("two", value), value, goals_table)
        self.assertEqual(old.count("Measured again"), 1)
        self.assertIn("Measured again, 6.00.", old)

    def test_a_table_that_the_page_has_not_is_no_table_of_it(self):
        with self.assertRaises(KeyError):
            report.renewed(page(table("one", "1.00")), table("four", "4.00"), "today", goals_table)


if __name__ == "__main__":
    unittest.main()
