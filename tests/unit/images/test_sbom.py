"""Bills of materials: what is in an image is told, what was taken out of it is not, and always in the same words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from aistack.errors import ToolError
from aistack.images import prune, write_sbom
from aistack.images.models import BuildStep
from aistack.images.sbom import bill_of, sbom_file
from tests.unit.images.archives import Layer, docker_archive
from tests.unit.images.folders import add_base, plan_of

STATUS = """\
Package: libssl3
Status: install ok installed
Architecture: amd64
Version: 3.5.1-1+deb13u1
Description: a library
 that has two lines

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: plain
Status: install ok installed
Architecture: all
Version: 1:2~3
"""
COPYRIGHT = (
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Apache-2.0\n"
)
DEBIAN: Layer = {
    "usr/lib/os-release": b'ID=debian\nVERSION_ID="13"\n',
    "./var/lib/dpkg/status": STATUS.encode(),
    "usr/share/doc/libssl3/copyright": COPYRIGHT.encode(),
    "usr/share/doc/plain/copyright": b"As is.\nLicense: nobody can read this\n",
}
SITE = "opt/venv/lib/python3.13/site-packages"
PYTHON: Layer = {
    f"{SITE}/Typing_Extensions-4.15.0.dist-info/METADATA": b"Name: Typing_Extensions\nVersion: 4.15.0\n"
    b"License-Expression: PSF-2.0\n\nName: not a header\n",
    f"{SITE}/old-1.dist-info/METADATA": b"Name: old\nVersion: 1\nLicense: BSD\n",
    f"{SITE}/long-1.dist-info/METADATA": b"Name: long\nVersion: 1\nLicense: Permission is hereby\n        granted\n"
    b"Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: License\n",
    f"{SITE}/removed-1.dist-info/METADATA": b"Name: removed\nVersion: 1\n",
}
LOCK = f"""\
# made by uv
typing-extensions==4.15.0 \\
    --hash=sha256:{"b" * 64} \\
    --hash=sha256:{"a" * 64}
    # via x
