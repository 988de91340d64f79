"""The CustomResourceDefinition of AIStack, made from the models; ``python -m aistack.api.crd`` prints it.

Its rules need Kubernetes 1.29 or newer (``quantity`` in CEL).
"""

from __future__ import annotations

import sys
from typing import Any

import yaml

from aistack.api.group import GROUP, KIND, PLURAL, VERSION
from aistack.api.spec import AIStack
from aistack.api.structural import structural_schema

CRD_NAME = f"{PLURAL}.{GROUP}"
CRD_FILE = f"{GROUP}_{PLURAL}.yaml"
HEADER = "# Generated from the models in operator/aistack/api by 'make generate'; don't edit.\n"

_CONDITION = '.status.conditions[?(@.type=="{}")].status'
_COLUMNS: tuple[tuple[str, str, str, int, str], ...] = (
    ("Ready", "string", _CONDITION.format("Ready"), 0, "Whether all components are healthy and as the spec asks."),
    ("Components", "string", ".status.componentsReady", 0, "How many of the enabled components are ready."),
    ("Profile", "string", ".spec.profile", 0, "The profile asked for."),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since the stack was made."),
    ("Message", "string", ".status.message", 0, "The state in one line; last, so that a long one moves no column."),
    ("Proven", "string", _CONDITION.format("Proven"), 1, "Whether every binding did real work."),
    ("Size", "string", ".spec.size", 1, "The size asked for."),
    ("CPU", "string", ".status.footprint.cpu", 1, "CPU requests of all pods."),
    ("Memory", "string", ".status.footprint.memory", 1, "Memory requests of all pods."),
    ("Storage", "string", ".status.footprint.storage", 1, "Sizes of all volumes."),
)


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated parts out instead of as YAML aliases, which not every reader knows."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def crd_manifest() -> dict[str, Any]:
    """Return the CustomResourceDefinition as plain data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD_NAME},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["ais"],
                # Not "all": `kubectl delete all --all` would delete stacks.
                "categories": ["ai"],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def crd_yaml() -> str:
    """Return the CustomResourceDefinition as the text of its file in ``crds/``."""
    return HEADER + yaml.dump(crd_manifest(), Dumper=_PlainDumper, sort_keys=False, width=120, allow_unicode=True)


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "priority": priority, "description": description}
            for name, kind, path, priority, description in _COLUMNS
        ],
        "schema": {"openAPIV3Schema": _schema()},
    }


def _schema() -> dict[str, Any]:
    schema = structural_schema(AIStack)
    properties = schema["properties"]
    # The API server knows these itself and takes restrictions on nothing but the name.
    for name in ("apiVersion", "kind"):
        properties[name] = {key: properties[name][key] for key in ("type", "description")}
    name = properties["metadata"]["properties"]["name"]
    properties["metadata"] = {"type": "object", "properties": {"name": name}}
    # Readers that follow kstatus take an object without observedGeneration for done.
    properties["status"]["default"] = {"observedGeneration": -1}
    return schema


if __name__ == "__main__":
    sys.stdout.write(crd_yaml())
