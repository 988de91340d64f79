"""Commands about connections, as a user runs them: prove, rotate, wait --for proven, bind, env."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from aistack.cli.exits import ExitCode
from tests.cluster.controlplane import ControlPlane
from tests.integration.clilab import Cli
from tests.integration.stacklab import StackLab, stack_lab

pytestmark = pytest.mark.integration


@pytest.fixture
async def lab(control_plane: ControlPlane) -> AsyncIterator[StackLab]:
    async with stack_lab(control_plane) as lab:
        yield lab


@pytest.fixture
def cli(lab: StackLab, tmp_path: Path) -> Cli:
    return Cli(lab, tmp_path)


async def test_prove_tries_every_connection_now(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await asyncio.sleep(1.1)  # the ends of proofs are told to the second
        runs = sum(lab.proofs.values())
        result = await cli.beside(operator, "prove", "--timeout", "60s")
        assert sum(lab.proofs.values()) > runs
    assert (result.code, result.err) == (ExitCode.OK, "connections tried by real work: 2\n")
    assert "web/sql  Proven  1 steps, 0.0s" in result.out.splitlines()


async def test_prove_reports_what_is_broken(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await asyncio.sleep(1.1)
        lab.faults["sql"] = ("network", "nobody answers")
        result = await cli.beside(operator, "prove", "web/sql", "-o", "junit", "--timeout", "60s")
    assert result.code == ExitCode.NOT_READY
    assert result.err == "error: 1 of 1 connections failed\n"
    suites = ElementTree.fromstring(result.out)  # noqa: S314  # our own output
    assert [suite.get("name") for suite in suites] == ["web/sql"]
    failure = suites[0][0][0]
    assert (failure.tag, failure.get("type"), failure.get("message")) == ("failure", "network", "work: nobody answers")


async def test_prove_and_rotate_know_what_is_connected(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    unknown = await cli("prove", "web/sqll")
    assert unknown.code == ExitCode.ERROR
    assert unknown.err.startswith("error: demo has no connection 'web/sqll'; it has web/sql, ")
    nothing = await cli("rotate")
    assert nothing.err == "error: name one connection (CONSUMER/CONTRACT), or say --all\n"
    late = await cli("prove", "web/sql", "--timeout", "1s")
    assert late.code == ExitCode.NOT_READY
    assert late.err.splitlines()[-1] == "error: not tried within 1s: web/sql (Proven)"


async def test_rotate_gives_each_connection_new_credentials_in_turn(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        live = await lab.converge(operator)
        result = await cli.beside(operator, "rotate", "--all", "--timeout", "60s")
        await lab.converge(operator)
    assert (result.code, result.err) == (ExitCode.OK, "")
    for edge in live["status"]["edges"]:
        assert f"{edge['from']}/{edge['contract']} has new credentials after " in result.out
    assert await lab.get("Secret", "demo-web-sql-2") is not None
    assert await lab.get("Secret", "demo-web-sql-3") is None


async def test_wait_for_proven(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        result = await cli.beside(operator, "wait", "demo", "--for", "proven", "--timeout", "60s")
    assert (result.code, result.err) == (ExitCode.OK, "")
    assert {e["state"] for e in (await lab.live())["status"]["edges"]} == {"Proven"}


async def test_wait_for_proven_gives_up_where_nothing_is_ever_proven(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy, proofs: {every: 'off'}}")
    async with lab.operator() as operator:
        result = await cli.beside(operator, "wait", "demo", "--for", "proven", "--timeout", "60s")
    assert result.code == ExitCode.NOT_READY
    assert "error: its proofs are off (spec.proofs.every); `aistack prove` runs them once" in result.err


async def test_bind_waits_until_the_share_works_and_says_how_to_use_it(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{components: [{name: db}]}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        result = await cli.beside(operator, "bind", "sql", "report", "--timeout", "60s")
        assert result.code == ExitCode.OK, result.err
        assert result.out.splitlines() == [
            "Secret   demo-app-report-sql-1",
            "labels   aistack.dev/stack: demo, aistack.dev/identity: app-report",
        ]
        share = await cli("env", "sql")
    assert share.code == ExitCode.OK
    assert "SQLHOST=demo-db." in share.out
    assert "SQL_URL=sql://demo_app_report_1:" in share.out
    local = await cli("env", "sql", "--local")
    assert "SQLHOST=127.0.0.1" in local.out
    assert "@127.0.0.1:5432/" in local.out
    assert f"kubectl -n {lab.namespace} port-forward service/demo-db 5432:5432" in local.err


async def test_bind_writes_nothing_on_a_dry_run(cli: Cli) -> None:
    await cli.lab.create("{components: [{name: db}]}")
    result = await cli("bind", "sql", "report", "--dry-run")
    assert yaml.safe_load(result.out)["spec"] == {"stack": "demo", "contract": "sql"}
    none = await cli("env", "sql")
    assert none.code == ExitCode.ERROR
    assert "has no AIBinding for sql; make one with: " in none.err
    assert "bind sql laptop" in none.err


async def test_bind_gives_up_when_a_person_must_act(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{components: [{name: db}]}")
    async with lab.operator() as operator:
        result = await cli.beside(operator, "bind", "blob", "files", "--timeout", "60s")
    assert result.code == ExitCode.NOT_READY
    assert "nothing in the stack 'demo' provides 'blob'" in result.err
    unknown = await cli("bind", "sqll", "x")
    assert unknown.err == "error: no contract is named 'sqll'; did you mean 'sql'?\n"
