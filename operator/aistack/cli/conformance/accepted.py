"""Whether the API server would take a component's objects, and its pods where only restricted ones may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aistack.cluster.client import Client
from aistack.errors import AIStackError, NonconformingError
from aistack.objects.manifest import Manifest, ref_of
from aistack.planning.pods import pod_template


async def dry_run(client: Client, namespace: str, manifests: Iterable[Manifest]) -> str:
    """Ask for each object, and for a pod of each template in them; nothing is made.

    Returns:
        How many there were.

    Raises:
        NonconformingError: one is refused; the message names it and says why.
    """
    objects = [manifest for manifest in manifests if manifest["kind"] != "Secret"]
    pods = [_pod(namespace, manifest, template) for manifest in objects if (template := pod_template(manifest))]
    for manifest in (*objects, *pods):
        try:
            (await client.apply(manifest, force=True, dry_run=True)).result()
        except AIStackError as error:
            raise NonconformingError(f"{ref_of(manifest)} is refused: {error}") from error
    return f"{len(objects)} objects, {len(pods)} pods"


def _pod(namespace: str, workload: Manifest, template: dict[str, Any]) -> Manifest:
    """Return a pod of a workload as its controller would make it, but for what admission fills in for real ones."""
    name = f"{workload['metadata']['name']}-try"
    spec = {key: value for key, value in template["spec"].items() if key != "serviceAccountName"}
    labels = template.get("metadata", {}).get("labels", {})
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
