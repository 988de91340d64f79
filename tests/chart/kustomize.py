"""``python -m tests.chart.kustomize``: writes the kustomize base, which is the chart as helm renders it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import yaml

from tests.chart.generated import BASE, CHART
from tests.chart.helm import helm

FILE = BASE / "operator.yaml"
HEADER = "# Made from the chart by `python -m tests.chart.kustomize`, which needs helm; don't edit.\n"
NAMESPACE = "aistack-system"
OPTIONS = ("--no-hooks", "--skip-tests", "--set", "crds.install=false,fullnameOverride=aistack-operator")
HELM_S = ("helm.sh/chart", "app.kubernetes.io/managed-by")
"""Labels that would say that helm looks after the objects."""


def operator_yaml() -> str:
    """Return what the file must hold."""
    command = [helm(), "template", "aistack", CHART, "--namespace", NAMESPACE, *OPTIONS]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return HEADER + yaml.safe_dump_all([_namespace(), *_objects(text)], sort_keys=False)


def _namespace() -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    for document in filter(None, yaml.safe_load_all(text)):
        template = document.get("spec", {}).get("template", {})
        for metadata in (document["metadata"], template.get("metadata", {})):
            for label in HELM_S:
                metadata.get("labels", {}).pop(label, None)
        yield document


if __name__ == "__main__":
    FILE.write_text(operator_yaml(), "utf-8")
    print(f"written: {FILE}")
