"""What opens the registry of an AIComponent: a Secret in the operator's namespace."""

from __future__ import annotations

from aistack.api.piece import AIComponent
from aistack.cluster.client import Client
from aistack.cluster.users import decoded
from aistack.errors import AwaitedError, InvalidError
from aistack.objects.manifest import ObjectRef
from aistack.sources.credentials import NO_LOGINS, parse_logins
from aistack.sources.registry import Access

LOGINS, AUTHORITY = ".dockerconfigjson", "ca.crt"
_FIELD = "spec.pullSecretRef.name"
SECONDS = 20.0
"""Time for an artifact of a MiB at most."""


async def access_of(client: Client, namespace: str, component: AIComponent) -> Access:
    """Return how an AIComponent's registry is reached.

    Args:
        client: reads its Secret.
        namespace: the operator's own.
        component: names it.

    Raises:
        AwaitedError: the Secret isn't there.
        InvalidError: it holds neither logins nor certificates.
        ClusterError: it can't be read.
    """
    plain = component.spec.plain_http
    if component.spec.pull_secret_ref is None:
        return Access(plain=plain, seconds=SECONDS)
    name = component.spec.pull_secret_ref.name
    reply = await client.get(ObjectRef("v1", "Secret", namespace, name))
    if reply.status == 404:
        remedy = f"make it: kubectl -n {namespace} create secret docker-registry {name} --docker-server=..."
        raise AwaitedError(_FIELD, f"there is no Secret {name!r} in namespace {namespace}", remedy)
    data = decoded(reply.result())
    if not data.keys() & {LOGINS, AUTHORITY}:
        remedy = f"give it one of them, e.g. kubectl -n {namespace} create secret docker-registry"
        raise InvalidError(f"{_FIELD}: the Secret {namespace}/{name} has neither {LOGINS} nor {AUTHORITY}; {remedy}")
    logins = parse_logins(data[LOGINS], f"Secret {namespace}/{name}") if LOGINS in data else NO_LOGINS
    return Access(logins, data.get(AUTHORITY, b"").decode(errors="replace"), plain, SECONDS)
