"""MLflow on loopback, with the programs and the environment that ship."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.contracts import servers
from tests.contracts.shipped import STACK, Shipped
from tests.toy import container_of, find, plan, starter

INGRESS = ("mlflow.example.com", "*.apps.example.com")
"""Hosts that the server answers beyond those of every stack."""
EXPOSED = "ml.example.org"
"""Where the stack's pages are exposed."""


def programs() -> Path:
    """Return the ``bin`` with MLflow's server."""
    overrides = servers.ROOT / "manifests" / "components" / "mlflow" / "image" / "overrides.txt"
    return servers.image_programs("mlflow/image", "--overrides", str(overrides))


def prepare(shipped: Shipped, folder: Path, changes: Mapping[str, str] | None = None) -> str:
    """Run the init container's program, and return what it prints.

    Raises:
        RuntimeError: it failed.
    """
    container = shipped.pod(f"{STACK}-mlflow")["initContainers"][0]
    program = folder / "prepare.py"
    program.write_text(shipped.config(f"{STACK}-mlflow-prepare")["prepare.py"], "utf-8")
    environment = {**shipped.environment(container), "AUTH_CONFIG": str(folder / "auth.ini"), **(changes or {})}
    command = [str(programs() / "python"), str(program)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


@contextmanager
def mlflow(shipped: Shipped, folder: Path) -> Iterator[None]:
    """Prepare and run it."""
    prepare(shipped, folder)
    container = shipped.pod(f"{STACK}-mlflow")["containers"][0]
    port = shipped.ports["mlflow"]
    local = {
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_PORT": str(port),
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "PATH": f"{programs()}:/usr/bin:/bin",
    }
    command = [str(programs() / container["args"][0]), *container["args"][1:-1], str(folder)]
    ready = servers.passes(container["readinessProbe"], port)
    with servers.server(command, folder, ready, {**shipped.environment(container), **allowed(), **local}):
        yield


def allowed() -> dict[str, str]:
    """Return what the server is told of hosts and origins where an ingress stands before it."""
    component = {"name": "mlflow", "values": {"allowedHosts": list(INGRESS)}}
    expose = {"host": EXPOSED, "className": "nginx", "tls": {}}
    planned = plan({"profile": "starter", "components": [component], "expose": expose}, catalog=starter(), name=STACK)
    environment = container_of(find(planned, "Deployment", f"{STACK}-mlflow"), "mlflow")["env"]
    return {e["name"]: e["value"] for e in environment if "_ALLOWED_" in e["name"]}
