"""AIComponents come, change, wait and go, and stacks with them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from aistack.api.group import FINALIZER
from tests.integration.pieces.world import NAMESPACE, SOON, SYSTEM, World
from tests.journey.kube import eventually
from tests.registry import says

pytestmark = pytest.mark.integration


def test_a_piece_is_used_without_a_restart_and_nobody_else_notices(world: World) -> None:
    world.stack("before", "db", proofs={"every": "off"})
    world.runs("before-db")
    eventually(lambda: world.stack_status("before").get("observedGeneration") == 1, SOON)
    time.sleep(1)
    before = world.kube.json("-n", NAMESPACE, "get", "aistack", "before")["metadata"]["resourceVersion"]

    world.install("mine", world.push(world.folder("hello")))
    print(f"usable after {world.ready('mine'):.1f} s")
    status = world.piece("mine")["status"]
    told = {"about": "Counts visitors in a database of its own.", "provides": [], "requires": [], "tier": ""}
    assert status["components"] == [{"name": "hello", "version": "1.0", **told}]
    assert status["message"] == "stacks can use components/hello"

    world.stack("demo", "hello")
    assert world.runs("demo-hello")["spec"]["template"]["spec"]["containers"][0]["name"] == "hello"
    eventually(lambda: world.piece("mine")["status"].get("usedBy") == [f"{NAMESPACE}/demo"], SOON)
    after = world.kube.json("-n", NAMESPACE, "get", "aistack", "before")["metadata"]["resourceVersion"]
    assert after == before, "the other stack wasn't touched"

    world.kube.run("delete", "aicomponent", "mine", "--wait=false")
    eventually(lambda: world.said("mine")[1] == "InUse", SOON)
    assert f"can't go while it is used by {NAMESPACE}/demo: take what it brings out of them" in world.said("mine")[2]
    assert world.said("mine", "Stalled")[0] == "True"
    assert FINALIZER in world.piece("mine")["metadata"]["finalizers"]
    world.end("demo")
    eventually(lambda: "mine" not in world.kube.run("get", "aicomponents", "-o", "name"), SOON)

    world.stack("late", "hello")
    world.tells("late", "no component is named 'hello'")
    world.end("late", "before")


def test_a_stack_that_was_there_first_gets_what_it_asks_for_once_it_comes(world: World) -> None:
    world.stack("early", "soon")
    world.tells("early", "no component is named 'soon'")
    world.install("soon", world.push(world.folder("soon")))
    world.runs("early-soon")
    world.end("early")
    world.remove("soon")


def test_a_new_artifact_reaches_its_stacks_and_a_bad_one_leaves_the_former(world: World) -> None:
    world.install("moving", world.push(world.folder("moving")))
    world.stack("demo", "moving")
    assert greeting(world.runs("demo-moving")) == "hello"
    good = world.push(world.folder("moving", **{'"default": "hello"': '"default": "bonjour"'}))
    world.install("moving", good)
    eventually(lambda: greeting(world.runs("demo-moving")) == "bonjour", SOON)

    world.install("moving", world.push(world.folder("moving", **{"kind: Service": "kind: Endpoints"})))
    told = world.refused("moving", "makes a Endpoints", "InvalidArtifact")
    assert told.endswith(f"until then {good} stays in use")
    world.install("moving", world.push(world.folder("other")))
    world.refused("moving", f"no longer brings components/moving, which {NAMESPACE}/demo use", "InvalidSpec")
    assert greeting(world.runs("demo-moving")) == "bonjour"
    assert "hello" not in world.stack_status("demo")["message"]

    world.install("moving", good)
    world.ready("moving")
    world.end("demo")
    world.remove("moving")


def greeting(deployment: Mapping[str, Any]) -> str:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return next(str(e["value"]) for e in container["env"] if e["name"] == "GREETING")


def test_a_restart_needs_no_registry(world: World) -> None:
    use(world, "kept")
    with away(world, "kept"):
        world.operator.stop()
        world.kube.run("-n", NAMESPACE, "delete", "deployment", "demo-kept")
        world.start()
        world.runs("demo-kept")
        assert "AIComponent" not in world.stack_status("demo")["message"]
        assert world.said("kept")[0] == "True"
        assert not [line for line in world.registry.asked if "kept" in line]
    world.end("demo")
    world.remove("kept")


def test_a_stack_waits_for_a_piece_that_is_lost_and_keeps_what_runs(world: World) -> None:
    use(world, "lost")
    with away(world, "lost"):
        world.operator.stop()
        world.kube.run("-n", SYSTEM, "delete", "configmap", "piece.lost")
        world.start()
        world.kube.run("-n", NAMESPACE, "annotate", "aistack", "demo", "x=y")
        world.tells("demo", "components/lost can't be used yet: the AIComponent lost: ")
        world.runs("demo-lost")
    eventually(lambda: world.said("lost")[0] == "True", 60)
    eventually(lambda: "can't be used" not in world.stack_status("demo")["message"], SOON)
    world.end("demo")
    world.remove("lost")


def use(world: World, name: str) -> None:
    """Install a component and have a stack run it."""
    world.install(name, world.push(world.folder(name), name))
    world.ready(name)
    world.stack("demo", name)
    world.runs(f"demo-{name}")


@contextmanager
def away(world: World, name: str) -> Iterator[None]:
    """Have the registry fail for some repository."""
    world.registry.asked.clear()
    lies = {ending: world.registry.lies.get(ending) for ending in world.registry.manifests}
    answer = says(b"", 500)
    world.registry.lies |= {f"{name}/manifests/{digest}": answer for digest in lies if digest.startswith("sha256:")}
    try:
        yield
    finally:
        world.registry.lies.clear()
