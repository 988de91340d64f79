"""What becomes of a stack's data when it is deleted, and what is left when nobody cleans up after it."""

from __future__ import annotations

import asyncio
from collections import Counter

from aistack.api.labels import selector, stack_labels
from aistack.api.spec import AIStack, DeletionPolicy
from aistack.cluster.client import Client
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind
from aistack.settings import KINDS


def deletion_statement(stack: AIStack) -> str:
    """Say what deleting a stack does to its data."""
    if stack.spec.deletion_policy is DeletionPolicy.DELETE:
        return f"{stack.name}: volumes and passwords are deleted for good, as spec.deletionPolicy is Delete"
    return (
        f"{stack.name}: volumes and the Secrets that open them are kept, as spec.deletionPolicy is Retain; "
        "a stack of the same name takes them up again, deleting the namespace deletes them"
    )


def selector_of(stack: str) -> str:
    """Return the label selector that finds all objects of a stack."""
    return selector(stack_labels(stack))


def kubectl_list(namespace: str, stack: str) -> str:
    """Return the command that lists all objects of a stack."""
    kinds = ",".join(kind.kind.lower() for kind in KINDS)
    return f"kubectl -n {namespace} get {kinds} -l {selector_of(stack)}"


async def count_objects(client: Client, namespace: str, stack: str) -> Counter[str]:
    """Count a stack's objects by kind; kinds that the user may not list are left out."""
    counts = await asyncio.gather(*(_count(client, kind, namespace, stack) for kind in KINDS))
    return Counter({kind.kind: count for kind, count in zip(KINDS, counts, strict=True) if count})


async def _count(client: Client, kind: ObjectKind, namespace: str, stack: str) -> int:
    try:
        reply = await client.list(kind, namespace, metadata=True, labelSelector=selector_of(stack))
        return len(reply.result()["items"] or ())  # an empty list of metadata is null
    except ClusterError:
        return 0
