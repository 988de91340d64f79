"""Two replicas of the operator as processes on a real API server: one leads, and what becomes of it harms nothing.

The API server's audit log tells who wrote what: each replica logs in under a name of its own.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NAMESPACE, SYSTEM, LEASE = "team", "aistack-system", "aistack-operator"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(audit=True) as plane:
        yield plane


@pytest.fixture(scope="module")
def kube(plane: ControlPlane) -> Kube:
    kube = Kube(plane.kubectl, plane.kubeconfig)
    kube.define(ROOT / "crds")
    for namespace in (NAMESPACE, SYSTEM):
        kube.run("create", "namespace", namespace)
    return kube


@dataclass
class Replicas:
    """Some replicas by name, and what each of them did."""

    plane: ControlPlane
    kube: Kube
    folder: Path

    def __post_init__(self) -> None:
        self.daemons: dict[str, Daemon] = {}
        self.before = len(self.plane.audited())

    def start(self, name: str, *options: str) -> Daemon:
        """Start a replica under a name of its own."""
        daemon = self.daemons.setdefault(name, Daemon(f"operator-{name}", self.folder))
        start_operator(daemon, self.plane.kubeconfig_for(name, ["system:masters"]), f"--identity={name}", *options)
        return daemon

    def signal(self, name: str, sign: signal.Signals) -> None:
        """Send a signal to a replica."""
        pid = self.daemons[name].pid
        assert pid
        os.kill(pid, sign)

    def stop(self) -> None:
        """End them, those that were stopped too."""
        for name, daemon in self.daemons.items():
            if daemon.alive:
                self.signal(name, signal.SIGCONT)
            daemon.stop()

    @property
    def leader(self) -> str:
        """Who holds the Lease."""
        return str(self.kube.json("-n", SYSTEM, "get", "lease", LEASE)["spec"].get("holderIdentity", ""))

    def writes(self, leases: bool = False) -> list[dict[str, Any]]:
        """Return the writes of replicas so far that took effect, those of the Lease apart."""
        mine = [event for event in self.plane.audited()[self.before :] if event["user"]["username"] in self.daemons]
        done = [event for event in mine if event["verb"] in WRITES and event["responseStatus"]["code"] < 400]
        return [event for event in done if (event["objectRef"]["resource"] == "leases") is leases]

    def rest(self) -> bool:
        """Whether nothing was written for three seconds: what is under way has ended."""
        before = self.count()
        time.sleep(3)
        return before == self.count()

    def count(self) -> Counter[str]:
        """Return how many writes each replica made."""
        return Counter(event["user"]["username"] for event in self.writes())


@pytest.fixture
def replicas(plane: ControlPlane, kube: Kube, tmp_path: Path) -> Iterator[Replicas]:
    """Two of them, the first of which leads."""
    replicas = Replicas(plane, kube, tmp_path)
    try:
        replicas.start("one")
        eventually(lambda: replicas.leader == "one", seconds=20)
        replicas.start("two")
        yield replicas
    finally:
        kube.run("-n", NAMESPACE, "delete", "aistacks", "--all", "--wait=false")
        if any(daemon.alive for daemon in replicas.daemons.values()):
            for name in replicas.daemons:
                if replicas.daemons[name].alive:
                    replicas.signal(name, signal.SIGCONT)
            eventually(lambda: not kube.run("-n", NAMESPACE, "get", "aistacks", "-o", "name"), seconds=90)
        replicas.stop()


def test_one_works_and_the_other_takes_over_when_it_dies(replicas: Replicas) -> None:
    make(replicas.kube, "first")
    eventually(lambda: served(replicas.kube, "first"), seconds=30)
    eventually(replicas.rest, seconds=60)
    replicas.signal("one", signal.SIGKILL)
    died = time.monotonic()
    time.sleep(1)
    before = replicas.count()
    assert before["one"] > 0
    assert before["two"] == 0
    make(replicas.kube, "second")
    eventually(lambda: served(replicas.kube, "second"), seconds=30)
    took = time.monotonic() - died
    print(f"\na leader's sudden death: a new stack is served after {took:.1f} s")
    assert took <= 20
    assert replicas.leader == "two"
    assert replicas.count()["one"] == before["one"]
    touched = {event["objectRef"].get("name", "") for event in replicas.writes() if event["user"]["username"] == "two"}
    assert not {name for name in touched if name.startswith("first")}, "there was nothing to do for the first stack"
    one_at_a_time(replicas)


def test_who_stops_in_good_order_lets_the_other_in_at_once(replicas: Replicas) -> None:
    told = time.monotonic()
    replicas.signal("one", signal.SIGTERM)
    make(replicas.kube, "third")
    eventually(lambda: replicas.leader == "two", seconds=15, pause=0.05)
    took = time.monotonic() - told
    print(f"\nan orderly stop: the other one leads after {took:.1f} s")
    assert took <= 3
    eventually(lambda: served(replicas.kube, "third"), seconds=30)
    one_at_a_time(replicas)


def test_a_leader_that_was_paused_past_its_lease_writes_nothing(replicas: Replicas) -> None:
    for name in ("a", "b", "c"):
        make(replicas.kube, name)
    eventually(lambda: all(served(replicas.kube, name) for name in "abc"), seconds=60)
    replicas.signal("one", signal.SIGSTOP)
    for name in ("a", "b", "c"):  # what it will be told of as soon as it goes on
        replicas.kube.run("-n", NAMESPACE, "delete", "service", f"{name}-postgres")
    eventually(lambda: replicas.leader == "two", seconds=30)
    eventually(lambda: all(healed(replicas.kube, name) for name in "abc"), seconds=30)
    for name in ("a", "b", "c"):
        replicas.kube.run("-n", NAMESPACE, "delete", "service", f"{name}-postgres")

    before = replicas.count()["one"]
    replicas.signal("one", signal.SIGCONT)
    eventually(lambda: "leads no longer" in replicas.daemons["one"].log.read_text(), seconds=15)
    eventually(lambda: all(healed(replicas.kube, name) for name in "abc"), seconds=30)
    time.sleep(5)
    assert replicas.count()["one"] == before
    assert replicas.leader == "two"
    one_at_a_time(replicas)

    replicas.signal("two", signal.SIGTERM)
    replicas.kube.run("-n", NAMESPACE, "patch", "aistack", "a", "--type=merge", "-p", '{"spec": {"size": "medium"}}')
    eventually(lambda: served(replicas.kube, "a") and replicas.leader == "one", seconds=20)
    assert replicas.daemons["one"].alive, "the same process leads again"
    assert "unexpected" not in replicas.daemons["one"].log.read_text()


def test_a_leader_that_is_paused_in_the_midst_of_its_work(replicas: Replicas) -> None:
    names = [f"busy-{number}" for number in range(12)]
    for name in names:
        make(replicas.kube, name)
    eventually(lambda: replicas.count()["one"] > 30, seconds=30, pause=0.02)
    replicas.signal("one", signal.SIGSTOP)
    eventually(lambda: replicas.leader == "two", seconds=30)
    eventually(lambda: all(served(replicas.kube, name) for name in names), seconds=60)
    before = len([e for e in replicas.writes() if e["user"]["username"] == "one"])
    replicas.signal("one", signal.SIGCONT)
    eventually(lambda: "leads no longer" in replicas.daemons["one"].log.read_text(), seconds=15)
    time.sleep(5)
    late = [e for e in replicas.writes() if e["user"]["username"] == "one"][before:]
    touched = Counter((e["objectRef"]["resource"], e["objectRef"].get("name")) for e in late)
    print(f"\npaused in its work: {len(late)} writes that were under way took effect later")
    assert all(number == 1 for number in touched.values()), touched
    owners = {name: uids(replicas.kube, name) for name in names}
    time.sleep(3)
    assert {name: uids(replicas.kube, name) for name in names} == owners, "the leader has nothing to mend"


def test_one_that_would_serve_other_namespaces_says_so(replicas: Replicas) -> None:
    other = replicas.start("three", f"--watch={NAMESPACE}")
    assert "leads here and serves all namespaces; this one would serve team" in other.log.read_text()


def make(kube: Kube, name: str) -> None:
    stack = {
        "apiVersion": "aistack.dev/v1alpha1",
        "kind": "AIStack",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"components": [{"name": "postgres"}], "deletionPolicy": "Delete"},
    }
    kube.run("create", "-f", "-", stdin=json.dumps(stack))


def served(kube: Kube, name: str) -> bool:
    live = kube.json("-n", NAMESPACE, "get", "aistack", name)
    return live.get("status", {}).get("observedGeneration") == live["metadata"]["generation"]


def healed(kube: Kube, name: str) -> bool:
    return bool(kube.run("-n", NAMESPACE, "get", "service", f"{name}-postgres", "--ignore-not-found"))


def uids(kube: Kube, stack: str) -> set[str]:
    kinds = "deployments,services,secrets,configmaps,jobs,networkpolicies"
    found = kube.json("-n", NAMESPACE, "get", kinds, "-l", f"aistack.dev/stack={stack}")["items"]
    return {f"{item['kind']}/{item['metadata']['name']} {item['metadata']['uid']}" for item in found}


def one_at_a_time(replicas: Replicas) -> None:
    """Look whether replicas ever wrote by turns: once the next one has begun, the former one is over."""
    writers = [event["user"]["username"] for event in sorted(replicas.writes(), key=lambda e: e["stageTimestamp"])]
    turns = [name for number, name in enumerate(writers) if number == 0 or writers[number - 1] != name]
    assert len(turns) <= 2, turns
