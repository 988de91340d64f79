"""What can't be used is refused with cause and remedy, and all else stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from aistack.api.group import API_VERSION
from aistack.objects.artifact import FOLDER, PIECE, digest_of, parse_reference
from aistack.pieces.artifact import to_artifact
from aistack.sources.oci import Artifact, Blob
from tests.integration.pieces.world import KINDS, SOON, SYSTEM, World, with_template
from tests.journey.kube import KubeError, eventually
from tests.registry import says, silent
from tests.toy import TOY
from tests.unit.sources.test_archive import entry, packed

pytestmark = pytest.mark.integration


def spoilt(world: World, spoil: str) -> str:
    """Push something that can't be used, and return its reference."""
    good = to_artifact(world.folder("hostile")).layers[0]
    match spoil:
        case "parent":
            return world.push(Artifact(PIECE, (Blob(FOLDER, packed(entry("components/../../x"))),)))
        case "link":
            link = entry("components", kind=b"2", link="/etc")
            return world.push(Artifact(PIECE, (Blob(FOLDER, packed(link)),)))
        case "bomb":
            return world.push(Artifact(PIECE, (Blob(FOLDER, packed(entry("components/x", bytes(64 * 2**20)))),)))
        case "an image":
            return world.push(Artifact("application/vnd.oci.image.config.v1+json", (good,)))
        case "two gigabytes":
            manifest = json.loads(Artifact(PIECE, (good,)).manifest())
            manifest["layers"][0]["size"] = 2 * 2**30
            raw = json.dumps(manifest).encode()
            world.registry.manifests[digest_of(raw)] = raw
            return world.registry.reference(f"piece@{digest_of(raw)}")
        case "another manifest":
            reference = world.push(Artifact(PIECE, (good,), annotations={"a": "b"}))
            world.registry.lies[f"piece/manifests/{parse_reference(reference).digest}"] = says(b"{}")
            return reference
        case _:
            return world.registry.reference(f"gone@sha256:{'1' * 64}")


REFUSED = {
    "parent": ("which leads out of the folder", "InvalidArtifact", "Stalled"),
    "link": ("which is a symbolic link", "InvalidArtifact", "Stalled"),
    "bomb": ("unpacks to more than 4194304 bytes", "InvalidArtifact", "Stalled"),
    "an image": ("not application/vnd.aistack.piece.v1; name one that", "InvalidArtifact", "Stalled"),
    "two gigabytes": ("bytes, 716800 are allowed; leave out", "InvalidArtifact", "Stalled"),
    "another manifest": ("the registry sent another manifest", "InvalidArtifact", "Stalled"),
    "nothing": ("the registry answers 404", "Waiting", "Reconciling"),
}


@pytest.mark.parametrize("spoil", REFUSED)
def test_what_cannot_be_trusted_is_refused_with_cause_and_remedy(world: World, spoil: str) -> None:
    told, reason, condition = REFUSED[spoil]
    world.install("hostile", spoilt(world, spoil))
    assert "; " in world.refused("hostile", told, reason, condition)

    status = world.piece("hostile")["status"]
    assert not status.get("components"), "nothing of it is there"
    assert "piece.hostile" not in world.kube.run("-n", SYSTEM, "get", "configmaps", "-o", "name")
    assert world.operator.alive
    world.registry.lies.clear()
    world.remove("hostile")


def test_a_registry_that_says_nothing_holds_up_nobody(world: World) -> None:
    slow = world.push(world.folder("slow"), "slow")
    world.registry.lies[f"slow/manifests/{parse_reference(slow).digest}"] = silent
    world.install("slow", slow)
    world.install("quick", world.push(world.folder("quick")))
    assert world.ready("quick") < SOON
    world.refused("slow", "the registry took longer than 20 s", "Waiting", "Reconciling", seconds=40)

    world.registry.lies.clear()
    eventually(lambda: world.said("slow")[0] == "True", 30)
    world.remove("slow", "quick")


def test_of_two_of_one_name_the_first_stays_and_the_second_comes_when_it_goes(world: World) -> None:
    world.install("one", world.push(world.folder("twin")))
    world.ready("one")
    world.install("two", world.push(world.folder("twin", **{"title: Hello": "title: Twin"})))
    world.refused(
        "two", "components/twin is brought by the AIComponent one already; delete that one", "InvalidArtifact"
    )
    assert world.said("one")[0] == "True"

    world.remove("one")
    world.ready("two")
    world.remove("two")


