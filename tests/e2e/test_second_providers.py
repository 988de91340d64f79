"""The starter stack over other providers of the same contracts: all that it does, it does with them, too."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import pytest

from aistack.catalog.locate import catalog_folder
from aistack.images import standard_plan
from tests.cluster.common.daemons import Daemon
from tests.cluster.kind import Kind
from tests.journey.kube import Kube
from tests.journey.mirror import Mirror, mirror, remove_images
from tests.journey.operator import remove_namespace
from tests.journey.starter import Starter
from tests.journey.training import assert_a_model_travels

pytestmark = pytest.mark.e2e

NAMESPACE = "e2e-second"
IMAGES = ("jupyterhub", "mlflow", "postgres", "redis", "runner", "versitygw")
FORGOTTEN = ("redis", "versitygw")
"""Images that the nodes are made to forget first, so that all of them comes from the registry."""
COMPONENTS = [{"name": "seaweedfs", "enabled": False}, {"name": "versitygw"}, {"name": "redis"}]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """A company's registry, which the nodes reach; they reach nothing else."""
    kind, plan = Kind(), standard_plan(catalog_folder())
    remove_images(kind, [plan.step(f"{name}/server").image.reference for name in FORGOTTEN])
    with mirror(kind, tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def stack(
    kube: Kube, operator: Daemon, registry: Mirror, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Starter]:
    """The stack, Proven, with an app that is bound to its Redis; versitygw comes from its upstream Helm chart."""
    found = Starter(kube, NAMESPACE, "second")
    remove_namespace(kube, NAMESPACE)
    kube.run("create", "namespace", NAMESPACE)
    kube.run("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    kube.apply(registry.pull_secret(NAMESPACE, "company"))
    images = {"registry": registry.place, "pullSecrets": [{"name": "company"}]}
    manifest = found.manifest(components=COMPONENTS, images=images)
    file = tmp_path_factory.mktemp("stack") / "stack.yaml"
    file.write_text(json.dumps(manifest))
    started = time.monotonic()
    registry.publish(IMAGES)
    print(f"\npublished in {time.monotonic() - started:.0f} s")
    started = time.monotonic()
    print(f"{len(registry.copy(file))} images mirrored in {time.monotonic() - started:.0f} s")
    started = time.monotonic()
    kube.apply(manifest)
    found.aistack("wait", found.name, "--for", "proven", "--timeout", "400", timeout=420)
    print(f"\nover versitygw and Redis: applied to Proven in {time.monotonic() - started:.0f} s")
    found.aistack("bind", "redis", "to-redis", timeout=330)
    yield found
    remove_namespace(kube, NAMESPACE, wait=False)


@pytest.mark.parametrize(
    ("component", "consumer", "contract"),
    [
        ("versitygw", "mlflow", "s3"),
        ("versitygw", "jupyterhub", "s3"),
        ("redis", "app-to-redis", "redis"),
    ],
)
def test_its_connections_did_real_work(stack: Starter, component: str, consumer: str, contract: str) -> None:
    edge = stack.edge(consumer, contract)
    assert (edge["to"], edge["state"]) == (component, "Proven")


def test_nothing_is_pulled_from_elsewhere(stack: Starter, registry: Mirror) -> None:
    pods = stack.kube.json("-n", stack.namespace, "get", "pods")["items"]
    asked = {container["image"] for pod in pods for container in pod["spec"]["containers"]}
    assert len(asked) >= len(IMAGES)
    assert all(image.startswith(f"{registry.place}/") for image in asked), asked
    had = {status["image"] for pod in pods for status in pod["status"]["containerStatuses"]}
    for name in FORGOTTEN:
        (image,) = (image for image in had if f"/{name}:" in image)
        assert image.startswith(f"{registry.place}/"), "nodes name an image as they first got it"


def test_a_run_is_found_in_postgresql_and_its_artifact_in_the_other_store(stack: Starter) -> None:
    run = stack.log_run("second", metric=0.625, artifact=os.urandom(4096))
    assert stack.metric_in_postgres(run.run_id) == run.metric
    assert stack.artifact_in_s3(run) == run.artifact


def test_the_journey_over_the_other_store(stack: Starter) -> None:
    assert_a_model_travels(stack)
