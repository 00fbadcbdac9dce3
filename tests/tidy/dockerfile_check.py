#!/usr/bin/python3
"""Lints docker/: the Dockerfile, and that compose.yaml and weirpool.yaml agree with it.

usage: dockerfile_check.py [ROOT]
"""

import pathlib
import re
import sys

import dockerfile
import yaml


def check_from(one, stages):
    image = one.words()[0]
    if image not in stages and (":" not in image or image.endswith(":latest")):
        yield f"{image} has no fixed tag"


def check_copy(root, one, stages):
    source = one.flags.get("from")
    if source is not None:
        if source not in stages:
            yield f"no stage {source} before this one"
        return
    *paths, target = one.words()
    for path in paths:
        if not (root / path).exists():
            yield f"{path} does not exist"
    if len(paths) > 1 and not target.endswith("/"):
        yield "several sources need a target that ends with /"


def check_run(one):
    if "apt-get install" not in one.text:
        return
    if not one.text.startswith("apt-get update"):
        yield "apt-get install without apt-get update in the same layer"
    if "--no-install-recommends" not in one.text:
        yield "apt-get install without --no-install-recommends"
    if "rm -rf /var/lib/apt/lists" not in one.text:
        yield "the package lists stay in the layer"
    if not re.search(r"\$\(\S*packages\.sh \w+\)", one.text):
        yield "packages are listed in docker/packages.txt, not here"


def check_last_stage(last):
    """What the image that ships must say; `last`: name -> instruction."""
    for name in ("USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "EXPOSE"):
        if name not in last:
            yield f"the last stage has no {name}"
    for name in ("HEALTHCHECK", "ENTRYPOINT", "CMD"):
        if name in last and last[name].exec_form() is None:
            yield f"{name} is not in exec form: a shell would swallow signals"
    if "USER" in last and not re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"].text):
        yield "USER is not a numeric, unprivileged uid:gid"


def check_ports(root, last):
    config = yaml.safe_load((root / "docker/weirpool.yaml").read_text(encoding="utf-8"))
    addresses = [one["address"] for one in config["listeners"]] + [config["admin"]["http"]]
    served = {address.rsplit(":", 1)[1] for address in addresses}
    exposed = set(last["EXPOSE"].words()) if "EXPOSE" in last else set()
    if served != exposed:
        yield f"EXPOSE says {sorted(exposed)}, docker/weirpool.yaml serves {sorted(served)}"


def check_compose(root):
    compose = yaml.safe_load((root / "docker/compose.yaml").read_text(encoding="utf-8"))
    for name, service in compose["services"].items():
        if "build" in service:
            context = (root / "docker" / service["build"]["context"]).resolve()
            if not (context / service["build"]["dockerfile"]).is_file():
                yield f"{name}: no Dockerfile in the build context"
        elif not re.search(r":[^/]+$", service["image"]) or service["image"].endswith(":latest"):
            yield f"{name}: {service['image']} has no fixed tag"
        for volume in service.get("volumes", []):
            source = volume.split(":", 1)[0]
            if source.startswith(".") and not (root / "docker" / source).exists():
                yield f"{name}: {source} does not exist"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"{name}: port {port} is open to the world"
        for other in service.get("depends_on", []):
            if other not in compose["services"]:
                yield f"{name}: depends on {other}, which is not there"


def check(root):
    path = root / "docker/Dockerfile"
    instructions = dockerfile.parse(path)
    found, stages, last = [], set(), {}
    for one in instructions:
        problems = []
        if one.name == "FROM":
            problems = list(check_from(one, stages))
            stages |= set(one.words()[2:3])
            last = {}
        elif one.name == "COPY":
            problems = list(check_copy(root, one, stages))
        elif one.name == "RUN":
            problems = list(check_run(one))
        last[one.name] = one
        found += [f"docker/Dockerfile:{one.line}: {problem}" for problem in problems]
    found += [f"docker/Dockerfile: {problem}" for problem in check_last_stage(last)]
    found += [f"docker/Dockerfile: {problem}" for problem in check_ports(root, last)]
    found += [f"docker/compose.yaml: {problem}" for problem in check_compose(root)]
    return found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = check(root)
    print("\n".join(found + [f"dockerfile: {len(found)} found"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