def test_a_name_of_the_catalog_is_taken_only_where_it_is_said(world: World) -> None:
    web = world.push(world.folder("web"))
    world.install("web", web)
    world.refused("web", "components/web is in the catalog already; write spec.replaces", "InvalidArtifact")
    world.install("web", web, replaces=["components/web"])
    world.ready("web")
    world.stack("demo", "web")
    assert world.runs("demo-web")["spec"]["template"]["spec"]["containers"][0]["name"] == "hello"
    world.end("demo")
    world.remove("web")


def test_a_contract_comes_before_those_that_need_it_and_goes_after_them(world: World) -> None:
    world.install("user", world.push(world.folder("user", "seam")))
    world.refused("user", "there is no contract 'seam'", "InvalidArtifact")
    seam = world.scratch / "seam" / "contracts" / "seam"
    seam.mkdir(parents=True)
    for file in (TOY / "contracts" / "sql").iterdir():
        (seam / file.name).write_text(file.read_text().replace("name: sql", "name: seam"))
    provider = world.folder("source")
    component = provider / "components" / "source" / "component.yaml"
    described = yaml.safe_load(component.read_text())
    described["workloads"]["server"]["ports"] = {"http": {"port": 8080, "contract": "seam"}}
    described["provides"] = [
        {
            "contract": "seam",
            "workload": "server",
            "port": "http",
            "admin": {"database": "a", "username": "b", "password": {"generate": {"length": 32}}},
        }
    ]
    del described["pages"]
    component.write_text(yaml.safe_dump(described))
    (provider / "contracts").mkdir()
    seam.rename(provider / "contracts" / "seam")
    world.install("seam", world.push(provider))
    world.ready("seam")
    world.ready("user")

    world.kube.run("delete", "aicomponent", "seam", "--wait=false")
    eventually(lambda: "AIComponent user" in world.said("seam")[2], SOON)
    world.remove("user")
    eventually(lambda: "seam" not in world.kube.run("get", "aicomponents", "-o", "name"), SOON)


BUDGET = """---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ name() }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{ selector("server") }}
"""
BINDING = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ name() }}
"""


def test_kinds_beyond_the_declaration_and_beyond_the_operators_role_are_named(world: World) -> None:
    reference = world.push(with_template(world.folder("guarded"), "guarded", BUDGET))
    world.install("guarded", reference)
    told = "makes a policy/PodDisruptionBudget, and declared are Service, apps/Deployment; add it to spec.kinds"
    world.refused("guarded", told, "InvalidArtifact")

    world.install("guarded", reference, (*KINDS, "policy/PodDisruptionBudget"))
    told = world.refused(
        "guarded", "the operator may not create, delete, get, list, patch, watch", "Forbidden", "Reconciling"
    )
    assert "poddisruptionbudgets.policy" in told
    commands = [part.strip() for part in told.split("let it, if you trust it: ")[1].split(";")]
    for command in commands:
        world.kube.run(*command.removeprefix("kubectl ").split())
    eventually(lambda: world.said("guarded")[0] == "True", 40)
    world.stack("demo", "guarded")
    world.runs("demo-guarded", "poddisruptionbudget")
    world.end("demo")
    world.remove("guarded")


def test_cluster_scoped_kinds_are_refused_whatever_is_declared(world: World) -> None:
    folder = with_template(world.folder("admin"), "admin", BINDING)
    world.install("admin", world.push(folder), (*KINDS, "rbac.authorization.k8s.io/ClusterRoleBinding"))
    world.refused("admin", "makes a ClusterRoleBinding; a stack makes namespaced objects only", "InvalidArtifact")
    world.remove("admin")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"artifact": "r.test/hello:1.0"}, "is no artifact pinned by its digest; write host/path@sha256:..."),
        ({"artifact": f"r.test/../x@sha256:{'0' * 64}"}, "is no artifact pinned by its digest"),
        ({"kinds": ["deployments"]}, "is no kind; write Kind, or group/Kind without version"),
        ({"replaces": ["mlflow"]}, "is no part of the catalog; write components/NAME or contracts/NAME"),
        ({"plainHttp": True, "pullSecretRef": {"name": "x"}}, "would send the login in the clear"),
    ],
)
def test_the_definition_refuses_what_is_wrong_by_itself(world: World, spec: Mapping[str, Any], told: str) -> None:
    asked = {"artifact": f"r.test/hello@sha256:{'0' * 64}", **spec}
    manifest = {"apiVersion": API_VERSION, "kind": "AIComponent", "metadata": {"name": "wrong"}, "spec": asked}
    with pytest.raises(KubeError) as refused:
        world.kube.apply(manifest)
    assert told in str(refused.value)
