"""The starter stack on real nodes with real images: what a user does with it, seen by second witnesses."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from aistack.catalog.loader import load_catalog
from aistack.catalog.models import DEFAULT_REGISTRY
from tests.journey.kube import KubeError, eventually
from tests.journey.starter import Starter
from tests.journey.tracking import Login, connect, s3_client

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "component",
    [
        pytest.param(name, marks=pytest.mark.tier(name, "running"))
        for name in load_catalog().profiles["starter"].components
    ],
)
def test_a_component_runs_from_its_image(starter: Starter, component: str) -> None:
    selector = f"aistack.dev/stack={starter.name},aistack.dev/component={component},aistack.dev/serving=true"
    pods = starter.kube.json("-n", starter.namespace, "get", "pods", "-l", selector)["items"]
    assert pods
    for pod in pods:
        assert all(c["ready"] for c in pod["status"]["containerStatuses"])
        assert all(c["image"].startswith(DEFAULT_REGISTRY) for c in pod["spec"]["containers"])


def test_every_component_is_ready_and_every_edge_is_claimed(starter: Starter) -> None:
    status = starter.live()["status"]
    assert {c["name"]: c["phase"] for c in status["components"]} == dict.fromkeys(
        ("postgres", "seaweedfs", "mlflow", "jupyterhub"), "Ready"
    )
    assert {(e["from"], e["to"], e["state"]) for e in status["edges"]} == {
        ("mlflow", "postgres", "Unproven"),
        ("mlflow", "seaweedfs", "Unproven"),
        ("jupyterhub", "postgres", "Unproven"),
        ("jupyterhub", "seaweedfs", "Unproven"),
        ("jupyterhub", "mlflow", "Unproven"),
    }
    assert starter.condition("Ready")["status"] == "True"
    assert status["observedGeneration"] == starter.live()["metadata"]["generation"]


def test_a_run_is_found_in_postgresql_and_its_artifact_in_s3(starter: Starter) -> None:
    run = starter.log_run("e2e", metric=0.875, artifact=os.urandom(4096))
    assert starter.metric_in_postgres(run.run_id) == run.metric
    assert starter.artifact_in_s3(run) == run.artifact


def test_a_notebook_logs_to_mlflow_with_no_credential_typed(starter: Starter) -> None:
    with starter.hub() as hub:
        hub.start_server(seconds=180)
        try:
            run_id = hub.run_cell(_LOG_A_RUN, seconds=180).split()[-1]
            environment = json.loads(hub.run_cell("import json, os; print(json.dumps(dict(os.environ)))"))
            pod = _notebook_pod(starter)
        finally:
            hub.stop_server()
    assert starter.metric_in_postgres(run_id) == 0.75
    _assert_no_admin_credential(starter, environment, pod)


_LOG_A_RUN = """
import mlflow
mlflow.set_experiment("from-a-notebook")
with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.75)
    mlflow.log_text("hello from the kernel", "hello.txt")
print(run.info.run_id)
"""


def _notebook_pod(starter: Starter) -> dict[str, Any]:
    selector = f"aistack.dev/stack={starter.name},aistack.dev/role=notebook"
    pods = starter.kube.json("-n", starter.namespace, "get", "pods", "-l", selector)["items"]
    assert len(pods) == 1
    return dict(pods[0])


def _assert_no_admin_credential(starter: Starter, environment: dict[str, str], pod: dict[str, Any]) -> None:
    """Look for every value of every admin binding in the notebook's environment, and for its Secrets in its pod."""
    secrets = starter.kube.json("-n", starter.namespace, "get", "secrets")["items"]
    names = [s["metadata"]["name"] for s in secrets]
    admin = [n for n in names if re.search(r"-(postgres|s3|mlflow|notebooks)-admin-\d+$", n)]
    assert len(admin) == 4
    for name in admin:
        values = starter.kube.secret(starter.namespace, name)
        hidden = {values[key] for key in ("password", "secret-key", "token") if key in values}
        assert hidden
        assert not hidden & set(environment.values()), f"a value of {name} is in the notebook's environment"
        assert name not in json.dumps(pod["spec"]), f"the notebook's pod refers to {name}"
    assert not pod["spec"].get("automountServiceAccountToken", False)


def test_the_welcome_notebook_runs_from_top_to_bottom(starter: Starter) -> None:
    with starter.hub() as hub:
        hub.start_server(seconds=180)
        try:
            cells = hub.read_file("welcome.ipynb")["content"]["cells"]
            code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
            hub.run_cell(code, seconds=240)
        finally:
            hub.stop_server()


def test_mlflow_role_opens_no_other_database(starter: Starter) -> None:
    share, other = starter.binding("mlflow", "postgres"), starter.binding("jupyterhub", "postgres")
    with starter.service("postgres", 5432) as port:
        with connect(share, port) as own:
            assert own.execute("select 1").fetchone() == (1,)
        for database in (other["database"], "postgres"):
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                connect(share, port, dbname=database)


