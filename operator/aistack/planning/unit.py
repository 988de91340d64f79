"""One component's unit: its Secrets, rendered and hardened objects, network policies and claims, in phases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from aistack.api.names import object_name
from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog
from aistack.objects.manifest import Manifest, ref_of
from aistack.objects.plan import ApplyObject, CreateSecret, Observed, Unit
from aistack.planning.bound import Binder, hardened, labelled
from aistack.planning.charts import Known, nothing_known
from aistack.planning.claims import retirement
from aistack.planning.context import SecretHandle, SecretNames, TemplateContext
from aistack.planning.exposure import ROUTE_KINDS, routes
from aistack.planning.harden import Hardener
from aistack.planning.hooks import following
from aistack.planning.images import ImageSource
from aistack.planning.immutable import check_kept, strategy
from aistack.planning.made import Made, Maker
from aistack.planning.metrics import Scrape, scrapes
from aistack.planning.networks import network_policies
from aistack.planning.pods import pod_template
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import SecretPlanner
from aistack.planning.wire import Edge, Wiring

RUN_KINDS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "CronJob"})
"""Kinds that start pods: applied last."""
LAST_KINDS = RUN_KINDS | ROUTE_KINDS
"""What is applied last: nobody is led to a page before it, and no trouble with routes keeps its pods from coming up."""
DATA_KINDS = frozenset({"PersistentVolumeClaim"})
"""Kinds that hold data: kept by ``deletionPolicy: Retain``."""


@dataclass(frozen=True)
class UnitPlanner:
    """Makes the units of one stack."""

    stack: AIStack
    catalog: Catalog
    observed: Observed
    resolved: Mapping[str, Resolved]
    wiring: Wiring
    secrets: SecretPlanner
    images: ImageSource
    known: Known = nothing_known
    """Returns what was rendered of charts."""

    @property
    def binder(self) -> Binder:
        """What binds consumers to their providers."""
        return Binder(self.stack, self.catalog, self.observed, self.resolved, self.secrets, self.images)

    def unit(self, name: str) -> Unit:
        """Plan one component.

        Raises:
            ChartNeededError: a chart must be rendered first.
            SpecError: a name is too long, a volume can't be changed so, or a patch can't be applied.
            CatalogError: a template or a chart is broken.
        """
        r = self.resolved[name]
        hardener = Hardener(self.stack, r, self.images)
        admin, own = self._admin(r), self.secrets.own(r)
        bound = self.binder.bind(self.wiring.of(r.name))
        shares = bound.shares
        names = SecretNames(
            bindings={edge: SecretHandle(s.ref.name, frozenset(s.recipes)) for edge, s in shares.items()},
            provided={contract: s.ref.name for contract, s in admin.items()},
            own={s.base: s.ref.name for s in own},
        )
        made = self._make(r, names)
        accounts = _accounts(r, made.objects)
        tried = self.binder.proofs(bound, accounts)
        everything = chain(
            made.objects,
            network_policies(self.stack.name, r, self.resolved, self.wiring),
            routes(self.stack, r),
            (c.config for c in bound.claims),
            (p.config for p in tried),
        )
        objects = sorted(hardener.harden(everything), key=ref_of)
        # What was never in use here, a new credential or a provider of the user's, is tried before anything uses it.
        gates = any(s.generation > 1 for s in shares.values()) or any(not e.units for e in self.wiring.of(name))
        # Pods that a tool spawned go on with what they were given: their former share works until the next generation.
        former = [c for c in bound.claims if shares[c.edge.require.edge].generation > 1 and _blocks(r, c.edge)]
        admins = {s.base: s for s in admin.values()}  # two contracts may have one administrator
        secrets = labelled(hardener, chain(admins.values(), bound.admins, shares.values(), own, made.secrets))
        claims = [hardened(hardener, c.action(blocking=_blocks(r, c.edge))) for c in bound.claims]
        return Unit(
            name=name,
            after=tuple(sorted({unit for e in self.wiring.of(name) if _blocks(r, e) for unit in e.units})),
            prepare=(*secrets, *(self._apply(r, o) for o in objects if o["kind"] not in LAST_KINDS)),
            actions=(*claims, *(hardened(hardener, job) for job in following(made.actions, claims))),
            proofs=tuple(hardened(hardener, p.step(self.stack, gates=gates)) for p in tried),
            run=tuple(self._apply(r, o) for o in objects if o["kind"] in LAST_KINDS),
            cleanup=tuple(hardened(hardener, retirement(self.stack.name, c)) for c in former),
            suspended=r.suspended,
        )

    def _admin(self, r: Resolved) -> dict[str, CreateSecret]:
        return {p.contract: self.secrets.admin(r, p) for p in r.component.spec.provides}

    def _make(self, r: Resolved, names: SecretNames) -> Made:
        context = TemplateContext(self.stack, r, names, self.images, self._scrapes, self.observed).as_mapping()
        return Maker(self.stack, r, self.images, self.secrets, self.known).make(context)

    def _scrapes(self) -> tuple[Scrape, ...]:
        return tuple(scrapes(self.resolved, self.secrets))

    def _apply(self, r: Resolved, manifest: Manifest) -> ApplyObject:
        live = self.observed.objects.get(ref_of(manifest))
        check_kept(manifest, live, r.field, r.class_field)
        object_name(manifest["metadata"]["name"])
        return ApplyObject(manifest, strategy(manifest, live), retain=manifest["kind"] in DATA_KINDS)


def _accounts(r: Resolved, rendered: Iterable[Manifest]) -> dict[str, str]:
    """Return the service account of the component's own pods, by their identity."""
    templates = (template for manifest in rendered if (template := pod_template(manifest)) is not None)
    names = [str(name) for template in templates if (name := template["spec"].get("serviceAccountName"))]
    return {r.name: names[0]} if names else {}


def _blocks(r: Resolved, edge: Edge) -> bool:
    """Whether a component's own pods use an edge, and not only pods that it spawns later."""
    role = edge.require.workload
    return role is None or not r.component.spec.workloads[role].spawned
