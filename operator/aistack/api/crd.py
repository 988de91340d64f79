"""The CustomResourceDefinitions, made from the models; ``python -m aistack.api.crd`` prints them.

They need Kubernetes 1.29 or newer (``quantity`` in CEL), and what is made for stacks needs
:data:`~aistack.api.versions.OLDEST_KUBERNETES`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel

from aistack.api.binding import AIBinding
from aistack.api.group import BINDING_KIND, GROUP, KIND, PIECE_KIND, PLURAL, VERSION
from aistack.api.piece import AIComponent
from aistack.api.spec import AIStack
from aistack.api.structural import structural_schema

INSTALL_DEFINITIONS = "aistack crd | kubectl apply --server-side -f -"
"""What to type where definitions are missing or old."""
HEADER = "# Generated from the models in operator/aistack/api by 'make generate'; don't edit.\n"

_CONDITION = '.status.conditions[?(@.type=="{}")].status'
Column = tuple[str, str, str, int, str]
"""Heading, type, path, priority and description of a column of ``kubectl get``."""
_COLUMNS: tuple[Column, ...] = (
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
_BINDING_COLUMNS: tuple[Column, ...] = (
    ("Ready", "string", _CONDITION.format("Ready"), 0, "Whether the Secret opens what was asked for."),
    ("Stack", "string", ".spec.stack", 0, "The stack that it is a share of."),
    ("Contract", "string", ".spec.contract", 0, "What is shared."),
    ("Secret", "string", ".status.binding.name", 0, "The Secret that the app uses."),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since the binding was made."),
    ("Message", "string", ".status.message", 0, "The state in one line; last, so that a long one moves no column."),
)
_PIECE_COLUMNS: tuple[Column, ...] = (
    ("Ready", "string", _CONDITION.format("Ready"), 0, "Whether stacks can use what it brings."),
    ("Components", "string", ".status.components[*].name", 0, "What it brings."),
    ("Tier", "string", ".status.components[*].tier", 0, "How far its author's tests prove it."),
    ("Used by", "string", ".status.usedBy", 0, "Stacks that use it."),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since it was made."),
    ("Message", "string", ".status.message", 0, "The state in one line; last, so that a long one moves no column."),
    ("Artifact", "string", ".status.artifact", 1, "The artifact in use."),
)


@dataclass(frozen=True)
class Definition:
    """A kind of ours, as its definition tells the cluster."""

    kind: str
    plural: str
    short: str
    model: type[BaseModel]
    columns: tuple[Column, ...]
    namespaced: bool = True

    @property
    def name(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"

    @property
    def file(self) -> str:
        """Name of its file in ``crds/``."""
        return f"{GROUP}_{self.plural}.yaml"


STACKS = Definition(KIND, PLURAL, "ais", AIStack, _COLUMNS)
BINDINGS = Definition(BINDING_KIND, "aibindings", "aib", AIBinding, _BINDING_COLUMNS)
PIECES = Definition(PIECE_KIND, "aicomponents", "aic", AIComponent, _PIECE_COLUMNS, namespaced=False)
DEFINITIONS = (STACKS, BINDINGS, PIECES)


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated parts out instead of as YAML aliases, which not every reader knows."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def crd_manifest(definition: Definition) -> dict[str, Any]:
    """Return a CustomResourceDefinition as plain data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": definition.name},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": definition.kind,
                "listKind": f"{definition.kind}List",
                "plural": definition.plural,
                "singular": definition.kind.lower(),
                "shortNames": [definition.short],
                # Not "all": `kubectl delete all --all` would delete stacks.
                "categories": ["ai"],
            },
            "scope": "Namespaced" if definition.namespaced else "Cluster",
            "versions": [_version(definition)],
        },
    }


def crd_yaml(definition: Definition) -> str:
    """Return a CustomResourceDefinition as the text of its file in ``crds/``."""
    text = yaml.dump(crd_manifest(definition), Dumper=_PlainDumper, sort_keys=False, width=120, allow_unicode=True)
    return HEADER + text


def missing_fields(definition: Definition, schema: Mapping[str, Any]) -> set[str]:
    """Return the fields that a cluster's definition lacks, as ``kubectl explain`` names them.

    Args:
        definition: what this program needs.
        schema: OpenAPI schema that the cluster has of the kind.
    """
    return set(_own_fields(definition).difference(_fields(schema, ())))


@functools.cache
def _own_fields(definition: Definition) -> frozenset[str]:
    return frozenset(_fields(_schema(definition), ()))


def _fields(schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    inner = schema.get("items", schema)
    for name, field in inner.get("properties", {}).items():
        if path or name in ("spec", "status"):  # all else is the same in every kind
            yield ".".join((*path, name))
            yield from _fields(field, (*path, name))


def all_crds_yaml() -> str:
    """Return all definitions as one text."""
    return "---\n".join(crd_yaml(definition) for definition in DEFINITIONS)


def _version(definition: Definition) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(*column) for column in definition.columns],
        "schema": {"openAPIV3Schema": _schema(definition)},
    }


def _column(name: str, kind: str, path: str, priority: int, description: str) -> dict[str, Any]:
    told = {"name": name, "type": kind, "jsonPath": path, "priority": priority, "description": description}
    # The API server keeps no priority of 0: two who apply one after the other would be in conflict about it.
    return {key: value for key, value in told.items() if value != 0}


def _schema(definition: Definition) -> dict[str, Any]:
    schema = structural_schema(definition.model)
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
    sys.stdout.write(all_crds_yaml())
