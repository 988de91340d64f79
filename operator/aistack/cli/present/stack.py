"""One stack, for people: what ``aistack status NAME`` shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from aistack.api.conditions import ConditionStatus, ConditionType
from aistack.api.spec import AIStack
from aistack.api.status import ComponentStatus, Footprint
from aistack.cli.durations import age
from aistack.cli.present.phases import edge_text, phase_text, truth_text
from aistack.cli.present.table import PlainTable
from aistack.cli.standing import Standing, standing_of

STYLES = {
    Standing.READY: "green",
    Standing.STALLED: "bold red",
    Standing.WORKING: "yellow",
    Standing.UNSEEN: "yellow",
    Standing.SUSPENDED: "blue",
    Standing.DELETING: "yellow",
}
UNSEEN = "the operator hasn't looked at this version of it yet"
_GOOD_WHEN_TRUE = {ConditionType.READY: True, ConditionType.PROVEN: True, ConditionType.STALLED: False}


def stack_view(stack: AIStack, now: datetime, steps: Sequence[str]) -> RenderableType:
    """Show a stack: what it is, its components, edges and conditions, and what to do next."""
    parts: list[RenderableType] = [headline(stack)]
    if stack.status.components:
        parts += [Text(), components_table(stack)]
    if stack.status.edges:
        parts += [Text(), edges_table(stack)]
    if stack.status.conditions:
        parts += [Text(), conditions_table(stack, now)]
    return Group(*parts, *steps_view(steps))


def headline(stack: AIStack) -> Text:
    """Return name, place and state in one line."""
    standing = standing_of(stack)
    line = Text.assemble((stack.name, "bold"), f" in {stack.namespace}  ", (standing.value, STYLES[standing]))
    line.append(f"  {UNSEEN if standing is Standing.UNSEEN else stack.status.message}".rstrip())
    told = [footprint_line(stack.status.footprint)] if stack.status.footprint else []
    told += [f"runs release {stack.status.release}"] if stack.status.release else []
    if told:
        line.append(f"\n{'; '.join(told)}", "dim")
    return line


def footprint_line(footprint: Footprint) -> str:
    """Write what a stack asks of the cluster."""
    f = footprint
    return f"asks for {f.cpu} CPU, {f.memory} memory, {f.storage} storage in {f.pods} pods"


def components_table(stack: AIStack) -> PlainTable:
    """Return a row for each component; one of which nothing else is to be said tells where its page is exposed."""
    table = PlainTable("COMPONENT", "VERSION", "PHASE", "MESSAGE")
    for c in stack.status.components:
        message = c.message or (c.url if _is_exposed(stack, c) else "")
        table.add_row(Text(c.name), Text(c.version), phase_text(c.phase), Text(message))
    return table


def _is_exposed(stack: AIStack, component: ComponentStatus) -> bool:
    """Whether the component's address is one under the stack's host, not that inside the cluster."""
    expose = stack.spec.expose
    return expose is not None and f"://{component.name}.{expose.host}/" in component.url


def edges_table(stack: AIStack) -> PlainTable:
    """Return a row for each binding: who uses what of whom."""
    table = PlainTable("FROM", "TO", "CONTRACT", "STATE", "MESSAGE")
    for e in stack.status.edges:
        table.add_row(Text(e.consumer), Text(e.provider), Text(e.contract), edge_text(e.state), Text(e.message))
    return table


def conditions_table(stack: AIStack, now: datetime) -> PlainTable:
    """Return a row for each condition; messages that repeat the headline are left out."""
    table = PlainTable("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE")
    for c in stack.status.conditions:
        wanted = _GOOD_WHEN_TRUE.get(ConditionType(c.type)) if c.type in set(ConditionType) else None
        good = None if wanted is None else (c.status is ConditionStatus.TRUE) is wanted
        message = "" if c.message == stack.status.message else c.message
        since = age(c.last_transition_time, now)
        table.add_row(Text(c.type), truth_text(c.status, good), Text(c.reason), Text(since), Text(message))
    return table


def stacks_table(stacks: Sequence[AIStack], ages: Sequence[str], namespaced: bool) -> PlainTable:
    """Return a row for each stack; with its namespace if they are of several."""
    first = ("NAMESPACE",) if namespaced else ()
    table = PlainTable(*first, "NAME", "STATE", "COMPONENTS", "PROFILE", "AGE", "MESSAGE")
    for stack, since in zip(stacks, ages, strict=True):
        standing = standing_of(stack)
        place = (Text(stack.namespace),) if namespaced else ()
        ready, profile = stack.status.components_ready or "-", stack.spec.profile or "-"
        state = Text(standing.value, STYLES[standing])
        cells = (stack.name, state, ready, profile, since, stack.status.message)
        table.add_row(*place, *(c if isinstance(c, Text) else Text(c) for c in cells))
    return table


def steps_view(steps: Sequence[str]) -> list[RenderableType]:
    """Return what to do next, if anything."""
    return [Text(), Text("Next", "bold"), *(Text(f"  {step}") for step in steps)] if steps else []
