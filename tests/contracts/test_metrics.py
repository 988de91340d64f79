"""The contract metrics, against a real Prometheus that collects from a real MLflow and JupyterHub."""

from __future__ import annotations

import base64
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contracts import prometheus as collector
from tests.contracts import servers
from tests.contracts.meddler import logging_in, meddler
from tests.contracts.mlflow import programs as mlflow_programs
from tests.contracts.shipped import STACK, Binding, ClaimFailedError, ProofFailedError, Provider, Shipped

CONSUMER, OTHER = "app-metrics-one", "app-metrics-two"
HUB, TRACKING, ITSELF = "jupyterhub/proxy", "mlflow/server", "prometheus/server"


@pytest.fixture(scope="module")
def tracking_metrics(shipped: Shipped, mlflow: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The program that shows MLflow's metrics, beside MLflow; yields its address."""
    folder, port = tmp_path_factory.mktemp("mlflow-metrics"), servers.free_port()
    program = folder / "metrics.py"
    program.write_text(shipped.config(f"{STACK}-mlflow-metrics")["metrics.py"], "utf-8")
    left = next(folder.parent.glob("mlflow[0-9]*"))
    environment = {"METRICS_FOLDER": str(left), "METRICS_PORT": str(port)}
    ready = servers.answers(f"http://127.0.0.1:{port}/metrics")
    with servers.server([str(mlflow_programs() / "python"), str(program)], folder, ready, environment):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def targets(shipped: Shipped, notebooks: Provider, tracking_metrics: str) -> dict[str, str]:
    """What is collected from, by job."""
    return {HUB: f"127.0.0.1:{shipped.ports['notebooks']}", TRACKING: tracking_metrics}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prometheus' volume."""
    return tmp_path_factory.mktemp("prometheus")


@pytest.fixture(scope="module")
def metrics(shipped: Shipped, targets: dict[str, str], folder: Path) -> Iterator[Provider]:
    """Prometheus, with the login that the hub asks for."""
    found = collector.provider(shipped)
    (folder / "jupyterhub-proxy.password").write_text(shipped.secret(f"{STACK}-jupyterhub-metrics")["token"], "utf-8")
    with collector.prometheus(shipped, folder, targets):
        yield found


@pytest.fixture
def share(metrics: Provider) -> Binding:
    """Claimed, and so is another consumer's."""
    for consumer in (CONSUMER, OTHER):
        metrics.claim(metrics.share(consumer))
    return metrics.share(CONSUMER)


def login(binding: Binding) -> tuple[str, str]:
    return binding["username"], binding["password"]


def ask(binding: Binding, path: str = "query?query=up", method: str = "GET") -> requests.Response:
    return requests.request(method, f"{binding['uri']}/api/v1/{path}", auth=login(binding), timeout=10)


def opens(binding: Binding) -> bool:
    return ask(binding).status_code == 200


STEPS = [
    "ask for a sum",
    "find metrics that were collected",
    "everything it collects is up",
    "a question without a login is refused",
    "a wrong password is refused",
]


def test_a_proof_sees_every_component_that_has_metrics(metrics: Provider, share: Binding) -> None:
    assert metrics.prove(share) == STEPS
    found = {s["metric"]["job"]: s["value"][1] for s in ask(share).json()["data"]["result"]}
    assert found == {HUB: "1", TRACKING: "1", ITSELF: "1"}


def test_components_tell_what_they_do(mlflow: Provider, share: Binding) -> None:
    requests.get(f"{mlflow.admin['uri']}/api/2.0/mlflow/users/current", auth=login(mlflow.admin), timeout=30)
    wanted = {"mlflow": "mlflow_http_request_total", "jupyterhub": "jupyterhub_total_users"}
    wait_for(lambda: {c: n for c, n in wanted.items() if n in names(share, c)} == wanted)


def names(share: Binding, component: str) -> set[str]:
    series = ask(share, f'series?match[]={{component="{component}"}}').json()["data"]
    return {s["__name__"] for s in series}


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "api/v1/admin/tsdb/delete_series?match[]=up", id="deleting metrics"),
        pytest.param("POST", "api/v1/write", id="writing metrics"),
        pytest.param("POST", "-/reload", id="reloading"),
        pytest.param("POST", "-/quit", id="stopping it"),
    ],
)
def test_a_login_changes_nothing(share: Binding, method: str, path: str) -> None:
    answer = requests.request(method, f"{share['uri']}/{path}", auth=login(share), timeout=10)
    assert answer.status_code >= 400
    assert re.search("disabled|not enabled|needs to be enabled", answer.text), answer.text
    assert opens(share)


