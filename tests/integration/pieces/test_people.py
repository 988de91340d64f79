"""AIComponents by the command line, and from a registry as others run it."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from aistack.objects.artifact import parse_reference
from aistack.pieces.artifact import to_artifact
from aistack.sources.credentials import Login, Logins
from aistack.sources.oci import push
from aistack.sources.registry import Access
from tests import oci
from tests.integration.pieces.world import SYSTEM, World, with_template
from tests.journey.kube import eventually
from tests.toy import TOY

pytestmark = pytest.mark.integration

CONFIG = """---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name() }}
"""


def aistack(world: World, *words: str) -> str:
    """Run the command line as an administrator, and expect success."""
    command = [sys.executable, "-m", "aistack.cli", *words, "--catalog", str(TOY)]
    options = ["--kubeconfig", str(world.kube.kubeconfig)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_component_is_pushed_installed_and_listed_with_its_source(world: World) -> None:
    folder = with_template(world.folder("typed"), "typed", CONFIG)
    tag = world.registry.reference("typed:1.0")
    pinned = aistack(world, "component", "push", str(folder / "components" / "typed"), tag).strip()
    assert pinned.startswith(f"{tag}@sha256:")

    installed = aistack(world, "component", "install", "typed", tag)
    assert installed == "typed: stacks can use components/typed\n"
    spec = world.piece("typed")["spec"]
    assert spec["artifact"] == pinned
    assert spec["kinds"] == ["ConfigMap", "Service", "apps/Deployment"]
    listed = aistack(world, "catalog", "--cluster")
    row = next(line for line in listed.splitlines() if line.startswith("typed"))
    assert "AIComponent typed" in row
    shown = json.loads(aistack(world, "catalog", "--cluster", "-o", "json"))["brought"]["typed"]
    assert (shown["aicomponent"], shown["artifact"], shown["replaces"]) == ("typed", pinned, False)
    assert f"source     {pinned}" in aistack(world, "catalog", "show", "typed", "--cluster")
    world.remove("typed")


def test_a_registry_with_a_login_and_a_private_authority(world: World, tmp_path: Path) -> None:
    with oci.registry(tmp_path, closed=True) as registry:
        reference = parse_reference(registry.reference("team/private:1.0"))
        access = Access(Logins({registry.host: Login(oci.USER, oci.PASSWORD)}), registry.authority)
        artifact = str(reference.pinned(asyncio.run(push(reference, to_artifact(world.folder("private")), access))))

        world.install("private", artifact, pullSecretRef={"name": "registry"})
        world.refused(
            "private", f"there is no Secret 'registry' in namespace {SYSTEM}; make it", "Waiting", "Reconciling"
        )
        secret(world, {"ca.crt": registry.authority})
        world.refused("private", "the registry answers 401", "Waiting", "Reconciling", seconds=40)
        auths = {"auths": {registry.host: {"username": oci.USER, "password": oci.PASSWORD}}}
        secret(world, {"ca.crt": registry.authority, ".dockerconfigjson": json.dumps(auths)})
        eventually(lambda: world.said("private")[0] == "True", 60)
    world.stack("demo", "private")
    world.runs("demo-private")
    world.end("demo")
    world.remove("private")


def secret(world: World, data: Mapping[str, str]) -> None:
    """Write the Secret that opens the registry."""
    metadata = {"name": "registry", "namespace": SYSTEM}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    world.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})
