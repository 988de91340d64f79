"""``aistack images lock`` and ``mirror``."""

from __future__ import annotations

import asyncio
import json

import yaml

from aistack.catalog.models import Image
from aistack.cli.exits import ExitCode
from aistack.objects.artifact import parse_reference
from aistack.sources.images import digest_at
from aistack.sources.oci import Artifact, Blob, push
from aistack.sources.registry import Access
from tests.registry import FakeRegistry, fake_registry_beside
from tests.toy import toy
from tests.unit.cli.lab import STACK, Cli


def filled(registry: FakeRegistry) -> None:
    """Push something under the name of each of the toy's images."""
    for name in {image.reference("").partition("/")[2] for image in images()}:
        reference = parse_reference(registry.reference(f"ai/{name}"))
        asyncio.run(push(reference, Artifact("image", (Blob("layer", name.encode()),))))


def images() -> list[Image]:
    """The images of the toy's profile, and the runner's."""
    components = [toy().components[name] for name in toy().profiles["toy"].components]
    return [*(image for component in components for image in component.spec.images.values()), toy().runner]


def test_all_that_a_stack_pulls_is_listed(cli: Cli) -> None:
    listed = cli("images", "lock", "-f", cli.file())
    assert listed.code == ExitCode.OK, listed.err
    for image in images():
        assert image.reference() in listed.out
    assert "claims and proofs" in listed.out

    told = json.loads(cli("images", "lock", "-f", cli.file(), "-o", "json").out)["images"]
    assert {item["reference"] for item in told} == {image.reference() for image in images()}
    assert all(item["stacks"] == ["default/demo"] and item["digest"] is None for item in told)


def test_digests_are_those_of_the_registry_where_it_has_them(cli: Cli) -> None:
    with fake_registry_beside() as registry:
        filled(registry)
        gone = next(iter(images())).reference(f"{registry.host}/ai")
        registry.manifests.pop(gone.rpartition(":")[2], None)
        file = cli.file(STACK.replace("{profile: toy}", f"{{profile: toy, images: {{registry: {registry.host}/ai}}}}"))
        told = yaml.safe_load(cli("images", "lock", "-f", file, "--digests", "-o", "yaml").out)["images"]
        for item in told:
            if item["digest"]:
                reference = parse_reference(item["reference"])
                assert item["digest"] == asyncio.run(digest_at(reference, Access()))
    assert any(item["digest"] for item in told)


def test_images_and_artifacts_come_to_another_registry(cli: Cli) -> None:
    with fake_registry_beside() as there, fake_registry_beside() as here:
        filled(there)
        chart = parse_reference(there.reference("charts/loki:6.0"))
        digest = asyncio.run(push(chart, Artifact("helm", (Blob("chart", b"loki"),))))
        target = f"{here.host}/mirror"
        done = cli(
            *("images", "mirror", target, "-f", cli.file(), "--from", f"{there.host}/ai"),
            *("--artifact", str(chart)),
        )
        assert done.code == ExitCode.OK, done.err
        assert f"{target}/charts/loki:6.0@{digest}" in done.out.splitlines()
        for image in images():
            reference = parse_reference(image.reference(target))
            there_too = parse_reference(image.reference(f"{there.host}/ai"))
            assert asyncio.run(digest_at(reference, Access())) == asyncio.run(digest_at(there_too, Access()))
        assert f"next: set spec.images.registry to {target}" in done.err


def test_nothing_to_copy_is_told(cli: Cli) -> None:
    refused = cli("images", "mirror", "mirror.example.com/ai")
    assert refused.code == ExitCode.ERROR
    assert "nothing is named to copy; give -f FILE, --artifact REFERENCE or --cluster" in refused.err
