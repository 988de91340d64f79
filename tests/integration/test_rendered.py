"""A real API server accepts every object of every component, in every size: this earns the tier "rendered"."""

from __future__ import annotations

import pytest

from aistack.api.component import Size
from aistack.api.parse import parse_stack
from aistack.catalog.loader import load_catalog
from aistack.cluster.client import Client
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject, Observed
from aistack.planning.plan import plan_stack
from aistack.planning.pods import pod_template
from tests.cluster.controlplane import ControlPlane

pytestmark = pytest.mark.integration

CATALOG = load_catalog()
NAMESPACE = "rendered"


@pytest.fixture
async def client(control_plane: ControlPlane) -> Client:
    client = await Client.connect("aistack", str(control_plane.kubeconfig))
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    return client


def _objects(component: str, size: Size) -> list[Manifest]:
    """Return what a component makes in the smallest profile that has it."""
    profile = next(p for p in CATALOG.profiles.values() if component in p.components)
    spec = {"profile": profile.name, "size": size.value}
    metadata = {"name": "demo", "namespace": NAMESPACE}
    stack = parse_stack({"apiVersion": "aistack.dev/v1alpha1", "kind": "AIStack", "metadata": metadata, "spec": spec})
    unit = next(u for u in plan_stack(stack, CATALOG, Observed()).plan.units if u.name == component)
    applied = [step.manifest for step in unit.objects() if isinstance(step, ApplyObject)]
    return [*applied, *(action.manifest for action in unit.actions)]


@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize(
    "component", [pytest.param(name, marks=pytest.mark.tier(name, "rendered")) for name in CATALOG.components]
)
async def test_the_api_server_accepts_every_object(client: Client, component: str, size: Size) -> None:
    objects = _objects(component, size)
    assert objects
    async with client:
        for manifest in objects:
            reply = await client.apply(manifest, dry_run=True)
            assert reply.ok, reply.message
            if pod := _pod(manifest):
                admitted = await client.apply(pod, dry_run=True)
                assert admitted.status == 201, admitted.message


def _pod(manifest: Manifest) -> Manifest | None:
    """Return a pod as a workload would make it: Pod Security is enforced on pods alone."""
    template = pod_template(manifest)
    if template is None:
        return None
    spec = {key: value for key, value in template["spec"].items() if key != "serviceAccountName"}
    metadata = {"name": "admitted", "namespace": NAMESPACE, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
