"""AIStacks in a cluster: read, apply, follow, delete; with errors that say what to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from aistack.api.group import API_VERSION, FINALIZER, KIND
from aistack.cli.following import follow
from aistack.cluster.client import Client
from aistack.cluster.replies import Reply
from aistack.errors import ClusterError, InvalidError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

STACK = ObjectKind(API_VERSION, KIND)


@dataclass(frozen=True)
class Stacks:
    """The AIStacks that one client sees; ``command`` writes commands of ours into messages."""

    client: Client
    command: Callable[[str], str]

    async def get(self, namespace: str, name: str) -> Manifest:
        """Read one stack.

        Raises:
            ClusterError: it, or the CRD, doesn't exist, or can't be read.
        """
        found = await self.find(namespace, name)
        if found is None:
            where = f"in namespace {namespace!r}; {self.command('status -A')} lists all"
            raise ClusterError(f"no AIStack is named {name!r} {where}", 404, "NotFound")
        return found

    async def find(self, namespace: str, name: str) -> Manifest | None:
        """Read one stack, None if there is none of that name.

        Raises:
            ClusterError: the CRD doesn't exist, or the stack can't be read.
        """
        await self._require_kind()
        reply = await self.client.get(_ref(namespace, name))
        return None if reply.status == 404 else reply.result()

    async def only(self, namespace: str, name: str = "") -> Manifest:
        """Read the stack of that name, or the only one of the namespace where no name is given.

        Raises:
            InvalidError: no name is given, and there are none or several.
            ClusterError: it, or the CRD, doesn't exist, or can't be read.
        """
        if name:
            return await self.get(namespace, name)
        found = await self.list(namespace)
        if len(found) != 1:
            names = ", ".join(live["metadata"]["name"] for live in found)
            which = f"name one of {names} with --stack" if found else "there is none; -n NAMESPACE looks elsewhere"
            raise InvalidError(f"namespace {namespace!r} has {len(found)} stacks: {which}")
        return found[0]

    async def annotate(self, live: Manifest, annotation: str, value: str) -> None:
        """Set an annotation of a stack.

        Raises:
            ClusterError: the request failed, or the stack is gone.
        """
        (await self.client.merge(_ref_of(live), {"metadata": {"annotations": {annotation: value}}})).result()

    async def list(self, namespace: str = "") -> list[Manifest]:
        """Read all stacks of a namespace, of all namespaces when it is empty.

        Raises:
            ClusterError: the CRD doesn't exist, or they can't be read.
        """
        await self._require_kind()
        items = (await self.client.list(STACK, namespace)).result()["items"]
        return [{"apiVersion": API_VERSION, "kind": KIND, **item} for item in items]

    async def apply(self, manifest: Manifest, *, force: bool = False) -> tuple[Manifest, bool]:
        """Server-side apply a stack.

        Returns:
            The stack as it is now, and whether that changed its spec.

        Raises:
            InvalidError: it is refused, or others own fields of it that differ and ``force`` is off.
            ClusterError: the CRD or the namespace doesn't exist, or the request failed.
        """
        metadata = manifest["metadata"]
        before = await self.find(metadata["namespace"], metadata["name"])
        reply = await self.client.apply(manifest, force=force)
        if reply.field_conflicts:
            raise InvalidError(_conflict(reply))
        after = reply.result()
        return after, before is None or before["metadata"]["generation"] != after["metadata"]["generation"]

    async def follow(self, namespace: str, name: str) -> AsyncGenerator[Manifest | None]:
        """Yield a stack now and after every change, None while there is none; an API server that is away is awaited.

        Raises:
            AIStackError: the API server answers, and refuses.
        """
        async with aclosing(follow(self.client, _ref(namespace, name), lambda: self.find(namespace, name))) as looks:
            async for live in looks:
                yield live

    async def delete(self, live: Manifest) -> None:
        """Ask for a stack's deletion; one that is gone already is no error.

        Raises:
            ClusterError: the request failed.
        """
        reply = await self.client.delete(_ref_of(live), live["metadata"]["uid"])
        if reply.status != 404:
            reply.result()

    async def release(self, live: Manifest) -> None:
        """Take our finalizer off a stack, so that it can go without the operator.

        Raises:
            ClusterError: the request failed, or the stack was changed meanwhile.
        """
        metadata = live["metadata"]
        others = [f for f in metadata.get("finalizers", []) if f != FINALIZER]
        patch = {"metadata": {"finalizers": others, "resourceVersion": metadata["resourceVersion"]}}
        reply = await self.client.merge(_ref_of(live), patch)
        if reply.status != 404:
            reply.result()

    async def _require_kind(self) -> None:
        try:
            await self.client.discovery.resource(STACK)
        except ClusterError as error:
            if error.status != 404:
                raise
            install = f"{self.command('crd')} | kubectl apply --server-side -f -"
            raise ClusterError(
                f"this cluster doesn't know what an AIStack is; run: {install}", 404, error.reason
            ) from None


def _conflict(reply: Reply) -> str:
    fields = ", ".join(str(c.get("field", "")).removeprefix(".") for c in reply.field_conflicts)
    owners = "; ".join(sorted({str(c.get("message", "")) for c in reply.field_conflicts}))
    return f"others own fields that differ in this file: {fields} ({owners}); --force takes them over"


def _ref(namespace: str, name: str) -> ObjectRef:
    return ObjectRef(API_VERSION, KIND, namespace, name)


def _ref_of(live: Manifest) -> ObjectRef:
    return _ref(live["metadata"]["namespace"], live["metadata"]["name"])
