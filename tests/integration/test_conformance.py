"""What the conformance suite asks of a real API server."""

from __future__ import annotations

import pytest

from aistack.cli.conformance.accepted import dry_run
from aistack.cli.conformance.place import LEVEL
from aistack.errors import NonconformingError
from aistack.objects.manifest import Manifest, ObjectRef
from tests.integration.stacklab import StackLab

pytestmark = pytest.mark.integration
RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def deployment(lab: StackLab, security: Manifest) -> Manifest:
    labels = {"app": "x"}
    container = {"name": "c", "image": "i", "securityContext": security}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    metadata = {"name": "x", "namespace": lab.namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


@pytest.fixture
async def restricted(lab: StackLab) -> StackLab:
    ref = ObjectRef("v1", "Namespace", "", lab.namespace)
    (await lab.client.merge(ref, {"metadata": {"labels": LEVEL}})).result()
    return lab


async def test_what_is_accepted_is_not_made(restricted: StackLab) -> None:
    made = [deployment(restricted, RESTRICTED)]
    assert await dry_run(restricted.client, restricted.namespace, made) == "1 objects, 1 pods"
    assert await restricted.get("Deployment", "x") is None


async def test_a_pod_that_is_too_free_is_refused_by_name(restricted: StackLab) -> None:
    made = [deployment(restricted, {**RESTRICTED, "allowPrivilegeEscalation": True})]
    with pytest.raises(NonconformingError, match=r"Pod .*/x-try is refused: .*allowPrivilegeEscalation"):
        await dry_run(restricted.client, restricted.namespace, made)


async def test_an_object_that_is_wrong_is_refused_by_name(restricted: StackLab) -> None:
    wrong = deployment(restricted, RESTRICTED)
    wrong["spec"]["replicas"] = "many"
    with pytest.raises(NonconformingError, match=r"Deployment .*/x is refused: .*replicas"):
        await dry_run(restricted.client, restricted.namespace, [wrong])
