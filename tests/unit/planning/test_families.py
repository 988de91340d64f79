"""Addresses and names that hold in any cluster: of either IP family, whatever its DNS domain is called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aistack.objects.manifest import Manifest, ref_of
from aistack.objects.plan import Observed
from aistack.planning.plan import Planned
from tests.toy import container_of, find, objects, plan, starter

IPV4 = "0.0.0.0"  # noqa: S104 - text
EVERYTHING = "{profile: starter, components: [{name: prometheus}, {name: valkey}]}"


def service(*families: str, name: str = "demo-postgres") -> Manifest:
    metadata = {"name": name, "namespace": "ml"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ipFamilies": list(families)}}


FAMILIES: dict[str, tuple[tuple[Manifest, ...], str]] = {
    "nothing yet": ((), IPV4),
    "IPv4": ((service("IPv4"),), IPV4),
    "IPv6": ((service("IPv6"),), "::"),
    "IPv4 first": ((service("IPv4", "IPv6"),), IPV4),
    "IPv6 first": ((service("IPv6", "IPv4"),), "::"),
    "moved from one to the other": ((service("IPv4"), service("IPv6", name="demo-mlflow")), IPV4),
}


@pytest.mark.parametrize(("services", "address"), FAMILIES.values(), ids=FAMILIES)
def test_servers_listen_in_the_family_of_their_services(services: tuple[Manifest, ...], address: str) -> None:
    planned = plan(EVERYTHING, Observed({ref_of(s): s for s in services}), catalog=starter())

    arguments = {*container(planned, "seaweedfs")["args"], *container(planned, "jupyterhub", "proxy")["args"]}
    assert {f"-s3.ip.bind={address}", f"-metricsIp={address}", f"--ip={address}", f"--api-ip={address}"} <= arguments
    assert {"name": "MLFLOW_HOST", "value": address} in container(planned, "mlflow")["env"]
    settings = find(planned, "ConfigMap", "demo-jupyterhub-hub")["data"]["settings.json"]
    assert json.loads(settings)["notebook"]["ip"] == address


def test_nothing_listens_in_one_family_by_itself() -> None:
    """But on loopback, which every pod has in both."""
    planned = plan(EVERYTHING, Observed({ref_of(s): s for s in (service("IPv6"),)}), catalog=starter())
    pods = [o["spec"]["template"] for o in objects(planned).values() if o["kind"] == "Deployment"]
    assert len(pods) > 5
    assert IPV4 not in str(pods)


def test_services_have_the_cluster_s_first_family() -> None:
    planned = plan(EVERYTHING, catalog=starter())
    services = [o["spec"] for o in objects(planned).values() if o["kind"] == "Service"]
    assert len(services) > 5
    assert not any(spec.keys() & {"ipFamilies", "ipFamilyPolicy", "clusterIP"} for spec in services)


def test_only_mlflow_s_list_of_its_own_names_knows_a_domain() -> None:
    planned = plan(EVERYTHING, catalog=starter())
    told = {ref.name: str(o).count("cluster.local") for ref, o in objects(planned).items() if "cluster.local" in str(o)}
    assert told.keys() == {"demo-mlflow"}
    environment = {e["name"]: e.get("value", "") for e in container(planned, "mlflow")["env"]}
    lists = ("MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS")
    assert told["demo-mlflow"] == sum(environment[name].count("cluster.local") for name in lists)
    assert "demo-mlflow.ml.svc:*" in environment["MLFLOW_SERVER_ALLOWED_HOSTS"]


def container(planned: Planned, component: str, workload: str = "") -> dict[str, Any]:
    deployment = find(planned, "Deployment", "-".join(filter(None, ("demo", component, workload))))
    return container_of(deployment, workload or component)
