"""Programs: the ConfigMap and the volume that bring a contract's programs, and those that run them, into a Job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aistack.catalog.models import Catalog, Contract
from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest

FOLDER = "/program"
SECRET_MODE = 0o440
"""Files of bindings are for the pod's group, which is its processes' own, and for nobody else."""


@dataclass(frozen=True)
class Programs:
    """What a Job of some contracts runs, as texts by path."""

    texts: dict[str, str]

    def config(self, name: str) -> Manifest:
        """Return the ConfigMap; its keys can't hold a slash."""
        data = {_key(path): text for path, text in self.texts.items()}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}

    def volume(self, config: str) -> dict[str, Any]:
        """Return the volume that puts every file of the ConfigMap into its folder again."""
        items = [{"key": _key(path), "path": path} for path in self.texts]
        return {"name": "program", "configMap": {"name": config, "items": items}}


def _key(path: str) -> str:
    return path.replace("/", ".")


def programs(catalog: Catalog, contracts: Iterable[Contract], *, leave_out: str = "") -> Programs:
    """Return the programs of contracts, with those of the contracts that they include.

    Args:
        catalog: has them.
        contracts: whose.
        leave_out: a file that isn't needed, so that its change means nothing to the Job.
    """
    texts = dict(catalog.runner_programs)
    for contract in contracts:
        for found in (contract, *(_included(catalog, contract, name) for name in contract.includes)):
            kept = {file: text for file, text in found.programs.items() if file != leave_out}
            texts |= {f"contracts/{found.name}/{file}": text for file, text in kept.items()}
    return Programs(dict(sorted(texts.items())))


def _included(catalog: Catalog, contract: Contract, name: str) -> Contract:
    if name not in catalog.contracts:
        raise CatalogError(f"contracts/{contract.name}/contract.yaml", f"includes an unknown contract {name!r}")
    return catalog.contracts[name]


def container(
    name: str, image: str, arguments: Iterable[str], mounts: Iterable[str], resources: dict[str, Any]
) -> dict[str, Any]:
    """Return the container that runs a program.

    Args:
        name: its name.
        image: the runner's image.
        arguments: for ``python -m aistack.proving``.
        mounts: names of the bindings' volumes; each is found under ``/bindings``.
        resources: requests and limits.
    """
    bindings = [{"name": mount, "mountPath": f"/bindings/{mount}", "readOnly": True} for mount in mounts]
    return {
        "name": name,
        "image": image,
        "workingDir": FOLDER,
        "command": ["python3", "-m", "aistack.proving", *arguments],
        "resources": resources,
        "volumeMounts": [*bindings, {"name": "program", "mountPath": FOLDER, "readOnly": True}],
    }


def binding_volume(name: str, secret: str) -> dict[str, Any]:
    """Return the volume of a binding's Secret."""
    return {"name": name, "secret": {"secretName": secret, "defaultMode": SECRET_MODE}}
