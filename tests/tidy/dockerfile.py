"""Reads a Dockerfile into instructions: enough for ours, and strict about what it does not know."""

import dataclasses
import json
import pathlib
import re

KNOWN = {"FROM", "COPY", "RUN", "WORKDIR", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@dataclasses.dataclass
class Instruction:
    line: int
    name: str
    flags: dict
    text: str  # what follows name and flags, continuation lines joined
    stage: int  # counted from 0

    def words(self):
        return self.text.split()

    def exec_form(self):
        """The JSON array, or None for the shell form. HEALTHCHECK: of its CMD."""
        text = re.sub(r"^CMD\s+", "", self.text) if self.name == "HEALTHCHECK" else self.text
        try:
            words = json.loads(text)
        except ValueError:
            return None
        return words if isinstance(words, list) else None


def parse(path):
    """Raises ValueError for an instruction that is not known."""
    instructions, pending, start, stage = [], "", 0, -1
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("#") or not (line.strip() or pending):
            continue
        start = start if pending else number
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        name, _, rest = (pending + line).strip().partition(" ")
        pending = ""
        if name not in KNOWN:
            raise ValueError(f"{path}:{start}: unknown instruction {name}")
        stage += name == "FROM"
        flags = {}
        while match := re.match(r"\s*--([\w-]+)=(\S+)\s+", rest):
            flags[match.group(1)] = match.group(2)
            rest = rest[match.end() :]
        instructions.append(Instruction(start, name, flags, rest.strip(), stage))
    return instructions
