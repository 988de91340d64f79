"""Small catalogs of images in temporary folders, and a builder that records what it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from aistack.errors import ToolError
from aistack.images import BuildPlan, BuildStep, Workshop, discover, make_plan, sources_of
from tests.unit.images.archives import docker_archive, labels_of

PLATFORM = "linux/amd64"


def add_base(root: Path, name: str, text: str, **fields: object) -> Path:
    """Write images/<name>; returns its folder."""
    folder = root / "images" / name
    folder.mkdir(parents=True)
    (folder / "Containerfile").write_text(text)
    declared = {"repository": name, "tag": "1.0-1", "platforms": [PLATFORM, "linux/arm64"]} | fields
    (folder / "image.yaml").write_text(yaml.safe_dump(declared))
    return folder


def add_component(root: Path, name: str, text: str, **fields: object) -> Path:
    """Write components/<name> with one image ``server``; returns the image's folder."""
    folder = root / "components" / name / "image"
    folder.mkdir(parents=True)
    (folder / "Containerfile").write_text(text)
    declared = {"repository": name, "tag": "2.0-1", "containerfile": "image/Containerfile"} | fields
    component = {"name": name, "images": {"server": declared}}
    (folder.parent / "component.yaml").write_text(yaml.safe_dump(component))
    return folder


def plan_of(root: Path, platform: str = PLATFORM) -> BuildPlan:
    """Plan the images of a catalog, with archives in <root>/cache."""
    images = discover(root)
    return make_plan(images, sources_of(images), cache=root / "cache", platform=platform)


@dataclass
class RecordingBuilder:
    """Keeps images as a mapping of reference to inputs, and bases' platforms; archives are files that name them."""

    name: str = "recorder"
    store: dict[str, str] = field(default_factory=dict)
    platforms: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failing: str = ""

    def inputs_of(self, reference: str) -> str:
        return self.store.get(reference, "")

    def platform_of(self, reference: str) -> str:
        return self.platforms.get(reference, "")

    def pull(self, reference: str, platform: str, log: Path) -> None:
        self.calls.append(f"pull {reference}")
        self.platforms[reference] = platform

    def import_rootfs(self, rootfs: Path, reference: str, platform: str) -> None:
        self.calls.append(f"import {reference}")
        self.platforms[reference] = platform

    def build(self, step: BuildStep, lent: Mapping[str, Path], log: Path, fresh: bool) -> None:
        self.calls.append(f"build {step.image.name}")
        if step.image.name == self.failing:
            raise ToolError("the build failed")
        self.store[step.image.reference] = step.inputs

    def save(self, reference: str, archive: Path) -> None:
        docker_archive(archive, [], {"reference": reference, "inputs": self.store[reference]})

    def restore(self, archive: Path) -> None:
        labels = labels_of(archive)
        self.calls.append(f"restore {labels['reference']}")
        self.store[labels["reference"]] = labels["inputs"]

    def push(self, reference: str, target: str) -> None:
        self.calls.append(f"push {reference} {target}")


def workshop(root: Path, builder: RecordingBuilder, *, registry: bool = True) -> Workshop:
    """Return a workshop on <root>/cache whose bases come from a registry."""
    (root / "cache").mkdir(exist_ok=True)
    shop = Workshop(root / "cache", root)
    shop.builder, shop.registry = builder, registry
    return shop
