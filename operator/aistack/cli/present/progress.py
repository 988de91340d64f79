"""A stack on its way: a live tree for terminals, lines for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus, ComponentPhase, ComponentStatus
from aistack.cli.durations import format_duration
from aistack.cli.present.phases import MARKS, edge_text
from aistack.cli.standing import Standing, standing_of


@dataclass
class LiveTree:
    """The tree as it is drawn several times a second; ``stack`` is replaced whenever there is news.

    ``elapsed`` tells the seconds since waiting began.
    """

    elapsed: Callable[[], float]
    stack: AIStack | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        self._spinner = Spinner("dots", style="yellow")

    def __rich__(self) -> RenderableType:
        tree = stack_tree(self.stack, self.elapsed(), self._spinner)
        return Group(tree, Text(self.hint, "yellow")) if self.hint else tree


def stack_tree(stack: AIStack | None, elapsed: float, spinner: RenderableType = "…") -> RenderableType:
    """Return a stack with its components, and under each what it uses."""
    if stack is None:
        return Text(f"gone after {format_duration(elapsed)}")
    tree = Tree(_root(stack, elapsed), guide_style="dim")
    for component in stack.status.components:
        branch = tree.add(_component(component, spinner))
        for edge in (e for e in stack.status.edges if e.consumer == component.name):
            text = Text.assemble(f"uses {edge.contract} of {edge.provider}  ", edge_text(edge.state))
            branch.add(text.append(f"  {edge.message}", "dim") if edge.message else text)
    return tree


def _root(stack: AIStack, elapsed: float) -> Text:
    state = _state(stack)
    return Text.assemble((stack.name, "bold"), f" in {stack.namespace}  {state}  ", (format_duration(elapsed), "dim"))


def _state(stack: AIStack) -> str:
    match standing_of(stack):
        case Standing.UNSEEN:
            return "waits for the operator"
        case Standing.WORKING if stack.status.components_ready:
            return f"{stack.status.components_ready} ready"  # the tree says what is missing
        case standing:
            return stack.status.message or standing.value


def _component(component: ComponentStatus, spinner: RenderableType) -> RenderableType:
    mark, style = MARKS[component.phase]
    row = Table.grid(padding=(0, 1))
    moving = component.phase is ComponentPhase.PROGRESSING
    words = Text.assemble((component.name, "bold"), f" {component.version}  ", (str(component.phase), style))
    row.add_row(spinner if moving else Text(mark, style), words, Text(component.message))
    return row


def news(before: AIStackStatus | None, stack: AIStack | None) -> Iterator[str]:
    """Yield a line for everything that changed since ``before``."""
    if stack is None:
        yield "gone"
        return
    old = {c.name: c for c in before.components} if before else {}
    if standing_of(stack) is Standing.UNSEEN:
        return
    for component in stack.status.components:
        if old.get(component.name) != component:
            message = f": {component.message}" if component.message else ""
            yield f"{component.name} {component.version}  {component.phase}{message}"
    if stack.status.message and (before is None or before.message != stack.status.message):
        yield stack.status.message
