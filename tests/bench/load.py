"""The load: a NetworkPolicy and ConfigMaps of about 1 KiB, from one component of a catalog of its own."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from aistack.api.group import API_VERSION, GROUP, KIND
from aistack.catalog.loader import load_catalog
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject, Observed
from aistack.planning.plan import owner_of, plan_stack
from tests.toy import stack

CATALOG = Path(__file__).resolve().parents[1] / "catalogs" / "load"
NAME = "demo"
POLICIES = 1
"""NetworkPolicies that every component gets."""


def stack_manifest(namespace: str, count: int, name: str = NAME, **values: str) -> Manifest:
    """Return an AIStack with ``count`` children."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": _spec(count, values),
    }


def _spec(count: int, values: dict[str, str]) -> dict[str, Any]:
    return {
        "profile": "load",
        "deletionPolicy": "Delete",
        "components": [{"name": "load", "values": {"count": count - POLICIES, **values}}],
    }


def rendered(namespace: str, count: int, **values: str) -> list[Manifest]:
    """Return the same objects as the engine makes for that AIStack, but in another namespace."""
    wanted = stack(_spec(count, values), NAME, namespace)
    plan = plan_stack(wanted, load_catalog(CATALOG), Observed()).plan
    steps = (step for unit in plan.units for step in unit.prepare if isinstance(step, ApplyObject))
    found = [copy.deepcopy(dict(step.manifest)) for step in steps]
    for manifest in found:
        labels = {**manifest["metadata"]["labels"], **owner_of(wanted).labels}
        # These are others': the engine neither watches nor counts them.
        own = {name.replace(GROUP, "bench.example"): value for name, value in labels.items()}
        manifest["metadata"]["labels"] = own
    return found


def write_yaml(manifests: Iterable[Manifest], file: Path) -> None:
    """Write objects to one file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.dump_all(manifests, Dumper=yaml.CSafeDumper, sort_keys=False), "utf-8")
