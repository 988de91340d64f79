"""Words and marks of states, each in its colour; the word is always there, as colours may not be."""

from __future__ import annotations

from rich.text import Text

from aistack.api.status import ComponentPhase, EdgeState

MARKS: dict[ComponentPhase, tuple[str, str]] = {
    ComponentPhase.READY: ("✓", "green"),
    ComponentPhase.PROGRESSING: ("…", "yellow"),
    ComponentPhase.PENDING: ("○", "dim"),
    ComponentPhase.FAILED: ("✗", "bold red"),
    ComponentPhase.SUSPENDED: ("‖", "blue"),
}
_EDGES: dict[EdgeState, str] = {
    EdgeState.PENDING: "dim",
    EdgeState.UNPROVEN: "cyan",
    EdgeState.PROVEN: "green",
    EdgeState.BROKEN: "bold red",
}


def phase_text(phase: ComponentPhase) -> Text:
    """Return a component's phase with its mark."""
    mark, style = MARKS[phase]
    return Text(f"{mark} {phase}", style)


def edge_text(state: EdgeState) -> Text:
    """Return an edge's state."""
    return Text(str(state), _EDGES[state])


def truth_text(status: str, good: bool | None) -> Text:
    """Return a condition's status; ``good`` says whether it is (None: neither)."""
    return Text(status, "" if good is None else "green" if good else "red")
