"""Keeper: reconciles AIComponents; what each asks for becomes part of the catalog, or its status says why it can't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from pydantic import ValidationError

from aistack.api.group import API_VERSION, FINALIZER, KIND, PIECE_KIND
from aistack.api.piece import AIComponent, AIComponentStatus, parse_piece
from aistack.catalog.pieces import Piece
from aistack.cluster.client import Client
from aistack.cluster.shelf import Shelf
from aistack.errors import AIStackError, ForbiddenError, InvalidError, NotReadyError
from aistack.objects.artifact import parse_reference
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, replacing
from aistack.pieces.artifact import fetch, open_piece
from aistack.pieces.cache import Cache, Kept, check_key
from aistack.pieces.checking import Findings
from aistack.pieces.loading import Wanted
from aistack.pieces.opening import access_of
from aistack.pieces.rights import missing_rights
from aistack.pieces.stock import Stock
from aistack.pieces.usage import needed_by, users_of
from aistack.planning.piece_status import Standing, summarize_piece
from aistack.sharing import utc_now

PIECES = ObjectKind(API_VERSION, PIECE_KIND)
STACKS = ObjectKind(API_VERSION, KIND)
RETRY = 10.0
"""Seconds between looks at what can't be watched: a right that is granted, a stack that lets go."""

log = structlog.get_logger(__name__)


