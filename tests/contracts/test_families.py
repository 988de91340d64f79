"""Servers that ship, as started in a cluster of IPv6: each answers there, and still on loopback's other family."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from aistack.objects.manifest import Manifest, ref_of
from aistack.objects.plan import Observed
from tests.contracts import memory, servers
from tests.toy import container_of, find, plan, starter

SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "demo-seaweedfs", "namespace": "ml"},
    "spec": {"ipFamilies": ["IPv6"]},
}
SPEC = "{profile: starter, components: [{name: valkey}, {name: prometheus}]}"
PLANNED = plan(SPEC, Observed({ref_of(SERVICE): SERVICE}), catalog=starter())


def listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture
def seaweedfs(tmp_path: Path) -> Iterator[tuple[int, ...]]:
    arguments = container_of(find(PLANNED, "Deployment", "demo-seaweedfs"), "seaweedfs")["args"]
    s3, metrics, *inner = (servers.free_port() for _ in range(5))
    local = [f"-dir={tmp_path}", f"-s3.port={s3}", f"-metricsPort={metrics}"]
    local += [f"-{name}.port={port}" for name, port in zip(("master", "volume", "filer"), inner, strict=True)]
    command = [str(servers.image_programs("seaweedfs/image") / "weed"), *arguments, *local]
    with servers.server(command, tmp_path, servers.answers(f"http://[::1]:{s3}/healthz"), {}):
        yield s3, metrics


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[tuple[int, ...]]:
    arguments = container_of(find(PLANNED, "Deployment", "demo-valkey"), "valkey")["args"]
    (tmp_path / "password").write_text("p", "utf-8")
    port = servers.free_port()
    command = memory.command("valkey", [*arguments, "--port", str(port)])
    environment = memory.environment("valkey", tmp_path)
    with servers.server(command, tmp_path, lambda: listens("::1", port), environment):
        yield (port,)


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[tuple[int, ...]]:
    """The program beside MLflow that shows its metrics."""
    program = tmp_path / "metrics.py"
    program.write_text(find(PLANNED, "ConfigMap", "demo-mlflow-metrics")["data"]["metrics.py"], "utf-8")
    port = servers.free_port()
    environment = {"METRICS_FOLDER": str(tmp_path), "METRICS_PORT": str(port)}
    python = str(servers.programs("prometheus-client", "prometheus-client==0.23.1") / "python")
    with servers.server([python, str(program)], tmp_path, lambda: listens("::1", port), environment):
        yield (port,)


@pytest.fixture
def logins(tmp_path: Path) -> Iterator[tuple[int, ...]]:
    """The program beside Prometheus that the kubelet asks."""
    program = tmp_path / "logins.py"
    program.write_text(find(PLANNED, "ConfigMap", "demo-prometheus-logins")["data"]["logins.py"], "utf-8")
    port = servers.free_port()
    environment = {
        "LOGINS_FILE": str(tmp_path / "web.yml"),
        "LOGINS_PORT": str(port),
        "ADMIN_PASSWORD_FILE": str(tmp_path / "password"),
        "PROMETHEUS_PORT": "1",
    }
    python = str(servers.programs("prometheus-logins", "bcrypt==5.0.0") / "python")
    command = [python, str(program), "serve"]
    with servers.server(command, tmp_path, lambda: listens("::1", port), environment):
        yield (port,)


@pytest.mark.parametrize("server", ["seaweedfs", "valkey", "metrics", "logins"])
@pytest.mark.parametrize("host", ["::1", "127.0.0.1"])
def test_it_answers(request: pytest.FixtureRequest, server: str, host: str) -> None:
    ports = request.getfixturevalue(server)
    assert all(listens(host, port) for port in ports)
