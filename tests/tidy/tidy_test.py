#!/usr/bin/python3
"""Each house rule fails on a sample that breaks it, and a clean tree passes."""

import pathlib
import tempfile
import unittest

import tidy

RULES = """
protocol:
protocol/postgres: protocol
proxy/pool: protocol/fault proxy/net proxy/dialect
proxy/net:
proxy/dialect:
proxy/dialect_postgres: proxy/dialect protocol/postgres
proxy: proxy/dialect proxy/pool
"""
CLEAN = '#include "proxy/pool/lease.hpp"\n\nint f(int a) { return a; }\n'


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = pathlib.Path(self.directory.name)
        self.write("tests/tidy/allowed_includes.txt", RULES)
        self.write("proxy/main.cpp", "int main() {}\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(self, name, text):
        """What is wrong with one file, its test being there."""
        self.write(name, text)
        if name.endswith(".cpp") and not name.startswith("tests/"):
            self.write(f"tests/{name[:-4]}_test.cpp", "")
        return tidy.check(self.root)

    def assert_finds(self, name, text, line, part):
        found = self.found(name, text)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{name}:{line}: "), found)
        self.assertIn(part, found[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.found("proxy/pool/lease.cpp", CLEAN), [])

    def test_forbidden_include(self):
        text = '#include "protocol/fault.hpp"\n#include "protocol/verdict.hpp"\n'
        self.assert_finds("proxy/pool/lease.hpp", text, 2, "may not include")

    def test_include_against_the_direction(self):
        self.assert_finds("proxy/net/x.hpp", '#include "proxy/pool/lease.hpp"\n', 1, "may not include")

    def test_only_the_dialect_file_includes_its_protocol(self):
        text = '#include "protocol/postgres/frame.hpp"\n'
        self.assertEqual(self.found("proxy/dialect_postgres.hpp", text), [])
        self.assert_finds("proxy/worker.hpp", text, 1, "may not include")

    def test_a_dialect_is_not_reached_through_its_folder(self):
        text = '#include "proxy/dialect_postgres.hpp"\n'
        self.assert_finds("proxy/worker.hpp", text, 1, "may not include")

    def test_folder_without_a_rule(self):
        self.assert_finds("proxy/new/x.hpp", "", 1, "not in allowed_includes.txt")

    def test_protocol_name_in_the_core(self):
        self.assert_finds("proxy/pool/x.hpp", "int a;\nbool is_mysql;\n", 2, "names a protocol: mysql")
        self.assertEqual(self.found("proxy/pool/x.hpp", "// unlike mysql\n"), [])

    def test_long_file(self):
        self.assert_finds("proxy/pool/x.hpp", "int a;\n" * 501, 501, "file of 501 lines")
        self.assertEqual(self.found("proxy/pool/x.hpp", "int a;\n" * 500), [])

    def test_long_function(self):
        body = "  a();\n" * 69
        text = "namespace n {\nclass A {\n  void f();\n};\n\nvoid A::f(\n    int x) {\n" + body + "}\n}\n"
        self.assert_finds("proxy/pool/x.hpp", text, 6, "function of 72 lines")
        self.assertEqual(self.found("proxy/pool/x_table.hpp", text)[1:], [])

    def test_function_of_the_allowed_length(self):
        text = "void f() {\n" + "  if (a) { b(); }\n" * 68 + "}\n\nvoid g() {\n" + "  a();\n" * 68 + "}\n"
        self.assertEqual(self.found("proxy/pool/x.hpp", text), [])

    def test_long_constructor_behind_initialisers(self):
        text = "int a;\nA::A(int b)\n    : a_{b}, b_(b), c_{} {\n" + "  a();\n" * 70 + "}\n"
        self.assert_finds("proxy/pool/x.hpp", text, 2, "function of 73 lines")

    def test_long_template_that_takes_an_elaborate_type(self):
        text = "class A {\n public:\n  template <class T>\n  void f(struct tm t) {\n" + "a();\n" * 70 + "}\n};\n"
        self.assert_finds("proxy/pool/x.hpp", text, 2, "function of 74 lines")

    def test_long_table_is_not_a_function(self):
        text = "constexpr auto k = to_array<A>({\n" + "    {f(1), 2},\n" * 100 + "});\n"
        self.assertEqual(self.found("proxy/pool/x.hpp", text), [])

    def test_long_class_is_not_a_function(self):
        text = "class A {\n" + "  void f() {}\n" * 100 + "};\n"
        self.assertEqual(self.found("proxy/pool/x.hpp", text), [])

    def test_duration_literals(self):
        for literal in ("5s", "100ms", "1'000us", "std::chrono::seconds(5)", "milliseconds{20}"):
            with self.subTest(literal):
                text = f"auto a = {literal};\n"
                self.assert_finds("proxy/net/x.hpp", text, 1, "duration literal")

    def test_what_only_looks_like_a_duration(self):
        text = 'auto a = "5s";  // 100ms\nauto b = 0x5, c = 10, d = 1\'000;\nDuration e{0};\n'
        self.assertEqual(self.found("proxy/net/x.hpp", text), [])

    def test_durations_belong_to_config(self):
        self.write("tests/tidy/allowed_includes.txt", RULES + "config:\n")
        self.assertEqual(self.found("config/x.hpp", "auto a = 5s;\n"), [])

    def test_source_without_its_test(self):
        self.write("proxy/pool/lonely.cpp", "")
        found = tidy.check(self.root)
        self.assertEqual(found, ["proxy/pool/lonely.cpp:1: no test: tests/proxy/pool/lonely_test.cpp"])

    def test_excuse_for_a_file_that_is_gone(self):
        (self.root / "proxy/main.cpp").unlink()
        self.assertIn("excused but does not exist", tidy.check(self.root)[0])

    def test_unfinished_work(self):
        for word in ("TODO", "FIXME"):
            with self.subTest(word):
                self.assert_finds("proxy/net/x.hpp", f"int a;\n// {word}: later\n", 2, word)

    def test_tab(self):
        self.assert_finds("tests/x_test.cpp", "int a;\n\tint b;\n", 2, "tab")


if __name__ == "__main__":
    unittest.main()
