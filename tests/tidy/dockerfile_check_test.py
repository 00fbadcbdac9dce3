#!/usr/bin/python3
"""The lint of docker/ passes on what ships and finds each defect put into a copy of it."""

import pathlib
import shutil
import tempfile
import unittest

import dockerfile_check

TOP = pathlib.Path(__file__).resolve().parents[2]


class DockerfileCheckTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        shutil.copytree(TOP / "docker", self.root / "docker")
        for name in ("protocol", "config", "proxy"):
            (self.root / name).mkdir()
        for name in ("CMakeLists.txt", "CMakePresets.json"):
            shutil.copy(TOP / name, self.root / name)

    def assert_finds(self, file, old, new, part):
        path = self.root / "docker" / file
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), encoding="utf-8")
        found = dockerfile_check.check(self.root)
        self.assertTrue(any(part in one for one in found), found)

    def test_what_ships_passes(self):
        self.assertEqual(dockerfile_check.check(self.root), [])

    def test_floating_tag(self):
        self.assert_finds("Dockerfile", "debian:bookworm-slim", "debian", "no fixed tag")

    def test_missing_source(self):
        self.assert_finds("Dockerfile", "COPY proxy", "COPY proxies", "proxies does not exist")

    def test_unknown_stage(self):
        self.assert_finds("Dockerfile", "--from=build", "--from=builder", "no stage builder")

    def test_packages_outside_the_list(self):
        self.assert_finds("Dockerfile", "$(/tmp/docker/packages.sh run)", "libssl3", "packages.txt")

    def test_recommended_packages(self):
        self.assert_finds("Dockerfile", "--no-install-recommends ", "", "--no-install-recommends")

    def test_package_lists_left_behind(self):
        self.assert_finds("Dockerfile", "rm -rf /var/lib/apt/lists/*", "true", "stay in the layer")

    def test_root(self):
        self.assert_finds("Dockerfile", "USER 65532:65532", "USER root", "unprivileged")

    def test_no_healthcheck(self):
        self.assert_finds("Dockerfile", "HEALTHCHECK", "# HEALTHCHECK", "no HEALTHCHECK")

    def test_shell_form(self):
        self.assert_finds("Dockerfile", '["weirpool"]', "weirpool", "exec form")

    def test_port_that_is_not_exposed(self):
        self.assert_finds("weirpool.yaml", "0.0.0.0:6033", "0.0.0.0:3306", "EXPOSE says")

    def test_compose_with_a_missing_file(self):
        self.assert_finds("compose.yaml", "prometheus.yml:/etc", "other.yml:/etc", "does not exist")

    def test_compose_open_to_the_world(self):
        self.assert_finds("compose.yaml", "127.0.0.1:6432:", "6432:", "open to the world")

    def test_unknown_instruction(self):
        path = self.root / "docker/Dockerfile"
        path.write_text("ADD x y\n", encoding="utf-8")
        with self.assertRaisesRegex(ValueError, "unknown instruction ADD"):
            dockerfile_check.check(self.root)


if __name__ == "__main__":
    unittest.main()
