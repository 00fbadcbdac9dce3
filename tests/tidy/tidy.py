#!/usr/bin/python3
"""The house rules that a compiler does not check. Prints file:line: what is wrong, exits 1.

usage: tidy.py [ROOT]
"""

import pathlib
import re
import sys

import cpp_text

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
CORE = ("proxy/session/", "proxy/pool/", "proxy/admission/", "proxy/scaling/", "proxy/metrics/")
SOURCE_FOLDERS = ("protocol", "config", "proxy")
TIDY_FOLDERS = SOURCE_FOLDERS + ("tests", "bench")

# Sources without a test of their own name, each with the reason.
UNTESTED = {
    "proxy/main.cpp": "starts everything; tests/integration runs it as it ships",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
PROTOCOL_NAME = re.compile(r"postgres|mysql|mariadb|\bpg_|\blibpq", re.IGNORECASE)
DURATION = re.compile(
    r"\b\d[\d'.]*(?:h|min|s|ms|us|ns)\b(?!')"
    r"|\b(?:hours|minutes|seconds|milliseconds|microseconds|nanoseconds|Duration)\s*[({]\s*[1-9]"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def allowed_includes(path):
    """Folder or file -> set of folders and files it may include from."""
    rules = {}
    for row in path.read_text(encoding="utf-8").splitlines():
        row = row.split("#", 1)[0].strip()
        if row:
            name, _, targets = row.partition(":")
            rules[name.strip()] = set(targets.split())
    return rules


def places(name):
    """proxy/pool/lease.hpp -> what a rule may call it: the file, then its folder."""
    path = pathlib.PurePosixPath(name)
    return str(path.with_suffix("")), str(path.parent)


def check_includes(name, lines, rules):
    file, folder = places(name)
    allowed = rules.get(file, rules.get(folder))
    if allowed is None:
        yield 1, f"{folder} is not in allowed_includes.txt"
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target, target_folder = places(match.group(1))
        own = target_folder == folder and not (target in rules and target != file)
        if not own and target != file and not {target, target_folder} & allowed:
            yield number, f'{folder} may not include "{match.group(1)}"'


def check_core(code):
    for number, line in enumerate(code, 1):
        match = PROTOCOL_NAME.search(line)
        if match:
            yield number, f"the core names a protocol: {match.group(0)}"


def check_durations(code):
    for number, line in enumerate(code, 1):
        match = DURATION.search(line)
        if match:
            yield number, f"duration literal outside config/: {match.group(0)}"


def check_text(lines):
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "tab"
        match = UNFINISHED.search(line)
        if match:
            yield number, f"{match.group(1)} in the code"


def check_sizes(name, lines, code):
    if len(lines) > MAX_FILE_LINES:
        yield MAX_FILE_LINES + 1, f"file of {len(lines)} lines, at most {MAX_FILE_LINES}"
    if name.endswith("_table.hpp"):
        return
    for start, length in cpp_text.functions(code):
        if length > MAX_FUNCTION_LINES:
            yield start, f"function of {length} lines, at most {MAX_FUNCTION_LINES}"


def check_test(root, name):
    mirrored = root / "tests" / pathlib.PurePosixPath(name).with_suffix("")
    test = mirrored.with_name(mirrored.name + "_test.cpp")
    if not test.exists() and name not in UNTESTED:
        yield 1, f"no test: {test.relative_to(root)}"


def check_file(root, name, rules):
    text = (root / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    code = cpp_text.without_comments(text).splitlines()
    bare = cpp_text.without_strings(code)
    yield from check_text(lines)
    yield from check_sizes(name, lines, bare)
    if name.startswith(tuple(folder + "/" for folder in SOURCE_FOLDERS)):
        yield from check_includes(name, lines, rules)
        if name.endswith(".cpp"):
            yield from check_test(root, name)
    if name.startswith(("proxy/", "protocol/")):
        yield from check_durations(bare)
    if name.startswith(CORE):
        yield from check_core(code)


def files(root):
    for folder in TIDY_FOLDERS:
        for path in sorted((root / folder).rglob("*.?pp")):
            yield path.relative_to(root).as_posix()


def check(root):
    """Everything wrong under root, as file:line: message."""
    rules = allowed_includes(root / "tests/tidy/allowed_includes.txt")
    found = [
        f"{name}:{line}: {message}"
        for name in files(root)
        for line, message in check_file(root, name, rules)
    ]
    found += [
        f"tests/tidy/tidy.py:1: {name} is excused but does not exist"
        for name in UNTESTED
        if not (root / name).exists()
    ]
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    found = check(root if len(sys.argv) > 1 else root.parents[2])
    print("\n".join(found + [f"tidy: {len(found)} found"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
