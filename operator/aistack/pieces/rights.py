"""Whether the operator's role lets it make what a piece makes; an administrator grants more, never the operator."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aistack.api.group import GROUP
from aistack.cluster.client import Client
from aistack.errors import AIStackError, ForbiddenError, InvalidError
from aistack.objects.manifest import ObjectKind
from aistack.pieces.checking import Rule
from aistack.settings import KINDS

VERBS = ("create", "delete", "get", "list", "patch", "watch")
"""What it takes to make, follow and remove objects of a kind."""
AGGREGATED = f"{GROUP}/aggregate-to-operator"
"""Label of ClusterRoles whose rules the operator has as well, wherever it serves all namespaces."""


async def missing_rights(client: Client, made: Iterable[ObjectKind], granted: Iterable[Rule]) -> AIStackError | None:
    """Say which rights the operator lacks for a piece, and how an administrator grants them.

    Args:
        client: asks the API server.
        made: kinds that the piece makes.
        granted: rights that its Roles grant, which whoever makes them must hold.

    Raises:
        AIStackError: the API server couldn't be asked.
    """
    wanted: set[Rule] = set(granted)
    for kind in sorted(set(made) - set(KINDS)):
        resource = await client.discovery.resource(kind)
        if not resource.namespaced:
            return InvalidError(
                f"it makes a {kind}, which belongs to no namespace; a stack makes namespaced objects only"
            )
        wanted |= {(kind.api_version.rpartition("/")[0], resource.plural, verb) for verb in VERBS}
    lacks = await _lacking(client, sorted(wanted))
    return ForbiddenError(_remedy(lacks)) if lacks else None


async def _lacking(client: Client, wanted: Sequence[Rule]) -> list[Rule]:
    may = await asyncio.gather(*(client.may(verb, group, resource, "") for group, resource, verb in wanted))
    return [rule for rule, allowed in zip(wanted, may, strict=True) if not allowed]


def _remedy(lacks: Iterable[Rule]) -> str:
    """Name what is missing, and the commands by which an administrator grants it."""
    verbs: dict[str, list[str]] = defaultdict(list)
    for group, resource, verb in lacks:
        verbs[f"{resource}.{group}" if group else resource].append(verb)
    resource, first = next(iter(verbs.items()))
    more = f" (and {', '.join(list(verbs)[1:])})" if len(verbs) > 1 else ""
    name = f"aistack-makes-{resource.partition('.')[0]}"
    return (
        f"the operator may not {', '.join(first)} {resource}{more}, which it makes; let it, if you trust it: "
        f"kubectl create clusterrole {name} --verb={','.join(first)} --resource={resource}; "
        f"kubectl label clusterrole {name} {AGGREGATED}=true"
    )
