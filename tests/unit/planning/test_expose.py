"""Exposure: which Ingress or HTTPRoute leads to a page, and who is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.objects.manifest import Manifest
from aistack.planning.plan import Planned
from tests.toy import config_json, container_of, find, objects, plan, starter

INGRESS = "className: nginx"
STARTER = "{profile: starter}"
GATEWAY = "gatewayRef: {name: company, namespace: gateways, sectionName: https}"


def exposed(how: str = INGRESS, profile: str = "toy", more: str = "") -> Planned:
    """A stack whose pages are under ml.example.com."""
    spec = f"{{profile: {profile}, expose: {{host: ml.example.com, {how}}}{more}}}"
    return plan(spec, catalog=starter() if profile == "starter" else None)


def routes(planned: Planned) -> list[Manifest]:
    return [m for ref, m in objects(planned).items() if ref.kind in ("Ingress", "HTTPRoute")]


def test_a_stack_that_is_not_exposed_makes_no_route() -> None:
    assert routes(plan()) == []


def test_each_page_has_a_name_of_its_own_and_nothing_else_is_exposed() -> None:
    planned = exposed(profile="starter", more=", components: [{name: prometheus}, {name: valkey}]")
    hosts = {m["metadata"]["name"]: m["spec"]["rules"][0]["host"] for m in routes(planned)}
    assert hosts == {f"demo-{name}": f"{name}.ml.example.com" for name in ("mlflow", "jupyterhub", "prometheus")}


def test_an_ingress_leads_to_the_service_of_the_page_s_workload() -> None:
    ingress = find(exposed(), "Ingress", "demo-web")
    backend = {"service": {"name": "demo-web-front", "port": {"number": 8080}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    assert ingress["apiVersion"] == "networking.k8s.io/v1"
    assert ingress["spec"] == {
        "ingressClassName": "nginx",
        "rules": [{"host": "web.ml.example.com", "http": {"paths": [path]}}],
    }
    service = find(exposed(), "Service", "demo-web-front")
    assert 8080 in [port["port"] for port in service["spec"]["ports"]]


def test_a_route_leads_from_the_gateway_to_the_same_service() -> None:
    planned = exposed(GATEWAY)
    (route,) = routes(planned)
    assert (route["apiVersion"], route["kind"]) == ("gateway.networking.k8s.io/v1", "HTTPRoute")
    assert route["spec"] == {
        "parentRefs": [{"name": "company", "namespace": "gateways", "sectionName": "https"}],
        "hostnames": ["web.ml.example.com"],
        "rules": [{"backendRefs": [{"name": "demo-web-front", "port": 8080}]}],
    }


def test_a_gateway_of_the_stack_s_namespace_is_named_alone() -> None:
    (route,) = routes(exposed("gatewayRef: {name: company}"))
    assert route["spec"]["parentRefs"] == [{"name": "company"}]


HOST = ["web.ml.example.com"]
CERTIFICATES: dict[str, tuple[str, Any, dict[str, str]]] = {
    "none": ("", None, {}),
    "of-the-controller": (", tls: {}", [{"hosts": HOST}], {}),
    "of-the-user": (", tls: {secretRef: {name: wildcard}}", [{"hosts": HOST, "secretName": "wildcard"}], {}),
    "of-an-issuer": (
        ", tls: {issuer: company}",
        [{"hosts": HOST, "secretName": "demo-web-tls"}],
        {"cert-manager.io/issuer": "company"},
    ),
    "of-a-cluster-issuer": (
        ", tls: {clusterIssuer: letsencrypt}",
        [{"hosts": HOST, "secretName": "demo-web-tls"}],
        {"cert-manager.io/cluster-issuer": "letsencrypt"},
    ),
}


@pytest.mark.parametrize(("tls", "wanted", "annotations"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_whose_certificate_a_page_has(tls: str, wanted: Any, annotations: dict[str, str]) -> None:
    ingress = find(exposed(INGRESS + tls), "Ingress", "demo-web")
    assert ingress["spec"].get("tls") == wanted
    assert ingress["metadata"].get("annotations", {}) == annotations


@pytest.mark.parametrize("how", [INGRESS, GATEWAY], ids=["ingress", "gateway"])
def test_routes_alone_have_the_annotations_and_all_have_the_stack_s(how: str) -> None:
    planned = exposed(f"{how}, annotations: {{a.example.com/size: '0'}}", more=", annotations: {example.com/team: ml}")
    (route,) = routes(planned)
    assert route["metadata"]["annotations"] == {"a.example.com/size": "0", "example.com/team": "ml"}
    service = find(planned, "Service", "demo-web-front")
    assert service["metadata"]["annotations"] == {"example.com/team": "ml"}
    assert route["metadata"]["labels"] == service["metadata"]["labels"]


def test_the_issuer_that_tls_names_holds() -> None:
    how = f"{INGRESS}, tls: {{clusterIssuer: ours}}, annotations: {{cert-manager.io/cluster-issuer: other}}"
    ingress = find(exposed(how), "Ingress", "demo-web")
    assert ingress["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "ours"}


def test_nothing_waits_for_a_route() -> None:
    """It is applied with the pods, so that a cluster that lacks its kind still gets them, their claims and proofs."""
    web = next(unit for unit in exposed(GATEWAY).plan.units if unit.name == "web")
    assert "HTTPRoute" in [step.ref.kind for step in web.run]
    assert "HTTPRoute" not in [step.ref.kind for step in web.prepare]


def mlflow_says(planned: Planned) -> dict[str, list[str]]:
    environment = container_of(find(planned, "Deployment", "demo-mlflow"), "mlflow")["env"]
    return {e["name"]: e["value"].split(",") for e in environment if "_ALLOWED_" in e["name"]}


@pytest.mark.parametrize(("tls", "scheme"), [("", "http"), (", tls: {}", "https")], ids=["http", "https"])
def test_mlflow_answers_its_name_and_its_own_page_alone(tls: str, scheme: str) -> None:
    said, before = mlflow_says(exposed(INGRESS + tls, "starter")), mlflow_says(plan(STARTER, catalog=starter()))
    new = {name: set(values) - set(before[name]) for name, values in said.items()}
    assert new == {
        "MLFLOW_SERVER_ALLOWED_HOSTS": {"mlflow.ml.example.com", "mlflow.ml.example.com:*"},
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": {f"{scheme}://mlflow.ml.example.com"},
    }


def test_the_hub_knows_its_address() -> None:
    for planned, url in (
        (exposed(GATEWAY + ", tls: {}", "starter"), "https://jupyterhub.ml.example.com/"),
        (plan(STARTER, catalog=starter()), ""),
    ):
        assert config_json(planned, "demo-jupyterhub-hub", "settings.json")["publicUrl"] == url


def test_prometheus_knows_its_address() -> None:
    planned = exposed(profile="starter", more=", components: [{name: prometheus}]")
    arguments = container_of(find(planned, "Deployment", "demo-prometheus"), "prometheus")["args"]
    assert "--web.external-url=http://prometheus.ml.example.com/" in arguments