LOGINS: dict[str, tuple[str, str, Any, int]] = {
    "making one": ("PUT", "/logins/evil", {"password": "x" * 40}, 401),
    "ending one": ("DELETE", f"/logins/{STACK}-{OTHER}.1", None, 401),
    "listing them": ("GET", "/logins", None, 401),
}


@pytest.mark.parametrize(("method", "path", "data", "status"), LOGINS.values(), ids=LOGINS)
def test_logins_are_made_by_the_administrator_alone(
    metrics: Provider, share: Binding, method: str, path: str, data: Any, status: int
) -> None:
    url = f"http://127.0.0.1:{metrics.admin['logins-port']}{path}"
    for auth in (login(share), None, ("admin", "wrong")):
        assert requests.request(method, url, json=data, auth=auth, timeout=10).status_code == status
    assert opens(metrics.share(OTHER))


REFUSED: dict[str, tuple[str, Any, int]] = {
    "the administrator": ("/logins/admin", {"password": "x" * 40}, 404),
    "a path": ("/logins/../admin", {"password": "x" * 40}, 404),
    "a name that isn't one": ("/logins/A%20b", {"password": "x" * 40}, 404),
    "a short password": ("/logins/a", {"password": "short"}, 400),
    "a long password": ("/logins/a", {"password": "x" * 73}, 400),
    "no password": ("/logins/a", {}, 400),
    "no object": ("/logins/a", ["x"], 400),
    "too much": ("/logins/a", {"password": "x" * 40, "more": "x" * 5000}, 400),
}


@pytest.mark.parametrize(("path", "data", "status"), REFUSED.values(), ids=REFUSED)
def test_nonsense_makes_no_login(metrics: Provider, share: Binding, path: str, data: Any, status: int) -> None:
    url = f"http://127.0.0.1:{metrics.admin['logins-port']}{path}"
    assert requests.put(url, json=data, auth=login(metrics.admin), timeout=10).status_code == status
    assert opens(metrics.admin)


def test_two_generations_work_and_the_third_ends_the_first(metrics: Provider) -> None:
    generations = [metrics.share(CONSUMER, number) for number in (1, 2, 3)]
    for share in generations:
        metrics.claim(share)
    assert [opens(share) for share in generations] == [False, True, True]
    metrics.retire(generations[2])
    assert [opens(share) for share in generations] == [False, False, True]
    metrics.revoke(generations[2])
    assert not opens(generations[2])
    assert opens(metrics.admin)


def test_logins_and_metrics_survive_a_restart_and_a_new_password(shipped: Shipped, tmp_path: Path) -> None:
    alone = Shipped(shipped.folder, ports={**shipped.ports, "metrics": servers.free_port()})
    provider = collector.provider(alone)
    share = provider.share(CONSUMER)
    with collector.prometheus(alone, tmp_path, {}):
        provider.claim(share)
        provider.prove(share)
    kept = (tmp_path / "logins" / "web.yml").read_text("utf-8")
    assert share["password"] not in kept
    assert provider.admin["password"] not in kept
    old, new = provider.admin, {**provider.admin, "password": "another-one" * 3}
    alone.made[f"{collector.NAME}-metrics-admin-1"] = new
    with collector.prometheus(alone, tmp_path, {}):
        assert [opens(binding) for binding in (share, old, new)] == [True, False, True]
        assert ask(share, "query?query=count_over_time(up[10m])").json()["data"]["result"]


def test_a_wrong_administrator_is_a_matter_of_credentials(metrics: Provider) -> None:
    with pytest.raises(ClaimFailedError) as failed:
        metrics.claim(metrics.share(OTHER), {**metrics.admin, "password": "wrong"})
    assert failed.value.kind == "auth"


def test_a_server_that_isn_t_ours_is_told_how_to_be_used(metrics: Provider) -> None:
    admin = {key: value for key, value in metrics.admin.items() if key != "logins-port"}
    with pytest.raises(ClaimFailedError, match="access: Share"):
        metrics.claim(metrics.share(OTHER), admin)


