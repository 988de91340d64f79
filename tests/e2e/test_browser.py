"""MLflow and notebooks behind a company's ingress, as a person meets them: in Chromium, by https."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from tests.integration.routing import CLASS, certificate
from tests.journey.chromium import Traffic, chromium
from tests.journey.ingress import controller
from tests.journey.pages import Notebooks, Page, Tracking
from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

HOST, SECRET = "ml.example.com", "company-pages"
HUB, MLFLOW = (f"https://{name}.{HOST}" for name in ("jupyterhub", "mlflow"))
PICTURES = os.environ.get("AISTACK_PICTURES")
"""Folder that gets the pictures of docs; without it, they go with the test's other files."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A company's own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def exposed(starter: Starter, authority: trustme.CA) -> Iterator[Starter]:
    """The starter stack, exposed while it runs, and hidden again."""
    starter.kube.apply(certificate(authority, f"*.{HOST}", starter.namespace, SECRET))
    _expose(starter, {"host": HOST, "className": CLASS, "tls": {"secretRef": {"name": SECRET}}})
    yield starter
    _expose(starter, None)
    starter.kube.run("-n", starter.namespace, "delete", "secret", SECRET)
    with starter.hub() as hub:
        hub.stop_server()  # other tests start one of their own for the same person


def _expose(stack: Starter, how: dict[str, object] | None) -> None:
    patch = json.dumps({"spec": {"expose": how}})
    stack.kube.run("-n", stack.namespace, "patch", "aistack", stack.name, "--type=merge", "-p", patch)
    stack.aistack("wait", stack.name, "--timeout", "300", timeout=330)


@pytest.fixture(scope="module")
def entrance(exposed: Starter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Where the company's Ingress controller answers."""
    with controller(exposed.kube, tmp_path_factory.mktemp("ingress")) as address:
        yield address


def test_a_person_runs_the_welcome_notebook_and_finds_its_run_in_mlflow(
    exposed: Starter, entrance: tuple[str, int], authority: trustme.CA, tmp_path: Path
) -> None:
    with chromium(tmp_path, f"*.{HOST}", entrance, authority) as browser:
        notebooks = Notebooks(browser, HUB)
        notebooks.log_in(*exposed.login("jupyterhub"))
        notebooks.run_all()
        assert notebooks.output("read_csv") == "(150, 4)", "the last cell, which reads S3"
        run = notebooks.output("start_run").strip("'")
        notebooks.decline_news()
        _keep(notebooks, "jupyterlab.png", tmp_path)

        mlflow = Tracking(browser, MLFLOW)
        mlflow.log_in(*exposed.login("mlflow"))
        mlflow.open_run("welcome", run)
        mlflow.says(f"accuracy\n{exposed.metric_in_postgres(run)}")
        mlflow.says("LogisticRegression")
        _keep(mlflow, "mlflow.png", tmp_path)

        traffic = Traffic(browser)
    assert traffic.complaints == []
    assert {parts[:2] for url in traffic.urls if (parts := urlsplit(url))} == {
        ("https", f"jupyterhub.{HOST}"),
        ("wss", f"jupyterhub.{HOST}"),
        ("https", f"mlflow.{HOST}"),
    }, "nothing goes without encryption, and nothing elsewhere"
    assert traffic.sockets, "kernels speak by websocket"
    assert set(traffic.sockets) == {101}
    assert {(c["name"], c["path"]) for c in traffic.cookies if not c["secure"]} == set()
    assert {c["domain"] for c in traffic.cookies} == {f"jupyterhub.{HOST}"}, "no page gets another one's login"


def test_who_does_not_trust_the_company_is_warned(entrance: tuple[str, int], tmp_path: Path) -> None:
    with chromium(tmp_path, f"*.{HOST}", entrance) as browser:
        browser.get(HUB)
        assert browser.title == "Privacy error"


def _keep(page: Page, name: str, folder: Path) -> None:
    page.browser.save_screenshot(str(Path(PICTURES or folder) / name))