old==2 --hash=sha256:{"c" * 64}
"""
NPM: Layer = {
    "opt/proxy/node_modules/@scope/lib/package.json": b'{"name": "@scope/lib", "version": "1.2.3", "license": "MIT"}',
    "opt/proxy/node_modules/lib/test/package.json": b'{"name": "a test", "version": "0"}',
    "opt/proxy/node_modules/bare/package.json": b'{"type": "module"}',
}


def go_program() -> bytes:
    """A program with what the Go linker writes into one: the unit tests have no Go."""
    modules = b"path\texample.org/cmd\nmod\texample.org/cmd\tv1.0.0\th1:x=\n"
    modules += b"dep\texample.org/a/lib\tv2.1.0+incompatible\th1:y=\n"
    text = b"-" * 16 + modules + b"-" * 16
    header = (b"\xff Go buildinf:" + bytes([8, 2])).ljust(32, b"\0")
    size = bytes([len(text) & 0x7F | 0x80, len(text) >> 7])
    return b"\x7fELF".ljust(1 << 20, b"\0") + header + b"\x08go1.26.8" + size + text


LAYERS: tuple[Layer, ...] = (
    DEBIAN,
    {**PYTHON, **NPM, "usr/bin/weed": go_program(), "usr/bin/other": b"\x7fELF" + bytes(1 << 20)},
    {f"{SITE}/.wh.removed-1.dist-info": b"", "etc/motd": b"x"},
)


@pytest.fixture
def step(tmp_path: Path) -> BuildStep:
    add_base(tmp_path, "python", "FROM debian:13\n")
    (tmp_path / "cache").mkdir()
    (plan_of(tmp_path).step("python").image.folder / "requirements.txt").write_text(LOCK)
    found = plan_of(tmp_path).step("python")
    labels = {"org.opencontainers.image.licenses": "PSF-2.0 AND Apache-2.0"}
    docker_archive(found.archive, LAYERS, labels)
    return found


def components(step: BuildStep) -> dict[str, dict[str, Any]]:
    return {component.get("purl", component["name"]): component for component in bill_of(step)["components"]}


def licences(component: dict[str, Any]) -> list[str]:
    return [told.get("expression") or told["license"]["name"] for told in component.get("licenses", [])]


FOUND = {
    "debian": [],
    "pkg:deb/debian/libssl3@3.5.1-1%2Bdeb13u1?arch=amd64&distro=debian-13": ["Apache-2.0"],
    "pkg:deb/debian/plain@1%3A2~3?arch=all&distro=debian-13": [],
    "pkg:golang/example.org/a/lib@v2.1.0%2Bincompatible": [],
    "pkg:golang/example.org/cmd@v1.0.0": [],
    "pkg:golang/stdlib@1.26.8": [],
    "pkg:npm/%40scope/lib@1.2.3": ["MIT"],
    "pkg:pypi/long@1": ["MIT License"],
    "pkg:pypi/old@1": ["BSD"],
    "pkg:pypi/typing-extensions@4.15.0": ["PSF-2.0"],
}


def test_all_that_is_installed_is_told_and_nothing_else(step: BuildStep) -> None:
    assert {url: licences(component) for url, component in components(step).items()} == FOUND


def test_a_python_package_has_the_hashes_that_its_lock_pins(step: BuildStep) -> None:
    (reference,) = components(step)["pkg:pypi/typing-extensions@4.15.0"]["externalReferences"]
    assert [pinned["content"] for pinned in reference["hashes"]] == ["a" * 64, "b" * 64]
    assert "externalReferences" not in components(step)["pkg:pypi/old@1"], "another version is pinned"


def test_it_says_which_image_it_is_of(step: BuildStep) -> None:
    own = bill_of(step)["metadata"]["component"]
    assert (own["type"], own["name"], own["version"]) == ("container", "python", "1.0-1")
    assert licences(own) == ["PSF-2.0 AND Apache-2.0"]
    facts = {fact["name"]: fact["value"] for fact in own["properties"]}
    assert facts["aistack.dev:base"] == "debian:13"
    assert facts["aistack.dev:inputs"] == step.inputs
    assert facts["aistack.dev:layers"].count("sha256:") == len(LAYERS)


def test_it_keeps_to_the_schema(step: BuildStep) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(write_sbom(step).read_text()) is None
    broken = json.dumps({**bill_of(step), "components": [{"type": "libary"}]})
    assert validator.validate_str(broken) is not None


def test_an_image_without_packages_has_one_too(step: BuildStep) -> None:
    docker_archive(step.archive, [{"etc/passwd": b""}])
    assert components(step) == {}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill_of(step))) is None


def test_the_same_image_gives_the_same_text_and_another_one_another(step: BuildStep, tmp_path: Path) -> None:
    first = write_sbom(step).read_text()
    sbom_file(step).unlink()
    assert write_sbom(step).read_text() == first
    docker_archive(step.archive, LAYERS[:2])
    assert bill_of(step)["serialNumber"] != json.loads(first)["serialNumber"]


def test_it_lies_beside_the_archive_and_goes_with_it(step: BuildStep) -> None:
    older = replace(step, archive=step.archive.with_name("python-1.0-1-0123456789ab.tar"))
    docker_archive(older.archive, LAYERS)
    written = write_sbom(older)
    assert written == older.archive.parent / "python-1.0-1-0123456789ab.cdx.json"
    kept = write_sbom(step)
    assert prune([plan_of(step.archive.parents[1])]) == [older.archive]
    assert (written.exists(), kept.exists()) == (False, True)


def test_what_is_not_built_or_no_image_is_said(step: BuildStep) -> None:
    step.archive.write_bytes(b"no archive")
    with pytest.raises(ToolError, match="can't be read as an image"):
        bill_of(step)
    step.archive.unlink()
    with pytest.raises(ToolError, match="not built yet: python; run 'aistack images build python' first"):
        write_sbom(step)
