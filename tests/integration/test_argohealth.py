"""What Argo CD shows of our objects, told by its own runner of scripts from statuses that the operator writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aistack.api.conditions import Reason
from aistack.api.group import API_VERSION
from aistack.errors import ClusterError, ForbiddenError, SpecError
from aistack.planning.verdict import Verdict, deleting, refused, suspended
from tests.integration.argohealth import health, runner

pytestmark = [pytest.mark.integration, pytest.mark.any_version]

GENERATION = 2


@pytest.fixture(scope="module")
def program() -> Path:
    return runner()


def working(reason: Reason) -> Verdict:
    return Verdict(False, True, False, reason, "so it is")


def status(verdict: Verdict, generation: int = GENERATION) -> dict[str, Any]:
    conditions = [c.model_dump(mode="json", by_alias=True) for c in verdict.conditions(generation)]
    return {"observedGeneration": generation, "conditions": conditions}


WELL = Verdict(True, False, False, Reason.HEALTHY, "all components are ready")
STATES: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "not-seen-yet": (None, "Progressing", "the operator has not seen this generation yet"),
    "as-the-definition-makes-it": ({"observedGeneration": -1}, "Progressing", "the operator has not seen"),
    "changed-since": (status(WELL, GENERATION - 1), "Progressing", "the operator has not seen"),
    "ready": (status(WELL), "Healthy", "all components are ready"),
    "drifted": (status(Verdict(True, False, False, Reason.DRIFTED, "changed")), "Healthy", "changed"),
    "coming-up": (status(working(Reason.PROGRESSING)), "Progressing", "so it is"),
    "waiting": (status(refused(ClusterError("the API server is away"))), "Progressing", "the API server is away"),
    "not-proven-yet": (status(working(Reason.NOT_PROVEN)), "Progressing", "so it is"),
    "deleting": (status(deleting(["pods"])), "Progressing", "waits for pods"),
    "suspended": (status(suspended()), "Suspended", "suspended by spec.suspend"),
    "invalid": (status(refused(SpecError("spec.size", "is wrong"))), "Degraded", "spec.size: is wrong"),
    "forbidden": (status(refused(ForbiddenError("may not"))), "Degraded", "may not"),
    "pods-fail": (status(working(Reason.UNHEALTHY)), "Degraded", "so it is"),
    "claim-fails": (status(working(Reason.CLAIM_FAILED)), "Degraded", "so it is"),
    "connection-broken": (status(working(Reason.BROKEN)), "Degraded", "so it is"),
}


@pytest.mark.parametrize("kind", ["AIStack", "AIBinding", "AIComponent"])
@pytest.mark.parametrize(("found", "shown", "says"), STATES.values(), ids=STATES)
def test_argo_shows_what_is_so(
    program: Path, tmp_path: Path, kind: str, found: dict[str, Any] | None, shown: str, says: str
) -> None:
    metadata = {"name": "demo", "namespace": "ml", "generation": GENERATION}
    manifest: dict[str, Any] = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}
    told = health(program, manifest | ({"status": found} if found else {}), tmp_path)
    assert (told[0], says in told[1]) == (shown, True), told
