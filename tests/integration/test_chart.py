"""The chart on a real API server: helm renders, checks and installs it; the operator runs with the release's rights.

No pod runs without nodes, so the operator is a process here, logged in as the release's ServiceAccount, and hooks are
left out of helm's way and their programs called in the same manner.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aistack.api.crd import DEFINITIONS
from tests.chart.dashboard import dashboard
from tests.chart.generated import BASE, CHART
from tests.chart.helm import Helm
from tests.chart.kustomize import FILE, operator_yaml
from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports
from tests.cluster.common.shell import run
from tests.cluster.controlplane import ControlPlane
from tests.journey.kube import Kube, KubeError, eventually
from tests.journey.operator import start_operator

pytestmark = pytest.mark.integration

PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
SYSTEM, NAMESPACE, ACCOUNT = "aistack-system", "team", "aistack-aistack-operator"
FULL: dict[str, Any] = {
    "images": {"registry": "localhost:5000/ai/", "tag": "1"},
    "imagePullSecrets": [{"name": "login"}],
    "watchNamespaces": [NAMESPACE, "other"],
    "takeOver": ["former"],
    "priorityClassName": "high",
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "podLabels": {"team": "platform"},
    "podAnnotations": {"example.com/note": "text"},
    "proxy": {"https": "http://proxy.example.com:3128", "direct": "10.0.0.0/8"},
    "ca": {"secret": "corporate"},
    "networkPolicy": {"apiServer": {"cidrs": ["10.0.0.1/32"]}, "egress": [{"ports": [{"port": 3128}]}]},
    "replicas": 2,
    "metrics": {
        "scrapers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "dashboard": {"enabled": True},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "flowControl": {"enabled": True},
}
VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "everything": FULL,
    "tenants": {"defaultServiceAccount": "aistack", "allowedServiceAccounts": ["team"]},
    "by others": {
        "serviceAccount": {"create": False, "name": "given"},
        "rbac": {"create": False},
        "crds": {"install": False},
        "networkPolicy": {"enabled": False},
        "uninstall": {"force": True},
        "ca": {"configMap": "corporate"},
        "logFormat": "text",
    },
}
BAD = {
    "a scheme": ("images.registry=https://x.example.com", "images.registry.*has a scheme; write host and path"),
    "no text": ("images.registry=5", "'/images/registry': got number, want string"),
    "unknown": ("image.tag=1", "additional properties 'image' not allowed"),
    "misspelt": ("images.regstry=x", "'/images': additional properties 'regstry' not allowed"),
    "one of": ("logFormat=xml", "'/logFormat': value must be one of 'json', 'text'"),
    "a namespace": ("watchNamespaces={Team_A}", "'/watchNamespaces/0': 'Team_A' does not match"),
    "an account elsewhere": (
        "defaultServiceAccount=other/boss",
        "'/defaultServiceAccount': 'other/boss' does not match",
    ),
    "no replica": ("replicas=0", "'/replicas': minimum: got 0, want 1"),
    "an interval": (
        "metrics.serviceMonitor.interval=often",
        "'/metrics/serviceMonitor/interval': 'often' does not match",
    ),
    "accounts": ("allowedServiceAccounts={system:admin}", "'/allowedServiceAccounts/0': 'system:admin' does not match"),
    "a port": ("networkPolicy.apiServer.ports={0}", "'/networkPolicy/apiServer/ports/0'"),
    "two authorities": ("ca.secret=a,ca.configMap=b", "ca.configMap and ca.secret are both set; write one of them"),
    "no account": ("serviceAccount.create=false", "serviceAccount.name: write the name of the ServiceAccount"),
}


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every object of the chart, hooks and tests too."""
    text = Helm().must("template", "aistack", CHART, "--namespace", SYSTEM, values=values)
    return [document for document in yaml.safe_load_all(text) if document]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_lint_finds_nothing(values: dict[str, Any]) -> None:
    Helm().must("lint", "--strict", CHART, values=values)


@pytest.mark.parametrize(("value", "says"), BAD.values(), ids=BAD)
def test_a_bad_value_is_refused_by_its_name(value: str, says: str) -> None:
    done = Helm().run("template", "aistack", CHART, "--set", value)
    assert done.returncode != 0
    assert re.search(says, done.stderr), done.stderr


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of its own: a release owns the definitions, which all tests of another one share."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="module")
def kube(plane: ControlPlane) -> Kube:
    """The cluster, with namespaces that take restricted pods alone."""
    kube = Kube(plane.kubectl, plane.kubeconfig)
    for name in (SYSTEM, NAMESPACE, "other"):
        kube.run("create", "namespace", name)
        kube.run("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    kube.run("create", "-f", str(service_monitors()))
    kube.apply(
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 9}
    )
    return kube


