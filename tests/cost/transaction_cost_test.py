#!/usr/bin/python3
"""The judge of transaction_cost.py fails when it should, and callgrind's format is read as documented."""

import unittest

import transaction_cost as cost

PROFILE = """version: 1
events: Ir
fn=(1) main
0 10
cfn=(2) operator new(unsigned long)
calls=3 0
0 90
fn=(2)
0 5
cfn=(3) malloc
calls=3 0
0 60
cfn=(4) malloc_usable_size
calls=8 0
0 8
fn=(5) realloc@plt
cfn=(3)
calls=4 0
0 60
cfn=(6) realloc'2
calls=1 0
0 6
totals: 12345
"""
TOOLS = {"machine": "x86_64", "compiler": "GCC 12", "libc": "glibc 2.36"}
BASELINE = {**TOOLS, "instructions": {"postgresql": 10000}}


class ProfileTest(unittest.TestCase):
    def test_totals(self):
        self.assertEqual(cost.total_instructions(PROFILE), 12345)

    def test_calls_of_allocators(self):
        self.assertEqual(cost.calls_of(PROFILE, cost.ALLOCATORS), 8)
        self.assertEqual(cost.calls_of(PROFILE, {"main"}), 0)


class JudgeTest(unittest.TestCase):
    def judged(self, instructions, allocations=0.0, strict=False, **tools):
        lines, failed = cost.judge({"postgresql": (instructions, allocations)},
                                   {**TOOLS, **tools}, BASELINE, strict)
        return "\n".join(lines), failed

    def test_the_same_passes(self):
        text, failed = self.judged(10000)
        self.assertFalse(failed)
        self.assertIn("+0.0%", text)

    def test_growth(self):
        self.assertFalse(self.judged(10499)[1])
        text, failed = self.judged(10501)
        self.assertTrue(failed)
        self.assertIn("FAILED: more than 5%", text)

    def test_what_has_become_cheaper_is_said(self):
        text, failed = self.judged(9000)
        self.assertFalse(failed)
        self.assertIn("--update", text)

    def test_an_allocation(self):
        self.assertFalse(self.judged(10000, 0.005)[1])
        self.assertTrue(self.judged(10000, 1.0)[1])
        self.assertTrue(self.judged(10000, 1.0, compiler="GCC 13")[1])

    def test_another_toolchain(self):
        text, failed = self.judged(20000, compiler="GCC 13")
        self.assertFalse(failed)
        self.assertIn("BASELINE OF ANOTHER TOOLCHAIN", text)
        self.assertIn("compiler GCC 13 instead of GCC 12", text)
        self.assertTrue(self.judged(10000, strict=True, compiler="GCC 13")[1])

    def test_what_the_baseline_does_not_know(self):
        lines, failed = cost.judge({"mysql": (1, 0)}, TOOLS, BASELINE, False)
        self.assertTrue(failed, lines)


if __name__ == "__main__":
    unittest.main()