def test_mlflow_key_opens_no_other_bucket(starter: Starter) -> None:
    share, other = starter.binding("mlflow", "s3"), starter.binding("jupyterhub", "s3")
    with starter.service("seaweedfs", 8333) as port:
        client = s3_client(share, port)
        client.list_objects_v2(Bucket=share["bucket"])
        for call in (
            lambda: client.list_objects_v2(Bucket=other["bucket"]),
            lambda: client.put_object(Bucket=other["bucket"], Key="x", Body=b"x"),
            lambda: s3_client(None, port).list_objects_v2(Bucket=share["bucket"]),
        ):
            with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|403"):
                call()


def test_mlflow_refuses_who_does_not_log_in(starter: Starter) -> None:
    with starter.mlflow() as admin:
        for login in (Login(admin.url, "", ""), Login(admin.url, "admin", "wrong")):
            answer = login.ask("GET", "/api/2.0/mlflow/experiments/search", params={"max_results": 1})
            assert answer.status_code == 401


def test_every_pod_is_admitted_as_restricted(starter: Starter) -> None:
    """The namespace enforces the restricted Pod Security Standard: a pod that breaks it could not be there."""
    labels = starter.kube.json("get", "namespace", starter.namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    events = starter.kube.json("-n", starter.namespace, "get", "events")["items"]
    assert not [e["message"] for e in events if "violates PodSecurity" in e.get("message", "")]


def test_a_second_reconcile_writes_nothing(starter: Starter) -> None:
    before = _versions(starter)
    starter.kube.run("-n", starter.namespace, "annotate", "--overwrite", "aistack", starter.name, "example.com/poke=1")
    with pytest.raises(AssertionError):
        eventually(lambda: _versions(starter) != before, seconds=5)


def _versions(starter: Starter) -> dict[str, str]:
    kinds = (
        "deployments,statefulsets,services,configmaps,secrets,networkpolicies,persistentvolumeclaims,roles,rolebindings"
    )
    items = starter.kube.json("-n", starter.namespace, "get", kinds, "-l", f"aistack.dev/stack={starter.name}")["items"]
    assert len(items) > 20
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in items}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        pytest.param(
            ("patch", "service", "demo-mlflow", "--type=merge", "-p", '{"spec":{"ports":[{"name":"http","port":81}]}}'),
            lambda s: (
                s.kube.json("-n", s.namespace, "get", "service", "demo-mlflow")["spec"]["ports"][0]["port"] == 5000
            ),
            id="an edited Service",
        ),
        pytest.param(
            ("delete", "networkpolicy", "demo-seaweedfs-server"),
            lambda s: s.kube.json("-n", s.namespace, "get", "networkpolicy", "demo-seaweedfs-server"),
            id="a deleted NetworkPolicy",
        ),
        pytest.param(
            ("delete", "deployment", "demo-mlflow", "--wait=true"),
            lambda s: s.kube.json("-n", s.namespace, "get", "deployment", "demo-mlflow")["status"].get("readyReplicas"),
            id="a deleted Deployment",
        ),
    ],
)
def test_what_was_changed_by_hand_is_put_back(starter: Starter, change: tuple[str, ...], check: Any) -> None:
    starter.kube.run("-n", starter.namespace, *change)
    eventually(lambda: check(starter), seconds=90)
    eventually(lambda: starter.condition("Ready").get("status") == "True", seconds=90)


def test_a_deleted_login_is_made_anew_and_works(starter: Starter) -> None:
    """Losing the Secret of a share rotates it: a new login is claimed, MLflow's pod rolls, runs go on."""
    lost = starter.binding("mlflow", "postgres")
    secrets = starter.kube.json("-n", starter.namespace, "get", "secrets")["items"]
    name = next(s["metadata"]["name"] for s in secrets if s["metadata"]["name"].startswith("demo-mlflow-postgres-"))
    starter.kube.run("-n", starter.namespace, "delete", "secret", name)
    eventually(lambda: starter.binding("mlflow", "postgres")["password"] != lost["password"], seconds=60)
    eventually(lambda: starter.condition("Ready").get("status") == "False", seconds=30, pause=0.1)
    eventually(lambda: starter.condition("Ready").get("status") == "True", seconds=180)
    run = starter.log_run("after-rotation", metric=0.5, artifact=b"still here")
    assert starter.metric_in_postgres(run.run_id) == 0.5


def test_a_stack_made_again_finds_its_runs(starter: Starter) -> None:
    """``deletionPolicy: Retain`` keeps volumes and their Secrets; a stack of the same name takes them up again."""
    run = starter.log_run("kept", metric=0.25, artifact=b"kept over deletion")
    starter.aistack("delete", starter.name, "--wait", "--timeout", "240")
    with pytest.raises(KubeError):
        starter.live()
    left = starter.kube.json("-n", starter.namespace, "get", "deployments,statefulsets,services,pods")["items"]
    assert [o["metadata"]["name"] for o in left if o["metadata"]["labels"].get("aistack.dev/stack")] == []
    starter.kube.apply(starter.manifest())
    starter.aistack("wait", starter.name, "--timeout", "300", timeout=320)
    assert starter.metric_in_postgres(run.run_id) == run.metric
    assert starter.artifact_in_s3(run) == run.artifact
