"""The component of docs/component-authors.md on real nodes: installed at run time, wired to postgres and s3, proven."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.authors import EXAMPLE, RECORDING, Step, record, say, steps
from tests.cluster.common.daemons import Daemon
from tests.demo.cluster import AISTACK, user_environment
from tests.journey.kube import Kube
from tests.journey.operator import remove_namespace
from tests.oci import registry

pytestmark = pytest.mark.e2e

NAMESPACE, STACK, COMPONENT = "ml", "demo", "label-studio"
PLACES = ("on nodes", "once on nodes") if RECORDING else ("on nodes",)
BUILD = (AISTACK, "images", "build", COMPONENT, "--piece", COMPONENT)
"""Minutes the first time; nothing where the image is built."""


@pytest.fixture
def said(kube: Kube, operator: Daemon, tmp_path: Path) -> Iterator[list[Step]]:
    """What the page's commands say, from its push on; the operator is a process here, and so is the registry."""
    shutil.copytree(EXAMPLE, tmp_path / EXAMPLE.name)
    remove_namespace(kube, NAMESPACE)
    environment = {**os.environ, **user_environment(kube)}
    with registry(tmp_path / "registry") as there:
        try:
            subprocess.run(BUILD, cwd=tmp_path, env=environment, check=True)
            commands = list(steps("on a cluster", *PLACES))
            yield [Step(step.command, say(step, tmp_path, environment, there.host, patience=900)) for step in commands]
        finally:
            kube.run("-n", NAMESPACE, "delete", "aistack", STACK, "--ignore-not-found", "--timeout=120s", timeout=150)
            kube.run("delete", "aicomponent", COMPONENT, "--ignore-not-found", "--timeout=60s", timeout=90)
            remove_namespace(kube, NAMESPACE)


@pytest.mark.timeout(2400)
def test_it_is_installed_at_run_time_wired_and_proven(said: list[Step], kube: Kube) -> None:
    if RECORDING:
        mine = [step.command for step in steps(*PLACES)]
        record([step for step in said if step.command in mine], *PLACES)
    status = kube.json("-n", NAMESPACE, "get", "aistack", STACK)["status"]
    assert {c["type"]: c["status"] for c in status["conditions"]}["Proven"] == "True", said
    edges = {f"{edge['from']}/{edge['contract']}": edge["state"] for edge in status["edges"]}
    assert edges == {f"{COMPONENT}/postgres": "Proven", f"{COMPONENT}/s3": "Proven"}
    labelled(kube)


def labelled(kube: Kube) -> None:
    """Make a project, upload a file of tasks, and read them back, as a notebook would."""
    login = next(
        name
        for name in kube.run("-n", NAMESPACE, "get", "secrets", "-o", "name").split()
        if f"{STACK}-{COMPONENT}-login-" in name
    )
    token = kube.secret(NAMESPACE, login.partition("/")[2])["token"]
    with kube.forward(NAMESPACE, f"service/{STACK}-{COMPONENT}", 8080) as port:
        api, headers = f"http://127.0.0.1:{port}/api/projects", {"Authorization": f"Token {token}"}
        assert requests.get(api, timeout=30).status_code == 401
        config = '<View><Text name="t" value="$text"/></View>'
        made = requests.post(api, json={"title": "cats", "label_config": config}, headers=headers, timeout=60)
        assert made.status_code == 201, made.text
        project = f"{api}/{made.json()['id']}"
        sent = {"file": ("tasks.csv", b"text\nmeow\npurr\n")}
        assert requests.post(f"{project}/import", files=sent, headers=headers, timeout=60).json()["task_count"] == 2
        export = f"{project}/export?exportType=JSON&download_all_tasks=true"
        tasks = requests.get(export, headers=headers, timeout=60).json()
        assert {task["data"]["text"] for task in tasks} == {"meow", "purr"}
