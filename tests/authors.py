"""docs/component-authors.md: the files that it shows are the example's, and what it shows of a terminal was said there.

A block after ``<!-- file: PATH -->`` is filled by ``make generate`` from ``examples/components/label-studio/PATH``. One
after ``<!-- run: WHERE -->`` is a session: commands after ``$``, each with what it says. Those that run ``here`` need
no cluster, those ``on a cluster`` an API server and an operator, those ``on nodes`` kind: tests repeat them. ``once on
nodes`` and ``by network`` say what was seen once. Nobody types what is said: where ``AISTACK_RECORD=1`` is set, tests
write it into the page.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "component-authors.md"
EXAMPLE = ROOT / "examples" / "components" / "label-studio"
REGISTRY = "registry.example.com"
"""The registry of the page."""
_FILE = re.compile(r"(<!-- file: (\S+) -->\n```\w+\n).*?(^```$)", re.DOTALL | re.MULTILINE)
_SESSION = re.compile(r"<!-- run: ([\w ]+) -->\n```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RECORDING = bool(os.environ.get("AISTACK_RECORD"))
"""Whether the page is to be written anew."""
_DIGEST = re.compile("sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Step:
    """A command of the page, and what it says."""

    command: str
    said: str


def authors_page() -> tuple[Path, str]:
    """Return the page and its text, with the example's files as they are now."""

    def filled(found: re.Match[str]) -> str:
        return found[1] + (EXAMPLE / found[2]).read_text("utf-8") + found[3]

    return PAGE, _FILE.sub(filled, PAGE.read_text("utf-8"))


def steps(*where: str) -> Iterator[Step]:
    """Yield the commands of the page that run at some places, in their order."""
    for place, text in _SESSION.findall(PAGE.read_text("utf-8")):
        if place in where:
            for part in text.removeprefix("$ ").split("\n$ "):
                command, _, said = part.partition("\n")
                yield Step(command.rstrip("\n"), said.rstrip("\n"))


def record(said: Sequence[Step], *where: str) -> None:
    """Write into the page what commands said.

    Args:
        said: by all of them, in their order.
        where: they ran.
    """
    left = iter(said)

    def recorded(found: re.Match[str]) -> str:
        if found[1] not in where:
            return found[0]
        count = found[2].count("\n$ ") + 1
        blocks = [f"$ {step.command}\n{step.said}".rstrip("\n") + "\n" for step in islice(left, count)]
        return found[0].replace(found[2], "".join(blocks))

    PAGE.write_text(_SESSION.sub(recorded, PAGE.read_text("utf-8")), "utf-8")


def say(
    step: Step, folder: Path, environment: Mapping[str, str], registry: str = REGISTRY, *, patience: float = 400
) -> str:
    """Run a command of the page, and return what it says: without digests, and as if the registry were the page's.

    Args:
        step: the command.
        folder: where it runs.
        environment: of its process; programs are found in this Python's folder first.
        registry: the one that is there instead of the page's.
        patience: seconds until the command is ended.
    """
    command = step.command.replace(REGISTRY, registry)
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**environment, "PATH": path, "NO_COLOR": "1", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.replace(registry, REGISTRY).splitlines()]
    return _DIGEST.sub("sha256:…", "\n".join(lines))
