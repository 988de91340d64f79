"""Patches: a last resort for what no value of a component reaches. Docstrings of fields are for ``explain``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints, WithJsonSchema

from aistack.api.model import Model
from aistack.api.rules import Rule
from aistack.api.texts import ObjectName

_ANYTHING = WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True})

# Patterns, as rules of so many nested lists would cost the API server more than it grants a definition.
TargetKind = Annotated[str, StringConstraints(max_length=63, pattern="^[A-Z][A-Za-z0-9]*$")]
Pointer = Annotated[str, StringConstraints(max_length=512, pattern=r"^(/([^~/]|~[01])*)+$")]


class JsonPatchOp(StrEnum):
    """What an operation of a JSON patch does (RFC 6902)."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    MOVE = "move"
    COPY = "copy"
    TEST = "test"


class JsonPatchOperation(Model):
    """One operation of a JSON patch."""

    op: JsonPatchOp
    """add, remove, replace, move, copy or test."""

    path: Pointer
    """Where, e.g. /spec/template/spec/containers/0/env/-."""

    from_: Annotated[Pointer | None, Field(alias="from")] = None
    """Where move and copy take the value from."""

    value: Annotated[Any, _ANYTHING] = None
    """What add and replace put there, and what test expects."""


class PatchTarget(Model):
    """Which objects of the component are patched: those of a kind, or one of them."""

    kind: TargetKind
    """Kind, e.g. Deployment."""

    name: ObjectName | None = None
    """Name, e.g. demo-mlflow; every object of the kind if not set."""


_ONE_WAY = Rule(
    "has(self.strategicMerge) != has(self.jsonPatch)",
    "says how in two ways, or in none",
    "write either strategicMerge or jsonPatch",
    lambda patch: (patch.strategic_merge is None) != (patch.json_patch is None),
)


class PatchSpec(Model):
    """Changes objects of a component after they were rendered, and before they are hardened."""

    target: PatchTarget
    """Which objects are patched; a patch that meets none is refused."""

    strategic_merge: Annotated[
        Mapping[str, Any] | None,
        WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    ] = None
    """A part of the object, merged into it as kubectl patch does it: containers, volumes, env and the like by their
    names. '$patch: delete' in an entry of such a list removes the entry."""

    json_patch: Annotated[tuple[JsonPatchOperation, ...], Field(min_length=1, max_length=32)] | None = None
    """Operations in their order, as kubectl patch --type=json takes them."""


Patch = Annotated[PatchSpec, _ONE_WAY]
