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
from tests.journey.training import assert_a_model_travels

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("component", load_catalog().profiles["starter"].components)
def test_a_component_runs_from_its_image(starter: Starter, component: str) -> None:
    selector = f"aistack.dev/stack={starter.name},aistack.dev/component={component},aistack.dev/serving=true"
    pods = starter.kube.json("-n", starter.namespace, "get", "pods", "-l", selector)["items"]
    assert pods
    for pod in pods:
        assert all(c["ready"] for c in pod["status"]["containerStatuses"])
        assert all(c["image"].startswith(DEFAULT_REGISTRY) for c in pod["spec"]["containers"])


def test_every_component_is_ready_and_every_edge_is_proven(starter: Starter) -> None:
    starter.aistack("wait", starter.name, "--for", "proven", "--timeout", "120")
    status = starter.live()["status"]
    assert {c["name"]: c["phase"] for c in status["components"]} == dict.fromkeys(
        ("postgres", "seaweedfs", "mlflow", "jupyterhub"), "Ready"
    )
    assert {(e["from"], e["to"], e["state"]) for e in status["edges"]} == {
        ("mlflow", "postgres", "Proven"),
        ("mlflow", "seaweedfs", "Proven"),
        ("jupyterhub", "postgres", "Proven"),
        ("jupyterhub", "seaweedfs", "Proven"),
        ("jupyterhub", "mlflow", "Proven"),
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
            hub.run_cell("open('/home/jovyan/kept.txt', 'w').write('from the server before')")
            pod = _notebook_pod(starter)
        finally:
            hub.stop_server()
    assert starter.metric_in_postgres(run_id) == 0.75
    _assert_no_other_credential(starter, environment, pod)


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


_OWN_SHARES = re.compile(r"demo-jupyterhub-(s3|mlflow)-\d+")
_ADMIN = re.compile(r"demo-\w+-(postgres|s3|mlflow|notebooks)-admin-\d+")
_SECRET_KEYS = {"password", "secret-key", "access-key", "token", "cookie-secret", "proxy-token", "key"}


def _assert_no_other_credential(starter: Starter, environment: dict[str, str], pod: dict[str, Any]) -> None:
    """Look for the values and the names of all the stack's Secrets, but the notebook's two shares, in a notebook."""
    secrets = starter.kube.json("-n", starter.namespace, "get", "secrets", "-l", f"aistack.dev/stack={starter.name}")
    others = [n for s in secrets["items"] if not _OWN_SHARES.fullmatch(n := s["metadata"]["name"])]
    assert len([n for n in others if _ADMIN.fullmatch(n)]) == 4
    seen = json.dumps([environment, pod["spec"]])
    for name in others:
        values = starter.kube.secret(starter.namespace, name)
        hidden = {values[key] for key in _SECRET_KEYS & values.keys()}
        assert hidden, f"{name} holds nothing that this test knows to be secret: {sorted(values)}"
        assert not [value for value in hidden if value in seen], f"a value of {name} is in the notebook"
        assert name not in seen, f"the notebook's pod refers to {name}"
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_the_welcome_notebook_runs_and_the_home_is_still_there(starter: Starter) -> None:
    with starter.hub() as hub:
        hub.start_server(seconds=180)
        try:
            assert hub.run_cell("print(open('/home/jovyan/kept.txt').read())").strip() == "from the server before"
            cells = hub.read_file("welcome.ipynb")["content"]["cells"]
            code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
            hub.run_cell(code, seconds=240)
        finally:
            hub.stop_server()


def test_the_journey_from_training_to_the_same_predictions_elsewhere(starter: Starter) -> None:
    assert_a_model_travels(starter)


def test_mlflow_role_opens_no_other_database(starter: Starter) -> None:
    share, other = starter.binding("mlflow", "postgres"), starter.binding("jupyterhub", "postgres")
    with starter.service("postgres", 5432) as port:
        with connect(share, port) as own:
            assert own.execute("select 1").fetchone() == (1,)
        for database in (other["database"], "postgres", "template1"):
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
    starter.assert_a_pass_writes_nothing()


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


def test_lost_administrators_are_made_anew_and_their_servers_follow(starter: Starter) -> None:
    """Every administrator's Secret at once: servers take the new passwords, and what was stored is still there."""
    run = starter.log_run("before-the-loss", metric=0.125, artifact=b"before the loss")
    secrets = starter.kube.json("-n", starter.namespace, "get", "secrets")["items"]
    admins = [n for s in secrets if _ADMIN.fullmatch(n := s["metadata"]["name"])]
    assert len(admins) == 4
    starter.kube.run("-n", starter.namespace, "delete", "secret", *admins)
    eventually(lambda: starter.condition("Ready").get("status") == "False", seconds=30, pause=0.1)
    eventually(lambda: starter.condition("Ready").get("status") == "True", seconds=300)
    assert starter.metric_in_postgres(run.run_id) == run.metric
    assert starter.artifact_in_s3(run) == run.artifact
    again = starter.log_run("after-the-loss", metric=0.25, artifact=b"after the loss")
    assert starter.metric_in_postgres(again.run_id) == again.metric
    with starter.hub():
        pass  # the hub lets its user in


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
