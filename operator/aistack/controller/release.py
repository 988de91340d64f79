"""``python -m aistack.controller.release``: what the chart's hooks ask of the cluster before and after the operator.

``may-go`` refuses while AIStacks, AIBindings or AIComponents exist: their finalizers wait for the operator, so that
without it neither they nor their namespaces could be deleted. ``serves`` tells whether a user's AIStack would be taken.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer

from aistack.api.group import API_VERSION, FIELD_MANAGER, KIND
from aistack.catalog.loader import load_catalog
from aistack.cluster.client import Client
from aistack.cluster.discovery import is_missing_kind
from aistack.errors import AIStackError, ClusterError, NotReadyError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.pieces.keeper import PIECES
from aistack.sharing import BINDING

STACK = ObjectKind(API_VERSION, KIND)
EVERYWHERE = ""
"""How the API server calls all namespaces at once."""
SHOWN = 5
"""How many of those that are in the way are named."""

Watch = Annotated[list[str] | None, typer.Option(help="Namespace to look at; repeatable. Default: all.")]
Kubeconfig = Annotated[str, typer.Option(help="Credentials. Default: $KUBECONFIG or the pod's.")]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("may-go")
def may_go(watch: Watch = None, kubeconfig: Kubeconfig = "") -> None:
    """Refuse to let the operator go while AIStacks, AIBindings or AIComponents exist."""
    _run(kubeconfig, lambda client: refuse_while_needed(client, watch or [EVERYWHERE]))
    typer.echo("no AIStack, AIBinding or AIComponent is left: the operator may go")


@app.command()
def serves(
    namespace: Annotated[str, typer.Option(help="Where the AIStack that is tried would be.")],
    kubeconfig: Kubeconfig = "",
) -> None:
    """Ask the API server to take an AIStack, without keeping it."""
    catalog = load_catalog()
    profile = next(iter(catalog.profiles))
    _run(kubeconfig, lambda client: try_stack(client, namespace, profile))
    typer.echo(f"the catalog has {len(catalog.components)} components, and an AIStack of {profile} would be taken")


async def refuse_while_needed(client: Client, namespaces: Sequence[str]) -> None:
    """Name what still needs the operator.

    Raises:
        NotReadyError: something does.
        ClusterError: it can't be told.
    """
    # Only an operator that serves all namespaces has to do with AIComponents.
    kinds = (STACK, BINDING, PIECES) if EVERYWHERE in namespaces else (STACK, BINDING)
    found = [name for kind in kinds for where in namespaces for name in await _names(client, kind, where)]
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise NotReadyError(
            f"the operator is still needed by {', '.join(found[:SHOWN])}{more}; delete them first "
            "(aistack delete NAME; kubectl delete aibinding,aicomponent NAME), or leave them without it: "
            "helm uninstall --no-hooks"
        )


async def _names(client: Client, kind: ObjectKind, namespace: str) -> list[str]:
    """Return the objects of a kind as people name them; a kind that isn't known has none."""
    try:
        items: list[Manifest] = (await client.list(kind, namespace, metadata=True)).result()["items"] or []
    except ClusterError as error:
        if is_missing_kind(error):
            return []
        raise
    found = (item["metadata"] for item in items)
    return [str(ObjectRef(kind.api_version, kind.kind, m.get("namespace", ""), m["name"])) for m in found]


async def try_stack(client: Client, namespace: str, profile: str) -> None:
    """Ask whether an AIStack would be taken.

    Raises:
        ClusterError: it wouldn't, or the definitions aren't there.
    """
    metadata = {"name": "would-it-be-taken", "namespace": namespace}
    manifest: Manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"profile": profile}}
    (await client.apply(manifest, dry_run=True)).result()


def _run(kubeconfig: str, ask: Callable[[Client], Awaitable[None]]) -> None:
    async def asked() -> None:
        async with await Client.connect(FIELD_MANAGER, kubeconfig) as client:
            await ask(client)

    try:
        asyncio.run(asked())
    except AIStackError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    app()
