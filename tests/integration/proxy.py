"""Weirpool as a process under test: configuration written, started, watched, stopped, judged."""

import json
import os
import re
import resource
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from servers import HOST, LEGACY_PASSWORD, LEGACY_USER, PASSWORD, USER, free_port
from weirtest.poll import until

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("WEIRPOOL_BIN", ROOT / "build/release/proxy/weirpool"))
SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
DRAIN = {"lame_duck": "10ms", "timeout": "3s"}
# On a busy machine lines stand and loops are behind. Tests of something else wait as long as it
# takes; whoever is about overload takes Weirpool as_it_comes().
PATIENT = {"timeouts": {"query_wait_timeout": "30s"}, "admission": {"queue_target": "0"},
           "limits": {"loop_lag_high": "0"}}


def merged(base, over):
    """`over` laid upon `base`, dictionaries key by key; None removes a key."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def as_it_comes(**config):
    """`config` upon Weirpool's own defaults, where tests are patient otherwise."""
    return merged({group: dict.fromkeys(options) for group, options in PATIENT.items()}, config)


class Metrics:
    """One scrape: samples with their labels."""

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = SAMPLE.match(line)
                assert match, f"not a sample: {line!r}"
                labels = dict(LABEL.findall(match[2] or ""))
                self.samples.append((match[1], labels, float(match[3])))

    def names(self):
        return {name for name, _, _ in self.samples}

    def total(self, name, **labels):
        """The sum over all series of that name that carry these labels."""
        return sum(value for sample, have, value in self.samples
                   if sample == name and labels.items() <= have.items())


class Weirpool:
    """A running proxy. `backends` maps a name to a DatabaseServer or an object with protocol and
    address; every backend gets one listener, whose port is ports[name]."""

    def __init__(self, folder, backends, max_connections=20, config=None, nofile=None,
                 environment=None, listener_tls=None, listener_more=None, ports=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "weirpool.yaml"
        self.output = self.folder / "weirpool.log"
        self.errors = self.folder / "weirpool.err"  # warnings about the file, sanitizer reports
        self.nofile = nofile
        self.environment = {**os.environ, **(environment or {})}
        self.ports = ports or {name: free_port() for name in backends}
        self.http_port = free_port()
        self.expected_errors = set()
        self.any_error = False
        self.process = None
        self.config = merged(self._base(backends, max_connections), config or {})
        if listener_tls:
            for listener in self.config["listeners"]:
                listener["tls"] = listener_tls
        for listener in self.config["listeners"]:
            listener.update(listener_more or {})

    def _base(self, backends, max_connections):
        return {
            "workers": 2,
            "backends": {name: {"protocol": server.protocol, "address": server.address,
                                "max_connections": max_connections}
                         for name, server in backends.items()},
            "listeners": [{"address": f"{HOST}:{self.ports[name]}", "backend": name}
                          for name in backends],
            "users": {USER: {"password": PASSWORD},
                      LEGACY_USER: {"password": LEGACY_PASSWORD}},
            "admin": {"http": f"{HOST}:{self.http_port}", "users": [USER]},
            "drain": DRAIN,
            **PATIENT,
            "log": {"format": "json", "level": "info"},
        }

    def listener(self, name):
        return next(one for one in self.config["listeners"] if one["backend"] == name)

    @property
    def port(self):
        (only,) = self.ports.values()
        return only

    @property
    def pid(self):
        return self.process.pid

    def write_config(self):
        """JSON is YAML; the file is replaced in one step, as a careful operator does."""
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.config, indent=1))
        new.rename(self.file)

    def _limits(self):
        if self.nofile:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.nofile, self.nofile))

    def start(self, ready=True):
        """Returns when it is ready, or with ready=False when it is alive: its database is not."""
        assert BINARY.exists(), f"{BINARY} is missing: build it first, or set WEIRPOOL_BIN"
        self.write_config()
        with open(self.output, "ab") as output, open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(
                [str(BINARY), "run", "--config", str(self.file)], stdout=output, stderr=errors,
                stdin=subprocess.DEVNULL, env=self.environment, preexec_fn=self._limits)
        until(self.is_ready if ready else self.is_alive, "weirpool is ready", 30)
        return self

    def is_alive(self, path="/livez"):
        if self.process.poll() is not None:
            raise RuntimeError(f"weirpool ended with {self.process.returncode}:\n{self.tail()}")
        return self.http_status(path) == 200

    def is_ready(self):
        return self.is_alive("/readyz")

    def http(self, path, method="GET"):
        request = urllib.request.Request(
            f"http://{HOST}:{self.http_port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def http_status(self, path, method="GET"):
        """The status code; None if nobody answers."""
        try:
            self.http(path, method)
            return 200
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metrics(self):
        return Metrics(self.http("/metrics"))

    def log_text(self):
        return self.output.read_text(errors="replace")

    def tail(self):
        return self.errors.read_text(errors="replace")[-3000:] + self.log_text()[-3000:]

    def events(self, name=None):
        """Log lines as objects; the last one may still be half written."""
        lines = self.log_text().split("\n")[:-1]
        events = [json.loads(line) for line in lines if line]
        return [one for one in events if name in (None, one.get("event"))]

    def expect_errors(self, *names):
        """These events may be logged at level error in this test."""
        self.expected_errors.update(names)

    def expect_any_error(self):
        """For tests whose database is broken on purpose."""
        self.any_error = True

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, good=True):
        """Writes the configuration, sends SIGHUP, waits for the verdict in the log."""
        before = len(self.events("config_reload"))
        self.write_config()
        self.signal(signal.SIGHUP)
        event = until(lambda: self.events("config_reload")[before:], "the reload is logged")[0]
        assert event.get("ok") is good, event
        return event

    def resident_kib(self):
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def cpu_seconds(self):
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def stop(self):
        """SIGTERM, exit code 0 in time, and no event of level error that nobody expected."""
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
            try:
                code = self.process.wait(20)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"SIGTERM did not end it:\n{self.tail()}") from None
        finally:
            self.kill()
        assert code == 0, f"exit code {code}:\n{self.tail()}"
        surprises = [one for one in self.events() if one.get("level") == "error"
                     and not self.any_error and one.get("event") not in self.expected_errors]
        assert not surprises, surprises
