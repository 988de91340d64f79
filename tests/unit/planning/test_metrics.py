"""Metrics: whoever collects them is told of every component that has some, and gets what opens them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aistack.catalog.loader import load_catalog
from aistack.errors import CatalogError
from aistack.objects.plan import Observed, SecretRecord
from aistack.planning.metrics import Scrape
from aistack.planning.plan import Planned
from tests.toy import config_json, find, plan, starter, toy_copy

COLLECTED = {"jupyterhub/proxy", "mlflow/server", "seaweedfs/server", "prometheus/server"}
SHOWN = "metrics:\n  - {workload: front, port: http, path: /m, login: {secret: session, LOGIN}}\npages:"


def beside(*components: dict[str, Any], observed: Observed | None = None) -> Planned:
    spec = {"profile": "starter", "components": [{"name": "prometheus"}, *components]}
    return plan(spec, observed, catalog=starter())


def jobs(planned: Planned) -> dict[str, Any]:
    config = config_json(planned, "demo-prometheus", "prometheus.yml")
    return {job["job_name"]: job for job in config["scrape_configs"]}


def sources(planned: Planned) -> list[str]:
    pod = find(planned, "Deployment", "demo-prometheus")["spec"]["template"]["spec"]
    (volume,) = (v for v in pod["volumes"] if v["name"] == "metrics")
    return [source["secret"]["name"] for source in volume["projected"]["sources"]]


def test_every_component_that_has_metrics_is_collected_from() -> None:
    assert jobs(beside()).keys() == COLLECTED


def test_what_is_not_there_is_not_missed() -> None:
    assert jobs(beside({"name": "jupyterhub", "enabled": False})).keys() == COLLECTED - {"jupyterhub/proxy"}


def test_what_is_suspended_runs_on_and_is_collected_from() -> None:
    assert jobs(beside({"name": "jupyterhub", "suspend": True})).keys() == COLLECTED


def test_the_secret_that_opens_metrics_is_mounted_in_its_generation() -> None:
    lost = Observed(secrets={"demo-jupyterhub-metrics": SecretRecord(1, "", present=False)})
    assert sources(beside()) == ["demo-jupyterhub-metrics-1"]
    assert sources(beside(observed=lost)) == ["demo-jupyterhub-metrics-2"]


@pytest.mark.parametrize(
    ("login", "found"),
    [
        pytest.param("token: key", {"token": "key"}, id="token"),
        pytest.param("username: key, password: key", {"username": "key", "password": "key"}, id="basic"),
    ],
)
def test_templates_are_told_where_metrics_are_and_what_opens_them(
    tmp_path: Path, login: str, found: dict[str, str]
) -> None:
    catalog = toy_copy(tmp_path)
    spec = catalog / "components" / "web" / "component.yaml"
    spec.write_text(spec.read_text().replace("pages:", SHOWN.replace("LOGIN", login)))
    template = catalog / "components" / "cache" / "templates" / "scrapes.yaml.j2"
    template.write_text(
        """
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name("scrapes") }}
data:
  scrapes.json: {{ json_text(scrapes()) }}
"""
    )
    planned = plan("{profile: toy, components: [{name: cache}]}", catalog=load_catalog(catalog))
    (scrape,) = config_json(planned, "demo-cache-scrapes", "scrapes.json")
    place = {"component": "web", "workload": "front", "host": "demo-web-front.ml.svc", "port": 8080, "path": "/m"}
    assert Scrape(**scrape) == Scrape(**place, secret="demo-web-session-1", **found)


def test_metrics_without_a_service_are_refused(tmp_path: Path) -> None:
    catalog = toy_copy(tmp_path)
    spec = catalog / "components" / "db" / "component.yaml"
    spec.write_text(spec.read_text() + "metrics:\n  - {workload: server, port: metrics}\n")
    with pytest.raises(CatalogError, match=r"no template makes the Service demo-db with the port 9187 \(metrics\)"):
        plan(catalog=load_catalog(catalog))