def _dropped(metrics: Provider, share: Binding) -> None:
    metrics.revoke(share)


def _other_password(metrics: Provider, share: Binding) -> None:
    metrics.claim({**share, "password": "x" * 40})


FAULTS: dict[str, tuple[Callable[[Provider, Binding], None], str, str]] = {
    "login-dropped": (_dropped, "ask for a sum", "auth"),
    "password-changed": (_other_password, "ask for a sum", "auth"),
}


@pytest.mark.parametrize(("spoil", "step", "kind"), FAULTS.values(), ids=FAULTS)
def test_a_proof_sees_what_is_broken(
    metrics: Provider, share: Binding, spoil: Callable[[Provider, Binding], None], step: str, kind: str
) -> None:
    spoil(metrics, share)
    with pytest.raises(ProofFailedError) as failed:
        metrics.prove(share)
    assert (failed.value.step, failed.value.kind) == (step, kind)
    metrics.claim(share)
    assert metrics.prove(share) == STEPS


def test_a_proof_sees_that_anybody_is_let_in(metrics: Provider, share: Binding, folder: Path) -> None:
    logins = folder / "logins" / "web.yml"
    kept = logins.read_text("utf-8")
    logins.write_text("{}", "utf-8")
    try:
        with pytest.raises(ProofFailedError) as failed:
            metrics.prove(share)
    finally:
        logins.write_text(kept, "utf-8")
    assert (failed.value.step, failed.value.kind) == ("a question without a login is refused", "auth")


def test_a_proof_sees_that_any_password_is_let_in(metrics: Provider, share: Binding) -> None:
    """As behind a proxy that knows who may ask, and doesn't look at passwords."""
    port, known = servers.free_port(), base64.b64encode(":".join(login(share)).encode())
    asked = logging_in(b"Basic " + known, everybody=False)
    with meddler(port, int(share["port"]), asked), pytest.raises(ProofFailedError) as failed:
        metrics.prove({**share, "uri": f"http://127.0.0.1:{port}"})
    assert (failed.value.step, failed.value.kind) == (STEPS[4], "auth")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let proofs wait for nothing, and import their program by the name that a Job gives it."""
    monkeypatch.setattr(importlib.import_module("contracts.metrics.prove"), "PATIENCE_SECONDS", 8.0)


@pytest.mark.usefixtures("impatient")
def test_a_proof_names_what_is_down(shipped: Shipped, tmp_path: Path) -> None:
    alone = Shipped(shipped.folder, ports={**shipped.ports, "metrics": servers.free_port()})
    provider = collector.provider(alone)
    with collector.prometheus(alone, tmp_path, {TRACKING: "127.0.0.1:1"}):
        provider.claim(provider.share(CONSUMER))
        with pytest.raises(ProofFailedError) as failed:
            provider.prove(provider.share(CONSUMER))
    assert (failed.value.step, failed.value.kind) == ("everything it collects is up", "absent")
    assert "not up: mlflow/server, 127.0.0.1:1" in str(failed.value)


PLACES: dict[str, tuple[Binding, str, str]] = {
    "nobody-there": ({"uri": "http://127.0.0.1:1"}, "network", "nothing answers there"),
    "unresolvable": ({"uri": "http://metrics.invalid:9090"}, "network", "the host name doesn't resolve"),
    "no-tls": ({"scheme": "https"}, "tls", "is the key scheme right?"),
    "wrong-path": ({"path": "/elsewhere"}, "other", "are port and path right?"),
    "nothing-like-it": ({"selector": 'job="unheard"'}, "absent", "nothing was collected in the last 5m"),
    "broken-selector": ({"selector": "job="}, "other", "isn't understood"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("changed", "kind", "says"), PLACES.values(), ids=PLACES)
def test_what_is_wrong_with_a_binding_is_told(
    metrics: Provider, share: Binding, changed: Binding, kind: str, says: str
) -> None:
    spoilt = {**share, **changed}
    place = f"{spoilt['scheme']}://{share['host']}:{share['port']}{spoilt.get('path', '')}"
    with pytest.raises(ProofFailedError) as failed:
        metrics.prove({**spoilt, "uri": changed.get("uri", place)})
    assert (failed.value.kind, says in str(failed.value)) == (kind, True), str(failed.value)
