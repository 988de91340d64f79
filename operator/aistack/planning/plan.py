"""Plan: the steps of planning joined, from a stack to all that should be written for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aistack.api.binding import AIBinding
from aistack.api.labels import stack_labels
from aistack.api.spec import AIStack, DeletionPolicy
from aistack.api.status import Footprint
from aistack.catalog.models import Catalog
from aistack.errors import CatalogError
from aistack.objects.manifest import ObjectRef
from aistack.objects.plan import Observed, Owner, Plan, Unit
from aistack.planning.apps import App, plan_apps
from aistack.planning.bound import Binder
from aistack.planning.charts import Known, nothing_known
from aistack.planning.external import outsiders, unneeded
from aistack.planning.footprint import footprint
from aistack.planning.images import ImageSource
from aistack.planning.resolve import Resolved, refuse_awaited, resolve
from aistack.planning.secrets import SecretPlanner
from aistack.planning.unit import UnitPlanner
from aistack.planning.wire import Wiring, wire


@dataclass(frozen=True)
class Planned:
    """A stack's plan and what a status says about it."""

    stack: AIStack
    resolved: Mapping[str, Resolved]
    wiring: Wiring
    plan: Plan
    footprint: Footprint
    catalog_digest: str
    """Digest of those parts of the catalog that it is planned from."""
    parts: frozenset[str] = frozenset()
    """These parts."""
    release: str = ""
    """Name of the release that they are of."""
    apps: tuple[App, ...] = ()


def plan_stack(
    stack: AIStack,
    catalog: Catalog,
    observed: Observed,
    bindings: Iterable[AIBinding] = (),
    known: Known = nothing_known,
) -> Planned:
    """Plan a stack.

    Args:
        stack: what the user asks for.
        catalog: what can be installed.
        observed: what exists; an empty one plans a first installation.
        bindings: what apps of the user's own ask of it.
        known: returns what was rendered of charts; a plan that needs more is made anew once that is rendered.

    Raises:
        ChartNeededError: a chart must be rendered first.
        SpecError: a field of the stack is wrong.
        AwaitedError: a Secret that it names isn't there yet, or an AIComponent isn't loaded.
        CatalogError: a component is broken.
    """
    resolved = resolve(stack, catalog)
    parts = catalog.parts_of(resolved, stack.spec.profile)
    refuse_awaited(catalog, parts)
    outside = outsiders(stack, catalog, resolved)
    leaving = unneeded(stack, resolved, outside)
    resolved = {name: r for name, r in resolved.items() if name not in leaving}
    wiring = wire(resolved, catalog, outside)
    secrets = SecretPlanner(stack.name, stack.namespace, catalog.contracts, observed, _rotations(stack))
    images = ImageSource.of(stack)
    apps = tuple(plan_apps(Binder(stack, catalog, observed, resolved, secrets, images), bindings))
    wiring = wiring.plus(app.edge for app in apps if app.edge)
    units = UnitPlanner(stack, catalog, observed, resolved, wiring, secrets, images, known)
    plan = Plan(
        waves=(*(tuple(units.unit(name) for name in wave) for wave in wiring.waves), *_wave(apps)),
        drift=stack.spec.drift,
        retain_data=stack.spec.deletion_policy is DeletionPolicy.RETAIN,
        leaving=leaving,
    )
    _refuse_doubles(plan)
    asked = footprint(plan, resolved.values())
    return Planned(stack, resolved, wiring, plan, asked, catalog.digest_of(parts), parts, catalog.release, apps)


def _wave(apps: Iterable[App]) -> Iterator[tuple[Unit, ...]]:
    """Yield the wave of the apps, if there are any."""
    if found := tuple(app.unit for app in apps if app.unit):
        yield found


def _rotations(stack: AIStack) -> dict[str, str]:
    """Return the request for new credentials by the edge that it names."""
    edge = stack.rotate_asked.partition(" ")[2]
    return {edge: stack.rotate_asked} if edge else {}


def _refuse_doubles(plan: Plan) -> None:
    """Refuse two objects of one name, which would overwrite each other."""
    makers: dict[ObjectRef, str] = {}
    for unit in plan.units:
        for step in unit.objects():
            if step.ref in makers:
                raise CatalogError(f"components/{unit.name}", f"makes {step.ref}, and so does {makers[step.ref]}")
            makers[step.ref] = f"components/{unit.name}"


def owner_of(stack: AIStack, account: str = "") -> Owner:
    """Return whose objects a stack's are, and the ServiceAccount as whom they are made."""
    return Owner(stack.namespace, stack.name, stack.uid, stack_labels(stack.name), account)
