"""The bill itself: CycloneDX 1.6 as JSON, without dates and chance."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aistack.api.group import GROUP
from aistack.errors import ToolError
from aistack.images.models import BuildStep
from aistack.images.sbom import debian, golang, npm, python
from aistack.images.sbom.layers import Unpacked, unpack
from aistack.images.sbom.models import Package
from aistack.images.store import BILL, archive_size

_FORMAT = {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
}
_LICENCES = "org.opencontainers.image.licenses"


def sbom_file(step: BuildStep) -> Path:
    """Return where an image's bill lies: beside its archive."""
    return step.archive.with_suffix(BILL)


def write_sbom(step: BuildStep) -> Path:
    """Write an image's bill beside its archive, unless it is there and newer.

    Raises:
        ToolError: the image isn't built, or its archive can't be read.
    """
    if not archive_size(step):
        raise ToolError(f"not built yet: {step.image.name}; run 'aistack images build {step.image.name}' first")
    target = sbom_file(step)
    if not target.is_file() or target.stat().st_mtime < step.archive.stat().st_mtime:
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(bill_of(step), indent=1, ensure_ascii=False) + "\n", "utf-8")
        partial.rename(target)
    return target


def bill_of(step: BuildStep) -> dict[str, Any]:
    """Return an image's bill.

    Raises:
        ToolError: its archive can't be read.
    """
    image = unpack(step.archive, _wanted, _digest)
    lock = step.image.folder / "requirements.txt"
    components = [_component(p) for p in _packages(image, lock.read_text("utf-8") if lock.is_file() else "")]
    own = _image(step, image)
    return {
        **_FORMAT,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{GROUP}/{image.identity}')}",
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "aistack", "version": version("aistack")}]},
            "component": own,
        },
        "components": [*_system(image), *components],
        "dependencies": [{"ref": own["bom-ref"], "dependsOn": [c["bom-ref"] for c in components]}],
    }


def _wanted(path: str, size: int) -> bool:
    return debian.wanted(path) or python.wanted(path) or npm.wanted(path) or golang.wanted(path, size)


def _digest(path: str, content: bytes) -> bytes:
    noted = debian.wanted(path) or python.wanted(path) or npm.wanted(path)
    return content if noted else golang.build_info(content)


def _packages(image: Unpacked, lock: str) -> Iterable[Package]:
    files = image.files
    found = (*debian.packages(files), *python.packages(files, lock), *npm.packages(files), *golang.packages(files))
    return sorted({package.url: package for package in found}.values())


def _component(package: Package) -> dict[str, Any]:
    name = f"{package.namespace}/{package.name}" if package.namespace and package.kind != "deb" else package.name
    told: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.url,
        "name": name,
        "version": package.version,
        "purl": package.url,
    }
    if package.expression:
        told["licenses"] = [{"expression": package.licences[0]}]
    elif package.licences:
        told["licenses"] = [{"license": {"name": name}} for name in package.licences]
    if package.hashes:
        pinned = [{"alg": "SHA-256", "content": digest} for digest in package.hashes]
        url = f"https://pypi.org/project/{package.name}/{package.version}/"
        told["externalReferences"] = [{"type": "distribution", "url": url, "hashes": pinned}]
    return told


def _system(image: Unpacked) -> list[dict[str, Any]]:
    name, version = debian.release(image.files)
    if not name:
        return []
    return [{"type": "operating-system", "bom-ref": f"os:{name}", "name": name, "version": version}]


def _image(step: BuildStep, image: Unpacked) -> dict[str, Any]:
    declared = step.image.declared
    labels = image.config.get("config", {}).get("Labels") or {}
    stands_on = [*step.parents, *step.external]
    facts = {"platform": step.platform, "inputs": step.inputs} | ({"base": ", ".join(stands_on)} if stands_on else {})
    facts["layers"] = ", ".join(image.config.get("rootfs", {}).get("diff_ids", ()))
    told = {
        "type": "container",
        "bom-ref": f"image:{step.image.reference}",
        "name": declared.repository,
        "version": declared.tag,
        "description": declared.about,
        "hashes": [{"alg": "SHA-256", "content": image.identity}],
        "properties": [{"name": f"{GROUP}:{key}", "value": value} for key, value in facts.items()],
    }
    return told | ({"licenses": [{"expression": labels[_LICENCES]}]} if _LICENCES in labels else {})
