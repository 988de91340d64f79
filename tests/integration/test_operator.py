"""The operator's process on a real API server: what ends kopf doesn't end it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from aistack.api.crd import DEFINITIONS, STACKS, crd_manifest
from aistack.api.group import API_VERSION
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports
from tests.cluster.controlplane import ControlPlane
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NAMESPACE = "operator"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane of its own, as these tests take away what others need."""
    with ControlPlane(tmp_path / "plane") as plane:
        yield plane


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    kube = Kube(plane.kubectl, plane.kubeconfig)
    kube.run("create", "namespace", NAMESPACE)
    return kube


@pytest.fixture
def daemon(request: pytest.FixtureRequest, kube: Kube, tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon("operator", tmp_path)
    start_operator(daemon, kube.kubeconfig, *getattr(request, "param", ()))
    try:
        yield daemon
    finally:
        daemon.stop()


@pytest.mark.parametrize(
    "daemon",
    [pytest.param((), id="everywhere"), pytest.param((f"--watch={NAMESPACE}",), id="one-namespace")],
    indirect=True,
)
def test_the_definition_may_come_late_and_be_made_anew(kube: Kube, daemon: Daemon) -> None:
    for name in ("first", "second"):
        kube.define(ROOT / "crds")
        _make(kube, name)
        eventually(lambda name=name: _seen(kube, name), seconds=90)
        kube.run("delete", "crd", STACKS.name, "--timeout=60s")

    assert daemon.alive


def test_definitions_that_are_missing_or_old_are_told_and_what_can_be_served_is(kube: Kube, tmp_path: Path) -> None:
    late = Daemon("operator", tmp_path)
    start_operator(late, kube.kubeconfig)
    assert "the cluster doesn't know AIStack, AIBinding, AIComponent; aistack crd | kubectl apply" in log_of(late)
    late.stop()

    for definition in DEFINITIONS:
        manifest = crd_manifest(definition)
        schema = manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        for part, field in (("spec", "expose"), ("status", "operator")):
            schema[part]["properties"].pop(field, None)
        kube.apply(manifest)
    _make(kube, "first")
    start_operator(late, kube.kubeconfig)
    try:
        told = "the definitions are older than this program: spec.expose, spec.expose.tls, status.operator is missing"
        assert told in log_of(late)
        eventually(lambda: _seen(kube, "first"), seconds=30)
    finally:
        late.stop()


DEPTHS = (101, 900, 3000, 9000)
"""The first one too deep, what kopf's decoder fails on, and what is near the limits of Python and the API server."""


def test_stacks_that_are_nested_as_deep_as_can_be_are_refused_and_hide_no_other(kube: Kube, tmp_path: Path) -> None:
    kube.define(ROOT / "crds")
    daemon = Daemon("operator", tmp_path)
    try:
        for depth in DEPTHS:
            kube.run("create", "--validate=ignore", "-f", "-", stdin=nested(depth))
        start_operator(daemon, kube.kubeconfig)
        _make(kube, "first")
        eventually(lambda: _seen(kube, "first"), seconds=30)
        _make(kube, "second")
        eventually(lambda: _seen(kube, "second"), seconds=30)
        told = "-o=jsonpath={.status.message}"
        for depth in DEPTHS:
            name = f"deep-{depth}"
            eventually(
                lambda name=name: "nested deeper" in kube.run("-n", NAMESPACE, "get", "aistack", name, told), seconds=30
            )
    finally:
        daemon.stop()
        print(log_of(daemon)[-3000:])


def nested(depth: int) -> str:
    """A stack with a value so many levels deep."""
    spec = {"components": [{"name": "postgres", "values": {"a": 0}}]}
    metadata = {"name": f"deep-{depth}", "namespace": NAMESPACE}
    stack = {"apiVersion": API_VERSION, "kind": STACKS.kind, "metadata": metadata, "spec": spec}
    return json.dumps(stack).replace('"a": 0', '"a": ' + '{"a": ' * depth + "1" + "}" * depth)


def test_a_second_operator_leaves_stacks_to_the_first_until_it_is_told_to_take_over(kube: Kube, tmp_path: Path) -> None:
    kube.define(ROOT / "crds")
    first, second = (Daemon(f"operator-{name}", tmp_path) for name in ("one", "two"))
    for name in ("one", "two"):
        kube.run("create", "namespace", name)
    try:
        start_operator(first, kube.kubeconfig, "--namespace=one")
        _make(kube, "demo")
        eventually(lambda: _seen(kube, "demo"), seconds=30)
        start_operator(second, kube.kubeconfig, "--namespace=two")
        eventually(lambda: "ServedByAnother" in kube.run("-n", NAMESPACE, "get", "events"), seconds=30)
        assert log_of(second).count("the one in namespace one serves it") == 1
        assert served_by(kube) == "one"
        assert inventories(kube, "two") == []

        first.stop()
        _touch(kube)
        time.sleep(3)
        assert not _seen(kube, "demo"), "it must not be touched before somebody says that the first one is gone"
        second.stop()
        start_operator(second, kube.kubeconfig, "--namespace=two", "--take-over=one")
        eventually(lambda: _seen(kube, "demo"), seconds=30)
        assert served_by(kube) == "two"
        assert inventories(kube, "two") != []
    finally:
        first.stop()
        second.stop()


def test_of_two_that_start_together_one_serves(kube: Kube, tmp_path: Path) -> None:
    kube.define(ROOT / "crds")
    both = {name: Daemon(f"operator-{name}", tmp_path) for name in ("one", "two")}
    for name in both:
        kube.run("create", "namespace", name)
    try:
        for name, daemon in both.items():
            start_operator(daemon, kube.kubeconfig, f"--namespace={name}")
        for stack in ("a", "b", "c", "d"):
            _make(kube, stack)
        eventually(lambda: all(_seen(kube, stack) for stack in "abcd"), seconds=60)
        kept = {stack: [n for n in both if f"{NAMESPACE}.{stack}" in inventories(kube, n)] for stack in "abcd"}
        assert kept == {stack: [served_by(kube, stack)] for stack in "abcd"}
    finally:
        for daemon in both.values():
            daemon.stop()


def log_of(daemon: Daemon) -> str:
    return daemon.log.read_text()


def served_by(kube: Kube, stack: str = "demo") -> str:
    return str(kube.json("-n", NAMESPACE, "get", "aistack", stack)["status"]["operator"])


def inventories(kube: Kube, namespace: str) -> list[str]:
    """The stacks that an operator keeps an inventory of."""
    found = kube.json("-n", namespace, "get", "configmaps", "-l", "aistack.dev/stack-inventory")["items"]
    return [item["metadata"]["name"].removeprefix("inventory.") for item in found]


def _touch(kube: Kube) -> None:
    kube.run("-n", NAMESPACE, "patch", "aistack", "demo", "--type=merge", "-p", '{"spec": {"size": "medium"}}')


def test_a_crashed_api_server_is_waited_for(plane: ControlPlane, kube: Kube, daemon: Daemon) -> None:
    kube.run("apply", "--server-side", "-f", str(ROOT / "crds"))
    _make(kube, "first")
    eventually(lambda: kube.run("-n", NAMESPACE, "get", "service", "first-postgres"), seconds=30)

    plane.restart_apiserver(grace=0)
    eventually(lambda: kube.run("-n", NAMESPACE, "delete", "service", "first-postgres"), seconds=30)
    eventually(lambda: kube.run("-n", NAMESPACE, "get", "service", "first-postgres"), seconds=60)
    _make(kube, "second")
    eventually(lambda: _seen(kube, "second"), seconds=60)

    assert daemon.alive


def test_probes_tell_a_cluster_that_is_away_from_a_process_that_is_ill(
    plane: ControlPlane, kube: Kube, tmp_path: Path
) -> None:
    kube.define(ROOT / "crds")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    daemon = Daemon("probed", tmp_path)
    start_operator(daemon, kube.kubeconfig, f"--listen={address}")
    try:
        eventually(lambda: ask(address, "readyz") == (200, "ok\n"), seconds=30)
        _make(kube, "first")
        eventually(lambda: _seen(kube, "first"), seconds=30)
        _, metrics = ask(address, "metrics")
        assert "aistack_leader 1.0" in metrics
        assert re.search(r'aistack_api_calls_total\{code="201",kind="Service",verb="apply"\} [1-9]', metrics)
        assert re.search(r'aistack_object_changes_total\{kind="Service",verb="created"\} [1-9]', metrics)
        assert f'aistack_stack_ready{{namespace="{NAMESPACE}",stack="first"}} 0.0' in metrics

        os.kill(plane.pids["kube-apiserver"], signal.SIGSTOP)
        try:
            eventually(lambda: ask(address, "readyz")[0] == 503, seconds=30)
            assert ask(address, "healthz") == (200, "ok\n"), "starting it anew would mend nothing"
            eventually(lambda: "aistack_leader 0.0" in ask(address, "metrics")[1], seconds=30)
        finally:
            os.kill(plane.pids["kube-apiserver"], signal.SIGCONT)
        eventually(lambda: ask(address, "readyz") == (200, "ok\n"), seconds=60)
        kube.run("-n", NAMESPACE, "delete", "service", "first-postgres")
        repaired = 'aistack_object_changes_total{kind="Service",verb="repaired"} 1.0'
        eventually(lambda: repaired in ask(address, "metrics")[1], seconds=30)
    finally:
        daemon.stop()


def test_a_namespace_that_goes_takes_its_stacks_along_and_no_others(kube: Kube, daemon: Daemon) -> None:
    kube.define(ROOT / "crds")
    kube.run("create", "namespace", "stays")
    for namespace in ("stays", NAMESPACE):
        _make(kube, "first", namespace)
        eventually(lambda namespace=namespace: _seen(kube, "first", namespace), seconds=30)

    kube.run("delete", "namespace", NAMESPACE, "--timeout=90s")
    assert inventories(kube, "aistack-system") == ["stays.first"]
    kube.run("-n", "stays", "delete", "service", "first-postgres")
    eventually(lambda: kube.run("-n", "stays", "get", "service", "first-postgres"), seconds=30)

    kube.run("create", "namespace", NAMESPACE)
    _make(kube, "first")
    eventually(lambda: _seen(kube, "first"), seconds=30)
    assert daemon.alive


def ask(address: str, what: str) -> tuple[int, str]:
    """What the operator answers, as a probe and as Prometheus ask."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}/{what}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def _make(kube: Kube, name: str, namespace: str = NAMESPACE) -> None:
    stack = {
        "apiVersion": "aistack.dev/v1alpha1",
        "kind": "AIStack",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"components": [{"name": "postgres"}], "deletionPolicy": "Delete"},
    }
    eventually(lambda: kube.run("create", "-f", "-", stdin=json.dumps(stack)), seconds=10)


def _seen(kube: Kube, name: str, namespace: str = NAMESPACE) -> bool:
    live = kube.json("-n", namespace, "get", "aistack", name)
    return live.get("status", {}).get("observedGeneration") == live["metadata"]["generation"]