def service_monitors() -> Path:
    """The Prometheus operator's definition of ServiceMonitor, from its Go module."""
    found = run([find_go(), "mod", "download", "-json", PROMETHEUS_OPERATOR], env={**ENV, "GOFLAGS": ""})
    folder = Path(json.loads(found)["Dir"]) / "example" / "prometheus-operator-crd"
    return folder / "monitoring.coreos.com_servicemonitors.yaml"


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_api_server_accepts_every_object(kube: Kube, values: dict[str, Any]) -> None:
    for document in render(values):
        for manifest in pod_of(document) or [document]:
            kube.run("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(manifest))


def test_the_kustomize_base_is_the_chart(kube: Kube) -> None:
    assert FILE.read_text() == operator_yaml(), "write it again: .venv/bin/python -m tests.chart.kustomize"
    built = list(yaml.safe_load_all(kube.run("kustomize", str(BASE))))
    kinds = [document["kind"] for document in built]
    assert kinds.count("CustomResourceDefinition") == len(DEFINITIONS)
    assert {"Namespace", "ClusterRole", "Deployment", "NetworkPolicy"} <= set(kinds)
    for document in (d for d in built if d["kind"] != "Namespace"):
        for manifest in pod_of(document) or [document]:
            kube.run("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(manifest))


@pytest.mark.parametrize("served", [[], [NAMESPACE]], ids=["everywhere", "one namespace"])
@pytest.mark.parametrize(
    ("values", "names"), [({}, []), (VALUES["tenants"], [["aistack", "team"]])], ids=["no accounts", "accounts"]
)
def test_it_may_act_as_the_accounts_that_are_named_and_no_others(
    served: list[str], values: dict[str, Any], names: list[list[str]]
) -> None:
    roles = [d for d in render({**values, "watchNamespaces": served}) if d["kind"] in ("Role", "ClusterRole")]
    acting = [r for role in roles for r in role.get("rules") or () if "impersonate" in r["verbs"]]
    assert [rule["resourceNames"] for rule in acting] == names
    assert all((rule["resources"], rule["verbs"]) == (["serviceaccounts"], ["impersonate"]) for rule in acting)
    kind = "Role" if served else "ClusterRole"
    assert [role["kind"] for role in roles if role["metadata"]["name"] == "aistack-stack"] == [kind]


def one(values: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the only object of a kind."""
    (found,) = [document for document in render(values) if document["kind"] == kind]
    return found


def test_replicas_are_spread_and_not_drained_together() -> None:
    single = {document["kind"] for document in render({})}
    assert "PodDisruptionBudget" not in single, "of one pod, it could only keep nodes from being drained"
    assert "topologySpreadConstraints" not in one({}, "Deployment")["spec"]["template"]["spec"]
    deployment, budget = (one({"replicas": 2}, kind) for kind in ("Deployment", "PodDisruptionBudget"))
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    for selector in (spread["labelSelector"], budget["spec"]["selector"]):
        assert selector["matchLabels"].items() <= labels
    given = FULL["topologySpreadConstraints"]
    assert one(FULL, "Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"] == given


def test_scrapers_alone_may_connect_and_find_each_replica() -> None:
    assert one({}, "NetworkPolicy")["spec"]["ingress"] == []
    (rule,) = one(FULL, "NetworkPolicy")["spec"]["ingress"]
    assert rule == {"from": FULL["metrics"]["scrapers"], "ports": [{"port": 8080, "protocol": "TCP"}]}
    service, pod = one(FULL, "Service"), one(FULL, "Deployment")["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    (port,) = pod["spec"]["containers"][0]["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    monitor = one(FULL, "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    kinds = [document["kind"] for document in render({})]
    assert not {"ServiceMonitor", "ConfigMap", "FlowSchema", "PriorityLevelConfiguration"} & set(kinds), "only if asked"


def test_the_board_is_carried_whole() -> None:
    board = one({"metrics": {"dashboard": {"enabled": True}}}, "ConfigMap")
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(board["data"]["aistack-operator.json"]) == json.loads(dashboard())


def pod_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a workload and its pod: Pod Security is enforced on pods alone.

    The pod has no ServiceAccount, as a dry run makes none to be found.
    """
    pod = document if document["kind"] == "Pod" else document.get("spec", {}).get("template")
    if pod is None:
        return []
    spec = {key: value for key, value in pod["spec"].items() if key != "serviceAccountName"}
    metadata = {"name": "admitted", "namespace": SYSTEM, "labels": pod["metadata"]["labels"]}
    admitted = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, "restartPolicy": "Never"}}
    return [admitted] if document["kind"] == "Pod" else [document, admitted]


@pytest.fixture(params=[(), (NAMESPACE,)], ids=["everywhere", "one namespace"])
def served(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return tuple(request.param)


@pytest.fixture
def release(kube: Kube, served: tuple[str, ...]) -> Iterator[Helm]:
    """The chart as installed, upgraded once, and gone in the end but for the definitions."""
    helm_here = Helm(kube.kubeconfig)
    values: dict[str, Any] = {"watchNamespaces": list(served), "defaultServiceAccount": "aistack"}
    place = ("aistack", CHART, "--namespace", SYSTEM)
    told = helm_here.must("install", *place, values=values)
    assert f"serves {', '.join(served) or 'all namespaces'}." in told
    helm_here.must("upgrade", *place, values={**values, "podLabels": {"a": "b"}})
    second = helm_here.run("install", "second", *place[1:], "--skip-crds")
    assert (
        "the release aistack runs the operator in namespace aistack-system already: upgrade that one" in second.stderr
    )
    yield helm_here
    helm_here.must("uninstall", "aistack", "--namespace", SYSTEM, "--no-hooks")
    kube.run("get", "crd", *(definition.name for definition in DEFINITIONS))
    with pytest.raises(KubeError, match="NotFound"):
        kube.run("-n", SYSTEM, "get", "deployment", ACCOUNT)


@pytest.fixture
def account(plane: ControlPlane) -> Path:
    """Credentials of the release's ServiceAccount."""
    return plane.kubeconfig_for(f"system:serviceaccount:{SYSTEM}:{ACCOUNT}", ["system:serviceaccounts"])


@pytest.fixture
def health() -> str:
    """Address and port that the probes ask."""
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture
def daemon(release: Helm, account: Path, served: tuple[str, ...], health: str, tmp_path: Path) -> Iterator[Daemon]:
    """The operator as the release has it, but as a process."""
    daemon = Daemon("operator", tmp_path)
    watch = [f"--watch={name}" for name in served]
    told = (f"--namespace={SYSTEM}", "--log-format=json", f"--listen={health}", "--default-service-account=aistack")
    start_operator(daemon, account, *told, *watch)
    try:
        yield daemon
    finally:
        daemon.stop()


def test_a_release_serves_and_goes_only_when_nothing_needs_it(
    kube: Kube, daemon: Daemon, account: Path, served: tuple[str, ...], health: str
) -> None:
    assert eventually(lambda: answers(health, "healthz") and answers(health, "readyz"), seconds=30)
    assert "would be taken" in ask(kube.kubeconfig, "serves", "--namespace", NAMESPACE).stdout
    stack = {"apiVersion": "aistack.dev/v1alpha1", "kind": "AIStack", "metadata": {"name": "one"}}
    spec = {"components": [{"name": "postgres"}], "deletionPolicy": "Delete"}
    kube.run("-n", NAMESPACE, "create", "-f", "-", stdin=json.dumps({**stack, "spec": spec}))
    do_as_told(kube, "create serviceaccount aistack")
    do_as_told(kube, "create rolebinding aistack --(cluster)?role=aistack-stack --serviceaccount=[a-z]+:aistack")
    eventually(lambda: kube.run("-n", NAMESPACE, "get", "deployment", "one-postgres"), seconds=120)

    refused = ask(account, "may-go", *(f"--watch={name}" for name in served))
    assert refused.returncode == 1
    assert f"the operator is still needed by AIStack {NAMESPACE}/one; delete them first" in refused.stderr

    kube.run("-n", NAMESPACE, "delete", "aistack", "one", "--timeout=90s")
    eventually(lambda: ask(account, "may-go", *(f"--watch={name}" for name in served)).returncode == 0, seconds=10)
    log = daemon.log.read_text()
    assert "degraded" not in log, log
    kube.run("-n", NAMESPACE, "delete", "serviceaccount,rolebinding", "aistack")


def do_as_told(kube: Kube, command: str) -> None:
    """Wait until the stack's status says what to type, and type it."""

    def said() -> re.Match[str] | None:
        message = kube.run("-n", NAMESPACE, "get", "aistack", "one", "-o", "jsonpath={.status.message}")
        return re.search(f"kubectl (-n {NAMESPACE} {command})", message)

    found = eventually(said, seconds=60)
    kube.run(*found[1].split())


def answers(health: str, probe: str) -> bool:
    """Whether a probe would be content."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"http://{health}/{probe}", timeout=5
        ) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(kubeconfig: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Call what a hook of the chart calls."""
    command = [sys.executable, "-m", "aistack.controller.release", *args, "--kubeconfig", str(kubeconfig)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
