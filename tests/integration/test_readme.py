"""Every command of README.md's `sh` blocks, line by line: run, or checked where running it would
install packages, build for an hour or serve for ever."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import proxy
from servers import PASSWORD, USER, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"


def blocks(language):
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands():
    found = []
    for block in blocks("sh"):
        joined = block.replace("\\\n", " ")
        found += [line.split(" #")[0].strip() for line in joined.splitlines()
                  if line.strip() and not line.lstrip().startswith("#")]
    return found


def test_readme_has_commands():
    assert commands()


@pytest.fixture
def place(tmp_path, postgres):
    """A folder with README's smallest configuration in it; only its addresses are changed, so that
    it reaches the test's own PostgreSQL. `weirpool` is on the PATH."""
    (smallest, *_) = [one for one in blocks("yaml") if "backends:" in one]
    assert "max_connections" in smallest and "${APP_PASSWORD}" in smallest
    port, http = free_port(), free_port()
    smallest = (smallest.replace("shop.example.com:5432", postgres.address)
                .replace("127.0.0.1:6432", f"127.0.0.1:{port}")
                .replace("127.0.0.1:9127", f"127.0.0.1:{http}"))
    (tmp_path / "weirpool.yaml").write_text(smallest)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/weirpool").symlink_to(proxy.BINARY.resolve())
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
                   "APP_PASSWORD": PASSWORD, "PGPASSWORD": PASSWORD, "MYSQL_PWD": PASSWORD,
                   "PGDATABASE": USER}
    return tmp_path, port, http, environment


def shell(command, place, **more):
    folder, _, _, environment = place
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          check=False, **more)


def front_door(words):
    """./dev WORD: the word must be one that the script knows; what it does is run by CI itself."""
    script = ROOT / "dev"
    assert os.access(script, os.X_OK), "./dev is missing or not executable"
    assert re.search(rf"^\s*(?:[\w-]+\s*\|\s*)*{re.escape(words[1])}\s*(?:\||\))",
                     script.read_text(), re.M), f"./dev does not know {words[1]}"


def serving(command, place, probe):
    """`weirpool run …` serves until it is told to stop: started, asked, ended."""
    folder, _, http, environment = place
    process = subprocess.Popen(shlex.split(command), cwd=folder, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        proxy.until(lambda: process.poll() is not None or subprocess.run(
            ["curl", "-fsS", f"http://127.0.0.1:{http}/readyz"], capture_output=True,
            check=False).returncode == 0, "ready")
        assert process.poll() is None, process.stdout.read()
        probe()
        process.send_signal(proxy.signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def run_one(command, place):
    words = shlex.split(command)
    if words[0] == "git":
        assert words[1] in ("clone", "init"), command
    elif words[0] == "cd":
        assert len(words) == 2
    elif words[0] == "./dev":
        front_door(words)
    elif words[:2] == ["weirpool", "run"]:
        serving(command, place, lambda: None)
    elif words[0] == "docker":
        assert (ROOT / "docker/Dockerfile").exists(), command
    elif words[0] in ("psql", "mariadb", "mysql", "curl"):
        command = (command.replace("6432", str(place[1])).replace("9127", str(place[2])))
        serving("weirpool run --config weirpool.yaml", place, lambda: succeed(command, place))
    elif words[0] == "weirpool":
        succeed(command, place)
    else:
        raise AssertionError(f"no recipe for this command of README.md: {command}")


def succeed(command, place):
    done = shell(command, place)
    assert done.returncode == 0, f"{command}\n{done.stdout}"


@pytest.mark.parametrize("command", commands())
def test_command(command, place):
    run_one(command, place)


def test_links_lead_somewhere():
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (ROOT / target).exists(), target


def test_configuration_dump_and_schema_are_valid(place):
    dump = shell("weirpool config dump --config weirpool.yaml", place)
    assert dump.returncode == 0 and PASSWORD not in dump.stdout, dump.stdout
    schema = shell("weirpool config schema", place)
    assert json.loads(schema.stdout)["$schema"].startswith("https://json-schema.org/")