@dataclass
class Keeper:
    """Keeps the catalog as the cluster's AIComponents ask for it.

    Args:
        client: talks to the API server.
        shelf: has the AIComponents as they are.
        stock: the catalog.
        home: the operator's own namespace.
        stacks: returns the AIStacks as last seen.
        changed: told of parts of the catalog whose plans may be others now.
        clock: tells the time for conditions.
    """

    client: Client
    shelf: Shelf
    stock: Stock
    home: str
    stacks: Callable[[], Iterable[Manifest]]
    changed: Callable[[frozenset[str]], None]
    clock: Callable[[], datetime] = utc_now
    _keys: dict[str, str] = field(default_factory=dict)
    """Of each piece in use, what tells its check from others."""
    _waiting: dict[str, tuple[tuple[str, str], tuple[Piece, Findings]]] = field(default_factory=dict)
    """Pieces that passed a check, with what tells it from others, until they are in use."""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Keep pieces at home."""
        self._cache = Cache(self.client, self.home)

    async def prepare(self) -> None:
        """Take up the pieces that were in use last, before the first stack is planned; no registry is asked.

        What was known before is forgotten: while another replica led, AIComponents came and went.

        Raises:
            NotReadyError: the API server couldn't be asked.
        """
        self.stock.clear()
        self._keys.clear()
        self._waiting.clear()
        found = [parsed for live in await self.shelf.of("") if (parsed := _parsed(live)) and parsed.brought]
        for component in sorted(found, key=lambda c: (c.metadata.creation_timestamp, c.name)):
            await self._take_up(component)

    async def reconcile(self, name: str) -> float:
        """Bring the catalog to what an AIComponent asks for, and say in its status what came of it.

        Returns:
            Seconds after which it wants another pass; 0 for when something changes.

        Raises:
            NotReadyError: something isn't there yet; try again with backoff.
        """
        component = await self._find(name)
        if component is None:
            await self._leave(name)
            return 0
        if component.deleting:
            return await self._delete(component)
        error = await self._use(component)
        await self._report(component, error)
        if isinstance(error, NotReadyError) and not isinstance(error, ForbiddenError):
            raise error
        return RETRY if error and not isinstance(error, InvalidError) else 0

    # ------------------------------------------------------------------ into the catalog

    async def _take_up(self, component: AIComponent) -> None:
        kept = await self._cache.get(component.name)
        why = f"the AIComponent {component.name} is fetched again"
        try:
            if kept:
                await self._open(kept.wanted, kept.packed, kept.key)
        except InvalidError as error:
            why = f"the AIComponent {component.name} doesn't fit this operator: {error}"
        self.stock.expect(component.name, component.brought, why)

    async def _use(self, component: AIComponent) -> AIStackError | None:
        """Use what is asked for, unless it is in use already; returns why that can't be."""
        wanted = wanted_of(component)
        key = check_key(wanted, self.stock.base.digest)
        if self._keys.get(component.name) == key:
            return None
        try:
            held = await self._hold(component)
            await self._open(wanted, await self._packed(held, wanted))
        except AIStackError as error:
            self.stock.expect(component.name, component.brought, f"the AIComponent {component.name}: {error}")
            return error
        return None

    async def _packed(self, component: AIComponent, wanted: Wanted) -> bytes:
        kept = await self._cache.get(component.name)
        if kept and kept.wanted.reference == wanted.reference:
            return kept.packed
        return await fetch(wanted.reference, await access_of(self.client, self.home, component))

    async def _open(self, wanted: Wanted, packed: bytes, passed: str = "") -> None:
        """Check a piece and use it; one that passed the very same check before isn't checked again."""
        key = check_key(wanted, self.stock.base.digest)
        async with self._one_at_a_time:
            piece, found = await self._checked(wanted, packed, key, passed == key)
            if refusal := await missing_rights(self.client, found.made, found.granted):
                raise refusal
            self._refuse_loss(piece)
            if passed != key:
                await self._cache.put(Kept(wanted, key, packed))
            self._keys[wanted.name] = key
            parts = self.stock.put(piece)
            del self._waiting[wanted.name]
        log.info("piece in use", component=wanted.name, artifact=piece.artifact)
        self.changed(parts)

    async def _checked(self, wanted: Wanted, packed: bytes, key: str, passed: bool) -> tuple[Piece, Findings]:
        """Return a piece that passed its check; while it waits for a right, the same check isn't made again."""
        world = (key, self.stock.catalog.digest)
        known = self._waiting.pop(wanted.name, None)
        if known is None or known[0] != world:
            others = self.stock.others(wanted.name)
            known = world, await open_piece(wanted, packed, self.stock.base, others, checked=passed)
        self._waiting[wanted.name] = known
        return known[1]

    def _refuse_loss(self, piece: Piece) -> None:
        """Refuse an artifact that lacks what stacks use of the former one."""
        former = self.stock.get(piece.name)
        lost = former.parts - piece.parts if former else frozenset()
        if users := users_of(lost, self.stacks(), self.stock.base.profiles):
            parts, who = ", ".join(sorted(lost)), ", ".join(users[:5])
            raise InvalidError(f"spec.artifact: no longer brings {parts}, which {who} use; take it out of them first")

    # ------------------------------------------------------------------ out of it

    async def _leave(self, name: str) -> None:
        """Forget a piece whose AIComponent is gone."""
        parts = self.stock.drop(name)
        self._keys.pop(name, None)
        self._waiting.pop(name, None)
        await self._cache.forget(name)
        if parts:
            log.info("piece gone", component=name)
            self.changed(parts)

    async def _delete(self, component: AIComponent) -> float:
        if FINALIZER not in component.metadata.finalizers:
            return 0
        if users := self._users(component, self.stacks()) or self._users(component, await self._all_stacks()):
            await self._write(component, Standing(self.stock.get(component.name), users))
            return RETRY
        await self._leave(component.name)
        await self._set_finalizers(component, [f for f in component.metadata.finalizers if f != FINALIZER])
        return 0

    async def _all_stacks(self) -> list[Manifest]:
        """Return the AIStacks as they are: those that were seen may not be all yet."""
        found: list[Manifest] = (await self.client.list(STACKS)).result()["items"]
        return found

    def _users(self, component: AIComponent, stacks: Iterable[Manifest]) -> tuple[str, ...]:
        piece = self.stock.get(component.name)
        parts = component.brought | (piece.parts if piece else frozenset())
        pieces = needed_by(piece, self.stock.others(component.name)) if piece else ()
        stacks_using = users_of(parts, stacks, self.stock.base.profiles)
        return (*stacks_using, *(f"AIComponent {name}" for name in pieces))

    # ------------------------------------------------------------------ the object itself

    async def _find(self, name: str) -> AIComponent | None:
        found = (live for live in await self.shelf.of("") if live["metadata"]["name"] == name)
        return next((parsed for live in found if (parsed := _parsed(live))), None)

    async def _report(self, component: AIComponent, error: AIStackError | None) -> None:
        users = self._users(component, self.stacks())
        await self._write(component, Standing(self.stock.get(component.name), users, error))

    async def _hold(self, component: AIComponent) -> AIComponent:
        """Add our finalizer before anything of it is used."""
        if FINALIZER in component.metadata.finalizers:
            return component
        await self._set_finalizers(component, [*component.metadata.finalizers, FINALIZER])
        return component

    async def _set_finalizers(self, component: AIComponent, finalizers: list[str]) -> None:
        metadata = {"finalizers": finalizers, "resourceVersion": component.metadata.resource_version}
        reply = await self.client.merge(_ref(component), {"metadata": metadata})
        if reply.status != 404:
            self.shelf.learn(reply.result())

    async def _write(self, component: AIComponent, standing: Standing) -> None:
        """Write the status, if it changed."""
        status = summarize_piece(component, standing, self.clock())
        if status == component.status:
            return
        before, after = (_manifest(s) for s in (component.status, status))
        reply = await self.client.merge(_ref(component), {"status": replacing(before, after)}, subresource="status")
        if reply.status != 404:
            self.shelf.learn(reply.result())


def wanted_of(component: AIComponent) -> Wanted:
    """Return the piece that an AIComponent asks for."""
    spec = component.spec
    return Wanted(component.name, parse_reference(spec.artifact), frozenset(spec.replaces), tuple(sorted(spec.kinds)))


def _parsed(live: Manifest) -> AIComponent | None:
    """Read an AIComponent; one that another version of the definition let through is nobody's."""
    try:
        return parse_piece(live)
    except ValidationError:
        return None


def _manifest(status: AIComponentStatus) -> Manifest:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _ref(component: AIComponent) -> ObjectRef:
    return ObjectRef(API_VERSION, PIECE_KIND, "", component.name)
