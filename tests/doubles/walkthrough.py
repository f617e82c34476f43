"""Pages whose shell commands are run: a ```sh block, and what the ```text block under it says that it prints."""

import re
from dataclasses import dataclass

BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A block of shell, and the lines that must come out in this order; "..." in them stands for anything."""

    script: str
    expected: tuple[str, ...]


def commands(page: str) -> list[Command]:
    """The blocks of a page in order."""
    return [Command(script, tuple((text or "").splitlines())) for script, text in BLOCK.findall(page)]


def missing(command: Command, output: str) -> str | None:
    """The first expected line that `output` lacks, None when all are there in order."""
    lines = iter(output.splitlines())
    for expected in command.expected:
        pattern = re.compile(".*".join(re.escape(part) for part in expected.split("...")))
        if not any(pattern.fullmatch(line.rstrip()) for line in lines):
            return expected
    return None
