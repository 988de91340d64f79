"""A real API server accepts every object of every component, in every size."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.api.component import Size
from aistack.api.parse import parse_stack
from aistack.catalog.loader import load_catalog
from aistack.cluster.client import Client
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject
from aistack.planning.pods import pod_template
from aistack.rendering import plan_new
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


def _objects(component: str, size: Size, more: dict[str, Any] | None = None) -> list[Manifest]:
    """Return what a component makes in the first profile that has it, or beside starter when none has."""
    profile = next((p.name for p in CATALOG.profiles.values() if component in p.components), None)
    beside = {} if profile else {"components": [{"name": component}, *_rivals(component)]}
    spec = {"profile": profile or "starter", "size": size.value, **beside, **(more or {})}
    metadata = {"name": "demo", "namespace": NAMESPACE}
    stack = parse_stack({"apiVersion": "aistack.dev/v1alpha1", "kind": "AIStack", "metadata": metadata, "spec": spec})
    unit = next(u for u in plan_new(stack, CATALOG).plan.units if u.name == component)
    applied = [step.manifest for step in unit.objects() if isinstance(step, ApplyObject)]
    return [*applied, *(action.manifest for action in unit.actions)]


def _rivals(component: str) -> list[dict[str, Any]]:
    """Disable what a profile brings that provides the same."""
    provided = {p.contract for p in CATALOG.components[component].spec.provides}
    others = (c for name in CATALOG.profiles["starter"].components if (c := CATALOG.components[name]).name != component)
    return [{"name": c.name, "enabled": False} for c in others if provided & {p.contract for p in c.spec.provides}]


@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize("component", CATALOG.components)
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


LET_THROUGH: dict[str, dict[str, Any]] = {
    "every-taint": {"scheduling": {"tolerations": [{"operator": "Exists"}]}},
    "every-taint-of-an-effect": {"scheduling": {"tolerations": [{"effect": "NoSchedule"}]}},
    "every-value-of-a-taint": {"scheduling": {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}},
    "a-value-of-a-taint": {"scheduling": {"tolerations": [{"key": "gpu", "value": "yes"}]}},
    "for-a-time": {
        "scheduling": {"tolerations": [{"key": "gpu", "effect": "NoExecute", "tolerationSeconds": 5}]},
    },
    "longest-keys": {
        "labels": {f"{'a' * 63}.example.com/{'n' * 63}": "v" * 63},
        "annotations": {f"{'a' * 63}.example.com/{'n' * 63}": "any text"},
        "scheduling": {"nodeSelector": {f"{'a' * 63}.example.com/{'n' * 63}": ""}},
    },
}
"""What the stack's own rules let through, so that nothing but its pods' is left to refuse it."""


@pytest.mark.parametrize("more", LET_THROUGH.values(), ids=LET_THROUGH)
async def test_pods_take_what_a_stack_may_say(client: Client, more: dict[str, Any]) -> None:
    async with client:
        for manifest in _objects("postgres", Size.SMALL, more):
            reply = await client.apply(manifest, dry_run=True)
            assert reply.ok, reply.message


def _pod(manifest: Manifest) -> Manifest | None:
    """Return a pod as a workload would make it: Pod Security is enforced on pods alone."""
    template = pod_template(manifest)
    if template is None:
        return None
    spec = {key: value for key, value in template["spec"].items() if key != "serviceAccountName"}
    metadata = {"name": "admitted", "namespace": NAMESPACE, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
