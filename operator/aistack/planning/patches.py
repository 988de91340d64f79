"""Patches on a component's objects, the user's and those of a chart's component, with errors that name the patch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aistack.api.patches import PatchSpec, PatchTarget
from aistack.objects.manifest import Manifest, ObjectRef, canonical, copied, ref_of
from aistack.planning.merging import DIRECTIVE, merged
from aistack.planning.shapes import misshapen

Refuse = Callable[[str, str, str], Exception]
"""Makes the error for the path of a field, what is wrong with it, and what to write instead."""
_LARGEST = 1_000_000
"""Most bytes of a patched object; etcd takes few more."""


@dataclass(frozen=True)
class Patched:
    """Objects after patches."""

    objects: list[Manifest]
    by: dict[ObjectRef, int] = field(default_factory=dict)
    """The last patch of each object that has one, by its place in the list."""


def patched(objects: Sequence[Manifest], patches: Sequence[PatchSpec], refuse: Refuse) -> Patched:
    """Apply patches in their order.

    Args:
        objects: what was rendered; it isn't changed.
        patches: what to do with it.
        refuse: makes the error of a patch that can't be applied.

    Raises:
        Exception: what ``refuse`` made.
    """
    result, by = list(objects), {}
    for i, patch in enumerate(patches):
        found = [n for n, manifest in enumerate(result) if _meets(patch.target, manifest)]
        if not found:
            kinds = ", ".join(sorted(f"{o['kind']} {o['metadata']['name']}" for o in result)) or "none"
            raise refuse(f"patches[{i}].target", f"meets no object: {_words(patch.target)}", f"there are: {kinds}")
        for n in found:
            after = _one(result[n], patch, f"patches[{i}]", refuse)
            by[ref_of(result[n])] = i
            result[n] = after
        result = [manifest for manifest in result if manifest]
    return Patched(result, by)


def _meets(target: PatchTarget, manifest: Manifest) -> bool:
    return manifest["kind"] == target.kind and target.name in (None, manifest["metadata"]["name"])


def _words(target: PatchTarget) -> str:
    return f"{target.kind} {target.name or ''}".rstrip()


def _one(manifest: Manifest, patch: PatchSpec, where: str, refuse: Refuse) -> Manifest:
    """Return an object with a patch; an empty one where the patch takes it away."""
    what = f"{manifest['kind']} {manifest['metadata']['name']}"
    if patch.strategic_merge == {DIRECTIVE: "delete"}:
        return {}
    where = f"{where}.{'strategicMerge' if patch.json_patch is None else 'jsonPatch'}"
    try:
        after = _json(manifest, patch) if patch.strategic_merge is None else merged(manifest, patch.strategic_merge)
    except ValueError as error:
        raise refuse(where, f"can't be applied to {what}: {error}", "see what 'aistack render' shows of it") from None
    if problem := _problem(manifest, after):
        raise refuse(where, f"makes of {what} what {problem}", "see what 'aistack render' shows of it")
    return copied(after)


def _problem(before: Manifest, after: Manifest) -> str:
    """Say what a patched object can't be."""
    if not isinstance(after, dict) or not isinstance(after.get("metadata"), dict):
        return "is no object"
    for path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
        old, new = before, after
        for part in path:
            old, new = old.get(part, {}), new.get(part, {})
        if old != new:
            return f"has another {'.'.join(path)}"
    if _size(after) > _LARGEST:
        return f"is larger than {_LARGEST} bytes"
    wrong = misshapen(after)
    return f"can't be read: {wrong}" if wrong else ""


def _json(manifest: Manifest, patch: PatchSpec) -> Manifest:
    import jsonpatch  # no stack without patches needs it

    operations = [
        operation.model_dump(mode="json", by_alias=True, exclude_unset=True) for operation in patch.json_patch or ()
    ]
    after = copied(manifest)
    for operation in operations:  # one by one, as a few copies of copies would have no end
        try:
            after = jsonpatch.apply_patch(after, [operation], in_place=True)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
            raise ValueError(str(error) or type(error).__name__) from None
        if _size(after) > _LARGEST:
            raise ValueError(f"it becomes larger than {_LARGEST} bytes")
    return after


def _size(value: object) -> int:
    try:
        return len(canonical(value))
    except TypeError as error:  # e.g. nested without end
        raise ValueError(str(error)) from None
