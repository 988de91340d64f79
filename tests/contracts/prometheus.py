"""Prometheus and the program that keeps its logins, with the configuration that ships."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.common import debian
from tests.cluster.common.progress import Progress
from tests.contracts import servers
from tests.contracts.shipped import STACK, Binding, Provider, Shipped

NAME = f"{STACK}-prometheus"
PROGRAM = servers.ROOT / "manifests" / "components" / "prometheus" / "files" / "logins.py"
EVERY = "1s"
"""How often it collects here."""


def provider(shipped: Shipped) -> Provider:
    """Return the provider, with a free port for its logins."""
    found = Provider(shipped, "metrics", "prometheus")
    shipped.made[f"{NAME}-metrics-admin-1"] = {**found.admin, "logins-port": str(servers.free_port())}
    return found


@contextmanager
def prometheus(shipped: Shipped, folder: Path, targets: Mapping[str, str]) -> Iterator[None]:
    """Run both over a folder that may hold data already.

    Args:
        shipped: the stack.
        folder: scratch space.
        targets: addresses by job; jobs of what doesn't run here are left out.
    """
    debian.ensure({"prometheus": "prometheus"}, Progress(1))
    admin = shipped.secret(f"{NAME}-metrics-admin")
    (folder / "password").write_text(admin["password"], "utf-8")
    _configure(shipped, folder, {"prometheus/server": f"localhost:{admin['port']}", **targets})
    logins = [str(servers.programs("prometheus-logins", "bcrypt==5.0.0") / "python"), str(PROGRAM)]
    environment = _environment(folder, admin)
    subprocess.run([*logins, "prepare"], check=True, env={**os.environ, **environment})
    home = folder / "beside"
    home.mkdir(exist_ok=True)
    ready = servers.answers(f"http://127.0.0.1:{admin['logins-port']}/ready")
    server = servers.server(_command(shipped, folder, admin["port"]), folder, ready, {})
    with servers.server([*logins, "serve"], home, lambda: True, environment), server:
        yield


def _environment(folder: Path, admin: Binding) -> dict[str, str]:
    return {
        "LOGINS_FILE": str(folder / "logins" / "web.yml"),
        "LOGINS_PORT": admin["logins-port"],
        "ADMIN_PASSWORD_FILE": str(folder / "password"),
        "PROMETHEUS_PORT": admin["port"],
    }


def _command(shipped: Shipped, folder: Path, port: str) -> list[str]:
    changed = {
        "--config.file": str(folder / "prometheus.yml"),
        "--web.config.file": str(folder / "logins" / "web.yml"),
        "--web.listen-address": f"127.0.0.1:{port}",
        "--storage.tsdb.path": str(folder / "data"),
    }
    program, *arguments = shipped.pod(NAME)["containers"][0]["args"]
    names = [argument.partition("=")[0] for argument in arguments]
    assert changed.keys() <= set(names)
    given = [f"{n}={changed[n]}" if n in changed else a for n, a in zip(names, arguments, strict=True)]
    return [debian.which(program) or program, *given]


def _configure(shipped: Shipped, folder: Path, targets: Mapping[str, str]) -> None:
    config = json.loads(shipped.config(NAME)["prometheus.yml"])
    config["global"] |= {"scrape_interval": EVERY, "scrape_timeout": EVERY}
    jobs: list[dict[str, Any]] = [job for job in config["scrape_configs"] if job["job_name"] in targets]
    for job in jobs:
        job["static_configs"][0]["targets"] = [targets[job["job_name"]]]
        _give_login(job, folder)
    config["scrape_configs"] = jobs
    (folder / "prometheus.yml").write_text(json.dumps(config), "utf-8")


def _give_login(job: dict[str, Any], folder: Path) -> None:
    """Let what opens the metrics be found in the folder, under the name that it has in the pod."""
    for login, key in (("authorization", "credentials_file"), ("basic_auth", "password_file")):
        if login in job:
            job[login][key] = str(folder / Path(job[login][key]).name)
