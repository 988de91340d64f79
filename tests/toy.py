"""The test catalog ``tests/catalogs/toy`` and short ways to plan with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aistack.api.group import API_VERSION, KIND
from aistack.api.parse import parse_stack
from aistack.api.spec import AIStack
from aistack.catalog.loader import load_catalog
from aistack.catalog.models import Catalog, Port, Provide, Require
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.plan import ApplyObject, CreateSecret, Observed, Plan, SecretRecord
from aistack.planning.plan import Planned, plan_stack
from aistack.rendering import with_charts

TOY = Path(__file__).parent / "catalogs" / "toy"
NAMESPACE = "ml"


@cache
def toy() -> Catalog:
    """The toy catalog."""
    return load_catalog(TOY)


@cache
def starter() -> Catalog:
    """The real catalog."""
    return load_catalog()


@cache
def toy_of_two() -> Catalog:
    """The toy in which ``db`` serves the contract cache too, at the port of sql and with its administrator.

    Claims of both have a port of their own, 5434. The component ``cache`` provides nothing, and needs that contract.
    """
    db, cache_user = toy().components["db"], toy().components["cache"]
    second = Provide.model_validate({"contract": "cache", "workload": "server", "port": "sql", "adminOf": "sql"})
    server = db.spec.workloads["server"]
    ports = {**server.ports, "logins": Port(port=5434, contract="sql")}
    workloads = {"server": server.model_copy(update={"ports": ports})}
    provider = db.spec.model_copy(update={"provides": (*db.spec.provides, second), "workloads": workloads})
    user = cache_user.spec.model_copy(update={"provides": (), "requires": (Require(contract="cache"),)})
    templates = {
        name: text.replace('provided("cache")', 'binding("cache")') for name, text in cache_user.templates.items()
    }
    changed = {"db": replace(db, spec=provider), "cache": replace(cache_user, spec=user, templates=templates)}
    return replace(toy(), components={**toy().components, **changed})


def stack(spec: str | Mapping[str, Any] = "{profile: toy}", name: str = "demo", namespace: str = NAMESPACE) -> AIStack:
    """A stack from its spec, as YAML text or data."""
    data = yaml.safe_load(spec) if isinstance(spec, str) else spec
    metadata = {"name": name, "namespace": namespace}
    return parse_stack({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": data})


def plan(
    spec: str | Mapping[str, Any] = "{profile: toy}",
    observed: Observed | None = None,
    catalog: Catalog | None = None,
    **names: str,
) -> Planned:
    """Plan a stack of the toy catalog, or of another one."""
    asked, world = stack(spec, **names), observed or Observed()
    return with_charts(lambda known: plan_stack(asked, catalog or toy(), world, known=known))


def values(component: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The toy's spec with values for one component."""
    return {"profile": "toy", "components": [{"name": component, "values": given}]}


def objects(planned: Planned) -> dict[ObjectRef, Manifest]:
    """Everything that a plan writes but Secrets: objects, and Jobs too."""
    steps = [s for unit in planned.plan.units for s in (*unit.objects(), *unit.actions)]
    return {s.ref: s.manifest for s in steps if not isinstance(s, CreateSecret)}


def find(planned: Planned, kind: str, name: str) -> Manifest:
    """One object of a plan."""
    return next(m for ref, m in objects(planned).items() if (ref.kind, ref.name) == (kind, name))


def secrets(planned: Planned) -> dict[str, CreateSecret]:
    """A plan's Secrets by base name."""
    steps = (s for unit in planned.plan.units for s in unit.objects())
    return {s.base: s for s in steps if isinstance(s, CreateSecret)}


def jobs(planned: Planned) -> dict[str, str]:
    """Names of a plan's Jobs by the key of their action."""
    return {action.key: action.ref.name for unit in planned.plan.units for action in unit.actions}


def applied(planned: Planned) -> Observed:
    """The world after a plan was applied: every object is there, volumes have identities, Secrets are recorded."""
    made = {s.ref: dict(s.manifest) for u in planned.plan.units for s in u.objects() if isinstance(s, ApplyObject)}
    for number, (ref, manifest) in enumerate(sorted(made.items())):
        made[ref] = {**manifest, "metadata": {**manifest["metadata"], "uid": f"uid-{number}"}}
    records = {b: SecretRecord(s.generation, s.desired_hash, True) for b, s in secrets(planned).items()}
    return Observed(made, records)


def plan_bytes(plan: Plan) -> bytes:
    """All of a plan as text, in its own order: equal bytes are equal plans."""
    return repr(plan).encode()


def container_of(manifest: Manifest, name: str) -> dict[str, Any]:
    """Return one container of a workload, by name."""
    return next(c for c in containers_of(manifest) if c["name"] == name)


def containers_of(manifest: Manifest) -> list[dict[str, Any]]:
    """Containers of a workload's pods, those first that run first."""
    spec = manifest["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def config_json(planned: Planned, name: str, key: str) -> Any:
    """A JSON file of a ConfigMap."""
    return json.loads(find(planned, "ConfigMap", name)["data"][key])


def toy_copy(target: Path) -> Path:
    """Copy the toy catalog to a place where a test may spoil it."""
    return Path(shutil.copytree(TOY, target / "catalog"))
