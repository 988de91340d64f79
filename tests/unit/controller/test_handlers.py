"""When kopf has to be started anew: it would not see AIStacks otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.controller.handlers import Definition


def event(kind: str | None, uid: str = "1", established: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Established", "status": established}]
    return {"type": kind, "object": {"metadata": {"uid": uid}, "status": {"conditions": conditions}}}


@pytest.mark.parametrize(
    ("served", "seen", "renewed"),
    [
        pytest.param(True, [event(None)], [False], id="it was there before kopf"),
        pytest.param(False, [event(None)], [True], id="it came while kopf started"),
        pytest.param(False, [event(None, established="False"), event("MODIFIED")], [False, True], id="not served yet"),
        pytest.param(False, [event("ADDED"), event("MODIFIED")], [True, False], id="it came later"),
        pytest.param(True, [event(None), event("DELETED"), event("ADDED", "2")], [False, False, True], id="made anew"),
    ],
)
def test_a_definition_that_kopf_does_not_know(served: bool, seen: list[dict[str, Any]], renewed: list[bool]) -> None:
    definition = Definition(served)
    assert [definition.is_renewed(one) for one in seen] == renewed
