"""Runs the command line in this process, and makes stacks as a cluster would hold them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aistack.api.group import API_VERSION, KIND
from aistack.cli.app import run
from tests.toy import TOY

STACK = f"apiVersion: {API_VERSION}\nkind: {KIND}\nmetadata: {{name: demo}}\nspec: {{profile: toy}}\n"


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """The command line with the toy catalog."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *args: str) -> Result:
        code = run(["--catalog", str(TOY), *args])
        printed = self.capsys.readouterr()
        return Result(code, printed.out, printed.err)

    def file(self, text: str = STACK) -> str:
        """Write a file and return its path."""
        path = self.folder / "stack.yaml"
        path.write_text(text)
        return str(path)


def live(status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A stack as the API server returns it."""
    meta = {"name": "demo", "namespace": "ml", "uid": "u", "generation": 2, "resourceVersion": "7", **metadata}
    found: dict[str, Any] = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": {"profile": "toy"}}
    return found | ({"status": status} if status else {})


def conditions(**truths: str) -> list[dict[str, Any]]:
    """Conditions: type=reason where it is true, type="" where it is false."""
    return [
        {"type": kind, "status": "True" if reason else "False", "reason": reason or "Progressing"}
        for kind, reason in truths.items()
    ]


def status(
    message: str = "", generation: int = 2, components: list[dict[str, Any]] | None = None, **truths: str
) -> dict[str, Any]:
    """A status with conditions as in :func:`conditions`."""
    return {
        "observedGeneration": generation,
        "message": message,
        "conditions": conditions(**truths),
        "components": components or [],
    }
