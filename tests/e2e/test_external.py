"""A starter stack over a PostgreSQL and an S3 server that a company has already, both with TLS by a private CA."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest

from tests.cluster.common.daemons import Daemon
from tests.journey.company import Company
from tests.journey.kube import Kube, eventually
from tests.journey.operator import remove_namespace
from tests.journey.starter import Starter
from tests.journey.tracking import metric_in_postgres

pytestmark = pytest.mark.e2e

NAMESPACE, COMPANY = "e2e-external", "e2e-company"
EXTERNAL = [
    {"contract": "postgres", "secretRef": {"name": "company-postgres"}},
    {"contract": "s3", "secretRef": {"name": "mlflow-bucket"}, "components": ["mlflow"], "access": "Share"},
    {"contract": "s3", "secretRef": {"name": "notebook-bucket"}, "components": ["jupyterhub"], "access": "Share"},
]


@pytest.fixture(scope="module")
def company(kube: Kube, operator: Daemon) -> Iterator[Company]:
    """The company's services, new."""
    for namespace in (NAMESPACE, COMPANY):
        remove_namespace(kube, namespace)
    found = Company(kube, COMPANY)
    found.start()
    yield found
    remove_namespace(kube, COMPANY, wait=False)


@pytest.fixture(scope="module")
def stack(kube: Kube, company: Company) -> Iterator[Starter]:
    """The stack, Proven; its Secrets came a moment later than the AIStack, as those of secret managers do."""
    found = Starter(kube, NAMESPACE, "ours")
    kube.run("create", "namespace", NAMESPACE)
    kube.apply(found.manifest(external=EXTERNAL, proofs={"every": "30s"}))
    eventually(lambda: "company-postgres" in found.condition("Ready").get("message", ""), seconds=30)
    assert found.condition("Stalled")["status"] == "False", "it waits, as nothing is wrong yet"
    started = time.monotonic()
    company.secret(NAMESPACE, "company-postgres", company.administrator())
    for name in ("mlflow", "notebook"):
        company.secret(NAMESPACE, f"{name}-bucket", company.bucket(f"{name}s"))
    found.aistack("wait", found.name, "--for", "proven", "--timeout", "400", timeout=420)
    print(f"\nover external providers: Secrets written to Proven in {time.monotonic() - started:.0f} s")
    yield found
    remove_namespace(kube, NAMESPACE, wait=False)


def test_nothing_of_their_kind_is_installed(stack: Starter) -> None:
    pods = stack.kube.json("-n", stack.namespace, "get", "pods")["items"]
    components = {p["metadata"]["labels"].get("aistack.dev/component") for p in pods}
    assert components == {"mlflow", "jupyterhub"}
    assert {e["to"] for e in stack.live()["status"]["edges"]} == {
        "secret/company-postgres",
        "secret/mlflow-bucket",
        "secret/notebook-bucket",
        "mlflow",
    }


def test_runs_and_artifacts_are_there(stack: Starter, company: Company) -> None:
    run = stack.log_run("over-there", 0.75, b"kept by the company")
    with company.kube.forward(COMPANY, "service/postgres", 5432) as port:
        share = {**stack.binding("mlflow", "postgres"), "sslmode": "require"}
        assert metric_in_postgres(share, port, run.run_id) == 0.75
    command = ("exec", "deployment/store", "--", "grep", "-rl", "kept by the company", "/var/lib/postgresql/buckets")
    assert "mlflows/" in company.kube.run("-n", COMPANY, *command)


_KEEP = """
import boto3, os
from botocore.config import Config
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
place = {"Bucket": os.environ["S3_BUCKET"], "Key": "from-a-notebook"}
s3.put_object(**place, Body=b"kept by a notebook")
print(s3.get_object(**place)["Body"].read().decode())
"""


def test_a_notebook_trusts_the_authority_of_the_company(stack: Starter) -> None:
    with stack.hub() as hub:
        hub.start_server(seconds=180)
        try:
            said = hub.run_cell(_KEEP)
        finally:
            hub.stop_server()
    assert said.strip() == "kept by a notebook"


def test_another_key_is_proven_and_taken_over(stack: Starter, company: Company) -> None:
    before = _share_in_use(stack)
    company.secret(NAMESPACE, "mlflow-bucket", company.bucket("second"))
    eventually(lambda: _share_in_use(stack) != before, seconds=120)
    assert stack.kube.secret(NAMESPACE, _share_in_use(stack))["bucket"] == "second"
    stack.aistack("wait", stack.name, "--for", "proven", "--timeout", "200", timeout=220)


def test_a_key_that_opens_nothing_is_told_and_not_used(stack: Starter, company: Company) -> None:
    good, in_use = stack.binding("mlflow", "s3"), _share_in_use(stack)
    given = {key: good[key] for key in ("host", "port", "bucket", "access-key", "ca.crt")}
    company.secret(NAMESPACE, "mlflow-bucket", {**given, "secret-key": "wrong" * 8})

    def broken() -> str:
        edges = stack.live()["status"]["edges"]
        edge = next(e for e in edges if (e["from"], e["contract"]) == ("mlflow", "s3"))
        return edge["message"] if edge["state"] == "Broken" else ""

    told = eventually(broken, seconds=90)
    assert "correct secret/mlflow-bucket" in told
    assert _share_in_use(stack) == in_use, "the server goes on with the share that works"
    stack.log_run("goes-on", 0.5, b"still kept")
    company.secret(NAMESPACE, "mlflow-bucket", {**given, "secret-key": good["secret-key"]})
    eventually(lambda: stack.condition("Proven").get("status") == "True", seconds=200)


def _share_in_use(stack: Starter) -> str:
    """Return the name of the Secret that MLflow's Deployment takes its bucket from."""
    server = json.dumps(stack.kube.json("-n", NAMESPACE, "get", "deployment", "ours-mlflow"))
    (found,) = set(re.findall(r"ours-mlflow-s3-[0-9]+", server))
    return found
