"""What proofs found: a table for people, JSON and JUnit for programs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from rich.text import Text

from aistack.api.status import EdgeState, EdgeStatus
from aistack.cli.present.phases import edge_text
from aistack.cli.present.table import PlainTable

Runs = dict[str, datetime | None]
"""When each edge's proof last ended, by the edge's name."""


def runs_of(edges: Sequence[EdgeStatus]) -> Runs:
    """Return when each edge was last tried."""
    return {edge.name: edge.last_run for edge in edges}


def tried(edges: Sequence[EdgeStatus], before: Runs) -> set[str]:
    """Return the names of edges that were tried since."""
    return {name for name, at in runs_of(edges).items() if at != before.get(name)}


def proofs_table(edges: Sequence[EdgeStatus], done: Collection[str]) -> PlainTable:
    """Return a row for each edge: what came of its proof, if it was tried."""
    table = PlainTable("CONNECTION", "PROVIDER", "STATE", "STEPS", "TIME", "MESSAGE")
    for edge in edges:
        name = edge.name
        row = (Text(name), Text(edge.provider))
        if name not in done:
            table.add_row(*row, Text("…", "yellow"), "", "", "")
            continue
        good = sum(step.ok for step in edge.steps)
        steps = f"{good} of {len(edge.steps)}" if edge.steps else "-"
        table.add_row(*row, edge_text(edge.state), steps, took(edge), Text(edge.message))
    return table


def proof_line(edge: EdgeStatus) -> str:
    """Say in one line what came of an edge's proof."""
    words = f"{edge.name}  {edge.state}  {len(edge.steps)} steps, {took(edge)}"
    return f"{words}: {edge.message}" if edge.message else words


def took(edge: EdgeStatus) -> str:
    """Write how long an edge's proof took."""
    return f"{sum(step.milliseconds for step in edge.steps) / 1000:.1f}s" if edge.steps else "-"


def proofs_data(edges: Sequence[EdgeStatus], done: Collection[str]) -> list[dict[str, Any]]:
    """Return the edges as plain data, each with whether it was tried."""
    return [
        {"edge": edge.name, "tried": edge.name in done} | edge.model_dump(mode="json", by_alias=True, exclude_none=True)
        for edge in edges
    ]


def junit(stack: str, edges: Sequence[EdgeStatus], done: Collection[str]) -> str:
    """Return a JUnit report: a suite for each edge, a case for each step; an edge that was not tried is an error."""
    root = ElementTree.Element("testsuites", name=stack)
    for edge in edges:
        cases = list(_cases(edge, edge.name in done))
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=edge.name,
            tests=str(len(cases)),
            failures=str(sum(case.find("failure") is not None for case in cases)),
            errors=str(sum(case.find("error") is not None for case in cases)),
        )
        suite.extend(cases)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _cases(edge: EdgeStatus, was_tried: bool) -> Iterator[ElementTree.Element]:
    for step in edge.steps if was_tried else ():
        case = _case(edge, step.name, step.milliseconds)
        if not step.ok:
            ElementTree.SubElement(case, "failure", type=edge.failure or "other", message=edge.message)
        yield case
    if not was_tried or (edge.state is not EdgeState.PROVEN and all(step.ok for step in edge.steps)):
        case = _case(edge, "run", 0)
        ElementTree.SubElement(case, "error", message=edge.message or "it was not tried in time")
        yield case


def _case(edge: EdgeStatus, name: str, milliseconds: int) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=edge.name, name=name, time=f"{milliseconds / 1000:.3f}")
