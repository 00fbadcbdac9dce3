"""Every step of docker/Dockerfile, executed without a Docker engine.

Each stage gets a folder for its root. COPY copies into it, apt-get only simulates, cmake really
configures, builds and installs there, and what comes out runs as the image's user with the image's
configuration until the image's health check agrees.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from servers import free_port
from weirtest.poll import until

TOP = Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests" / "tidy"))

import dockerfile  # noqa: E402

# Where the absolute paths of the build steps are in the folder of their stage. The build directory
# keeps its place relative to the sources as in a checkout, so that ccache knows the objects.
PLACES = {"/tmp/docker": "tmp/docker", "/src": "src", "/build": "src/build/release",
          "/install": "install"}


def run(command, folder, **environment):
    done = subprocess.run(command, shell=isinstance(command, str), cwd=folder, text=True,
                          env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
    return done.stdout


class Stage:
    """One stage's root folder and what was done in it."""

    def __init__(self, root):
        self.root = root
        self.folder = root
        self.simulated = ""  # what apt-get would install

    def inside(self, path):
        path = Path(path)
        return self.root / path.relative_to("/") if path.is_absolute() else self.folder / path

    def workdir(self, path):
        self.folder = self.inside(path)
        self.folder.mkdir(parents=True, exist_ok=True)

    def copy(self, one, stages):
        *sources, target = one.words()
        base = TOP
        if "from" in one.flags:
            base = stages[one.flags["from"]].root
            sources = [source.lstrip("/") for source in sources]
        place = self.inside(target)
        for source in sources:
            if (base / source).is_dir():
                shutil.copytree(base / source, place, dirs_exist_ok=True)
            else:
                into = target.endswith("/")
                (place if into else place.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(base / source, place / Path(source).name if into else place)

    def execute(self, one):
        for command in one.text.split("&&"):
            command = command.strip()
            for path, place in PLACES.items():
                command = re.sub(rf"(?<![\w/]){path}(?![\w-])", str(self.root / place), command)
            if command.startswith("apt-get install"):
                simulated = command.replace("install", "install --simulate", 1)
                self.simulated += run(f"{simulated} && {self.package_names(command)}", self.folder)
            elif command.startswith("cmake"):
                run(command, self.folder, CCACHE_BASEDIR=str(self.root / "src"),
                    CCACHE_NOHASHDIR="1")
            else:
                assert command == "apt-get update" or command.startswith("rm -rf "), command

    @staticmethod
    def package_names(command):
        return "echo " + re.search(r"\$\(.*\)", command).group(0)


@pytest.fixture(scope="module")
def image():
    """(instructions of the last stage by name, its Stage)"""
    with tempfile.TemporaryDirectory(prefix="weirpool-image-") as folder:
        os.chmod(folder, 0o755)  # the image's user must reach the program
        stages, stage, last = {}, None, {}
        for one in dockerfile.parse(TOP / "docker/Dockerfile"):
            if one.name == "FROM":
                stage, last = Stage(Path(folder) / str(one.stage)), {}
                stage.root.mkdir()
                stages[one.words()[-1]] = stage
            elif one.name == "WORKDIR":
                stage.workdir(one.text)
            elif one.name == "COPY":
                stage.copy(one, stages)
            elif one.name == "RUN":
                stage.execute(one)
            last[one.name] = one
        yield last, stage


def as_image(image, command):
    """A command of the image, with the paths of its root, run by its user."""
    last, stage = image
    name, *arguments = command
    arguments = [str(stage.root / one[1:]) if one.startswith("/") else one for one in arguments]
    command = [str(stage.root / "usr/local/bin" / name), *arguments]
    if os.geteuid() != 0:
        return command
    user, group = last["USER"].text.split(":")
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--", *command]


def on_free_ports(path):
    """What listens on fixed ports in a container must not on this machine. Returns the HTTP one."""
    config = yaml.safe_load(path.read_text())
    for listener in config["listeners"]:
        listener["address"] = f"127.0.0.1:{free_port()}"
    config["admin"]["http"] = f"127.0.0.1:{free_port()}"
    path.write_text(yaml.safe_dump(config))
    return config["admin"]["http"]


@pytest.mark.slow
def test_the_program_needs_nothing_that_the_image_lacks(image):
    _, stage = image
    binary = stage.root / "usr/local/bin/weirpool"
    packages = stage.simulated.splitlines()[-1].split()
    closure = set(re.findall(r"^(?:\s*Depends: )?([\w.+-]+)$", run(
        ["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests",
         "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *packages], TOP),
        re.MULTILINE))
    libraries = re.findall(r"=> (/\S+)", run(["ldd", str(binary)], TOP))
    assert libraries
    for library in libraries:
        owner = run(f"dpkg -S {library} || dpkg -S $(realpath {library})", TOP)
        package = re.search(r"^([\w.+-]+)(?::\w+)?: /", owner, re.MULTILINE).group(1)
        assert package in closure, f"{library} of {package}"


@pytest.mark.slow
def test_the_image_starts_as_its_user_and_is_healthy(image, postgres, mysql):
    last, stage = image
    http = on_free_ports(stage.root / "etc/weirpool/weirpool.yaml")
    environment = {**os.environ, "APP_PASSWORD": "secret", "POSTGRES_ADDRESS": postgres.address,
                   "MYSQL_ADDRESS": mysql.address}
    start = last["ENTRYPOINT"].exec_form() + last["CMD"].exec_form()
    health = as_image(image, last["HEALTHCHECK"].exec_form() + ["--url", http])

    def healthy():
        assert process.poll() is None, log.read_text()
        return subprocess.run(health, env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=10).returncode == 0

    log = stage.root / "weirpool.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(as_image(image, start), env=environment, stdout=output,
                                   stderr=output, stdin=subprocess.DEVNULL)
    try:
        until(healthy, "the health check succeeds", 30)
    finally:
        process.kill()
        process.wait()
    assert subprocess.run(health, env=environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=10).returncode != 0


@pytest.mark.slow
def test_the_image_refuses_to_start_without_a_password(image):
    _, stage = image
    environment = {name: value for name, value in os.environ.items() if name != "APP_PASSWORD"}
    done = subprocess.run(as_image(image, ["weirpool", "check", "--config",
                                           "/etc/weirpool/weirpool.yaml"]),
                          env=environment, text=True, capture_output=True, timeout=10)
    assert done.returncode == 78
    assert "set it in the environment of the container" in done.stdout + done.stderr


def test_prometheus_accepts_its_configuration():
    run(["promtool", "check", "config", str(TOP / "docker/prometheus/prometheus.yml")], TOP)


def test_compose_gives_its_databases_what_weirpool_expects():
    compose = yaml.safe_load((TOP / "docker/compose.yaml").read_text())["services"]
    config = (TOP / "docker/weirpool.yaml").read_text()
    assert "postgres:5432" in config and "mysql:3306" in config
    assert {"postgres", "mysql"} <= set(compose)
    (user,) = yaml.safe_load(config)["users"]
    assert compose["postgres"]["environment"]["POSTGRES_USER"] == user
    assert compose["mysql"]["environment"]["MYSQL_USER"] == user
