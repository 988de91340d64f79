"""The doctor on a real API server without nodes: it says what is missing, and ends as scripts expect."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aistack.cli.exits import ExitCode
from tests.cluster.controlplane import ControlPlane
from tests.integration.clilab import Cli, Result
from tests.integration.stacklab import stack_lab

pytestmark = pytest.mark.integration


@pytest.fixture
async def cli(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Cli]:
    async with stack_lab(control_plane) as lab:
        yield Cli(lab, tmp_path)


def found(result: Result) -> dict[str, dict[str, Any]]:
    return {finding["check"]: finding for finding in json.loads(result.out)}


async def test_what_is_there_is_told_and_what_is_missing_is_an_error(cli: Cli) -> None:
    result = await cli("doctor", "--profile", "toy", "-o", "json")
    marks = {check: finding["mark"] for check, finding in found(result).items()}
    assert {"Kubernetes", "definitions", "your rights", "namespace", "quota"} <= {
        c for c, m in marks.items() if m == "ok"
    }
    assert {c for c, m in marks.items() if m == "fail"} == {"storage", "nodes", "room"}
    assert result.err == "error: a stack won't work here yet: storage, nodes, room\n"
    assert result.code == ExitCode.NOT_READY


async def test_a_quota_and_a_missing_namespace_are_seen(cli: Cli) -> None:
    metadata = {"name": "small", "namespace": cli.lab.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"memory": "1Mi"}}}
    (await cli.lab.client.create(quota)).result()

    async def told() -> dict[str, Any]:
        return found(await cli("doctor", "--profile", "toy", "-o", "json"))["quota"]

    short = await cli.lab.eventually(told, lambda finding: finding["mark"] == "fail")
    assert "only 1Mi left by quotas" in short["message"]
    elsewhere = found(await cli("-n", "nowhere", "doctor", "--profile", "toy", "-o", "json"))["namespace"]
    assert (elsewhere["mark"], elsewhere["remedy"]) == ("fail", "kubectl create namespace nowhere")


async def test_for_people_it_is_a_table(cli: Cli) -> None:
    lines = (await cli("doctor", "--profile", "toy")).out.splitlines()
    assert lines[0].split() == ["CHECK", "STATE", "MESSAGE"]
    assert any(line.startswith("nodes") and "none of 0 is ready for pods; kubectl get nodes" in line for line in lines)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(("--profile", "toyy"), "no profile is named 'toyy'; did you mean 'toy'?", id="profile"),
        pytest.param(("--kubeconfig", "/nowhere"), "/nowhere", id="credentials"),
    ],
)
async def test_without_a_case_there_is_no_finding(cli: Cli, args: tuple[str, ...], says: str) -> None:
    result = await cli("doctor", *args)
    assert result.code == ExitCode.ERROR
    assert says in result.err
