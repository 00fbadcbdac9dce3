"""Drivers of other languages, and psql, each a program that prints what it sees step by step; the
lines must be the same against a bare server and through Weirpool."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from servers import PASSWORD, USER

CLIENTS = Path(__file__).resolve().parent / "clients"
JDBC = "/usr/share/java/postgresql.jar"


@pytest.mark.parametrize("driver", ["pg", "postgres"])
def test_node(same_lines, node_modules, driver):
    same_lines("node", CLIENTS / f"{driver}.js", env={"NODE_PATH": str(node_modules)}, least=14)


@pytest.mark.parametrize("threshold", [1, 5])
@pytest.mark.parametrize("mode", ["extended", "extendedCacheEverything", "simple"])
def test_jdbc(same, program, threshold, mode):
    def run(url):
        address = re.search(r"@(.*)\?", url)[1]
        return program(
            "java", "-cp", JDBC, CLIENTS / "Conformance.java",
            f"jdbc:postgresql://{address}?prepareThreshold={threshold}&preferQueryMode={mode}",
            USER, PASSWORD).splitlines()

    same(run)


@pytest.mark.parametrize("driver", ["pgx", "pq"])
def test_go(same_lines, go, driver):
    same_lines(go(CLIENTS / f"{driver}.go"), "{url}", least=20)


def test_libpq_pipeline(same_lines, tmp_path):
    flags = shlex.split(subprocess.run(["pkg-config", "--cflags", "--libs", "libpq"], check=True,
                                       capture_output=True, text=True).stdout)
    subprocess.run(["cc", "-Wall", "-Werror", "-o", tmp_path / "pipeline",
                    CLIENTS / "pipeline.c", *flags], check=True, timeout=300)
    same_lines(tmp_path / "pipeline", "{url}", least=90)


def test_psql(same_lines):
    # Everything it prints, errors and notices included; the pid behind a notification differs.
    same_lines("sh", "-c", f"psql -X {{url}} -f {CLIENTS}/psql.sql 2>&1 "
                           "| sed -E 's/PID [0-9]+/PID/; s/^psql:[^:]*://'", least=100)
