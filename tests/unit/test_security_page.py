"""docs/security.md names tests for its claims; they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.integration.test_tenant import ESCALATIONS

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", (ROOT / "docs" / "security.md").read_text("utf-8"))))


def test_every_escalation_that_is_tried_is_told() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    assert re.findall(r"\| `::(\w+)` \|", page) == [escalation.__name__ for escalation in ESCALATIONS]


def test_there_are_some() -> None:
    assert len(NAMED) > 15


@pytest.mark.parametrize("named", NAMED)
def test_it_is_there(named: str) -> None:
    file, _, test = named.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert test in functions if test else any(name.startswith("test_") for name in functions)
