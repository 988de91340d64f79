"""Strategic merge patches: a part of an object merged into it, lists of named entries by their names.

What Kubernetes declares for each type is, for the kinds that components are made of, a matter of a list's field alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""By which key the entries of a list are told apart; lists of other fields are replaced whole."""
DIRECTIVE = "$patch"


def merged(target: Any, patch: Any, field: str = "") -> Any:
    """Return a value with a strategic merge patch applied.

    Args:
        target: what is there; None for nothing.
        patch: the part to merge in.
        field: name of the field where it stands.

    Raises:
        ValueError: the patch says something that strategic merges don't know.
    """
    if isinstance(patch, Mapping):
        return _merged_map(target if isinstance(target, Mapping) else {}, patch)
    if isinstance(patch, list) and field in MERGE_KEYS:
        return _merged_list(target if isinstance(target, list) else [], patch, field)
    return patch


def _merged_map(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    directive = _directive(patch)
    own = {key: value for key, value in patch.items() if key != DIRECTIVE}
    if directive == "delete":
        raise ValueError(f"{DIRECTIVE}: delete stands where nothing can be deleted: only in an entry of a list")
    base = {} if directive == "replace" else target
    return {**base, **{key: merged(base.get(key), value, key) for key, value in own.items()}}


def _merged_list(target: Sequence[Any], patch: Sequence[Any], field: str) -> list[Any]:
    key = _key(field, patch)
    if any(entry == {DIRECTIVE: "replace"} for entry in patch):
        return [entry for entry in patch if entry != {DIRECTIVE: "replace"}]
    result = {_name(entry, key, field): entry for entry in target}
    for entry in patch:
        name = _name(entry, key, field)
        if _directive(entry) == "delete":
            if result.pop(name, None) is None:
                raise ValueError(f"{field} has no entry whose {key} is {name!r} to delete")
        else:
            result[name] = merged(result.get(name), entry)
    return list(result.values())


def _key(field: str, patch: Sequence[Any]) -> str:
    keys = MERGE_KEYS[field]
    return next((key for key in keys if any(isinstance(e, Mapping) and key in e for e in patch)), keys[0])


def _name(entry: Any, key: str, field: str) -> Any:
    if not isinstance(entry, Mapping) or key not in entry or isinstance(entry[key], dict | list):
        raise ValueError(f"an entry of {field} has no {key}, by which they are told apart")
    return entry[key]


def _directive(patch: Mapping[str, Any]) -> str:
    unknown = [key for key in patch if key.startswith("$") and key != DIRECTIVE]
    directive = patch.get(DIRECTIVE, "merge")
    if unknown or directive not in ("merge", "replace", "delete"):
        raise ValueError(
            f"the directive {(unknown or [DIRECTIVE])[0]} is unknown; there is {DIRECTIVE}: delete|replace"
        )
    return str(directive)
