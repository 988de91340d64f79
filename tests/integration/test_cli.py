"""The command line against the real API server, as a user runs it: what it says, how it exits, what it writes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from aistack.api.group import FINALIZER
from aistack.cli.exits import ExitCode
from aistack.objects.manifest import ObjectKind
from tests.cluster.controlplane import ControlPlane
from tests.integration.stacklab import StackLab, stack_lab
from tests.toy import TOY

pytestmark = pytest.mark.integration

SECRETS = ObjectKind("v1", "Secret")


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """The command line in a process of its own, with the toy catalog."""

    lab: StackLab
    folder: Path

    async def __call__(self, *args: str, kubeconfig: Path | None = None) -> Result:
        where = ["--kubeconfig", str(kubeconfig or self.lab.cluster.kubeconfig), "-n", self.lab.namespace]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "aistack.cli", "--catalog", str(TOY), *where, *args),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"},
        )
        out, err = await process.communicate()
        return Result(process.returncode or 0, out.decode(), err.decode())

    def again(self, words: str) -> str:
        """The command that advice gives: with the global options of this one."""
        return f"aistack {words} --catalog {TOY} --kubeconfig {self.lab.cluster.kubeconfig} -n {self.lab.namespace}"

    def file(self, spec: str = "{profile: toy}") -> str:
        """Write a stack and return its path."""
        manifest = self.lab.manifest(spec)
        del manifest["metadata"]["namespace"]
        path = self.folder / "stack.yaml"
        path.write_text(yaml.safe_dump(manifest))
        return str(path)

    async def plan(self, file: str, *args: str) -> Result:
        """Plan as against the operator of this test."""
        return await self("plan", "-f", file, "--operator-namespace", self.lab.system, *args)

    async def beside(self, operator: object, *args: str) -> Result:
        """Run a command while the operator works."""
        running = asyncio.create_task(self(*args))
        while not running.done():
            if not await self.lab.gone():
                await self.lab.reconcile(operator)  # type: ignore[arg-type]  # a pipeline
                await self.lab.play()
            await asyncio.sleep(0.1)
        return running.result()


@pytest.fixture
async def lab(control_plane: ControlPlane) -> AsyncIterator[StackLab]:
    async with stack_lab(control_plane) as lab:
        yield lab


@pytest.fixture
def cli(lab: StackLab, tmp_path: Path) -> Cli:
    return Cli(lab, tmp_path)


async def values(lab: StackLab) -> list[str]:
    """All values that are secret: those of generated keys."""
    found = (await lab.client.list(SECRETS, lab.namespace)).result()["items"]
    return [b64decode(v).decode() for s in found for k, v in s.get("data", {}).items() if "password" in k or "key" in k]


async def test_apply_hands_over_the_stack_and_nothing_else(cli: Cli) -> None:
    lab = cli.lab
    first = await cli("apply", "-f", cli.file())
    assert (first.code, first.err) == (ExitCode.OK, "")
    assert f"demo in {lab.namespace} applied\nasks for " in first.out
    assert f"next: {cli.again('wait demo')}\n" in first.out
    again = await cli("apply", "-f", cli.file())
    assert f"demo in {lab.namespace} unchanged" in again.out
    assert (await lab.live())["spec"]["profile"] == "toy"
    assert await values(lab) == []


async def test_apply_refuses_before_it_sends(cli: Cli) -> None:
    result = await cli("apply", "-f", cli.file("{profile: tyo}"))
    assert (result.code, result.out) == (ExitCode.ERROR, "")
    assert result.err == "error: spec.profile: no profile is named 'tyo'; did you mean 'toy'?\n"
    assert await cli.lab.gone()


@pytest.mark.parametrize("command", ["apply", "plan"])
async def test_a_missing_namespace_says_how_to_make_it(cli: Cli, command: str) -> None:
    result = await cli(command, "-f", cli.file(), "-n", "no-such-namespace")
    assert result.code == ExitCode.ERROR
    assert "namespace 'no-such-namespace' doesn't exist; kubectl create namespace no-such-namespace" in result.err
    assert result.err.count("\n") == 1


async def test_fields_of_others_are_taken_over_only_by_force(cli: Cli) -> None:
    lab = cli.lab
    async with await lab.lab.stranger() as stranger:
        (await stranger.apply(lab.manifest("{profile: toy, size: large}"))).result()
    file = cli.file("{profile: toy, size: medium}")
    refused = await cli("apply", "-f", file)
    assert refused.code == ExitCode.ERROR
    assert "others own fields that differ in this file: spec.size" in refused.err
    assert "--force takes them over" in refused.err
    assert (await lab.live())["spec"]["size"] == "large"
    assert (await cli("apply", "-f", file, "--force")).code == ExitCode.OK
    assert (await lab.live())["spec"]["size"] == "medium"


async def test_apply_and_wait_show_the_way_and_what_to_do_next(cli: Cli) -> None:
    async with cli.lab.operator() as operator:
        result = await cli.beside(operator, "apply", "-f", cli.file(), "--wait", "--timeout", "90s")
    assert (result.code, result.err) == (ExitCode.OK, "")
    assert "web 3  Pending: waits for db, store" in result.out
    assert "db 2  Ready" in result.out
    assert result.out.splitlines()[-1] == f"next: {cli.again('open web')}"


async def test_plan_finds_nothing_to_do_once_all_is_done(cli: Cli) -> None:
    lab = cli.lab
    before = await cli.plan(cli.file())
    assert before.code == ExitCode.CHANGES
    assert before.out.startswith(f"demo in {lab.namespace} asks for ")
    assert f"+ create   Deployment {lab.namespace}/demo-web" in before.out
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    lab.calls.clear()
    after = await cli.plan(cli.file())
    assert (after.code, after.err) == (ExitCode.OK, "")
    assert "nothing would change" in after.out
    assert lab.writes() == {}


async def test_plan_knows_the_objects_again_without_the_operators_inventory(cli: Cli) -> None:
    await cli.lab.create("{profile: toy}")
    async with cli.lab.operator() as operator:
        await cli.lab.converge(operator)
    result = await cli("plan", "-f", cli.file(), "--operator-namespace", "elsewhere")
    assert (result.code, result.err) == (ExitCode.OK, ""), result.out


async def test_plan_shows_fields_and_no_secret(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    versions = await lab.versions()
    wanted = cli.file("{profile: toy, components: [{name: db, values: {maxConnections: 77}}]}")
    text, data = await cli.plan(wanted), await cli.plan(wanted, "-o", "json")
    assert text.code == data.code == ExitCode.CHANGES
    assert "77" in text.out
    assert {c["change"] for c in json.loads(data.out)[0]["changes"]} == {"update"}
    secret = await values(lab)
    assert secret
    assert not [value for value in secret if value in text.out + data.out]
    assert await lab.versions() == versions, "a plan writes nothing"


async def test_status_shows_one_stack_in_full_and_many_in_lines(cli: Cli) -> None:
    lab = cli.lab
    assert f"there is no AIStack in namespace '{lab.namespace}'" in (await cli("status")).err
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    one = (await cli("status")).out
    assert f"demo in {lab.namespace}  ready" in one
    assert cli.again("open web") in one
    assert f"demo in {lab.namespace}  ready" in (await cli("status", "demo")).out
    assert "NAMESPACE" in (await cli("status", "-A")).out
    data = json.loads((await cli("status", "demo", "-o", "json")).out)
    assert data["metadata"]["uid"] == (await lab.live())["metadata"]["uid"]
    missing = await cli("status", "nosuch")
    assert missing.code == ExitCode.ERROR
    assert "no AIStack is named 'nosuch'" in missing.err


async def test_wait_gives_up_when_a_person_must_act(cli: Cli) -> None:
    await cli.lab.create("{components: [{name: db, version: '99'}]}")
    async with cli.lab.operator() as operator:
        result = await cli.beside(operator, "wait", "demo", "--timeout", "60s")
    assert result.code == ExitCode.NOT_READY
    assert "error: it is stalled: spec.components[db].version: '99' is not in the catalog" in result.err


async def test_wait_gives_up_when_the_time_is_up(cli: Cli) -> None:
    await cli.lab.create("{profile: toy}")
    result = await cli("wait", "demo", "--timeout", "1s")
    assert (result.code, result.err) == (ExitCode.NOT_READY, "error: not ready after 1s\n")


async def test_delete_says_what_stays_and_waits(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        result = await cli.beside(operator, "delete", "demo", "--wait", "--timeout", "90s")
    assert (result.code, result.err) == (ExitCode.OK, "")
    assert "volumes and the Secrets that open them are kept" in result.out
    assert result.out.splitlines()[-1].endswith("gone")
    assert await lab.gone()
    assert await lab.get("PersistentVolumeClaim", "demo-db-data")


async def test_delete_of_data_is_announced(cli: Cli) -> None:
    await cli.lab.create("{profile: toy, deletionPolicy: Delete}")
    result = await cli("delete", "demo")
    assert "volumes and passwords are deleted for good, as spec.deletionPolicy is Delete" in result.out


async def test_an_orphaned_stack_goes_without_operator_and_leaves_all_behind(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    versions = await lab.versions()
    await lab.delete()
    assert (await lab.live())["metadata"]["finalizers"] == [FINALIZER]
    result = await cli("delete", "demo", "--orphan")
    assert (result.code, result.err) == (ExitCode.OK, "")
    assert await lab.gone()
    assert await lab.versions() == versions
    assert "left behind: 4 Deployment, " in result.out
    assert f"kubectl -n {lab.namespace} get deployment," in result.out
    assert "-l aistack.dev/stack=demo,app.kubernetes.io/managed-by=aistack" in result.out


async def test_open_prints_the_login_that_the_secret_holds(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    result = await cli("open", "web", "-o", "json")
    assert (result.code, result.err) == (ExitCode.OK, "")
    login = json.loads(result.out)
    assert login["password"] in await values(lab)
    assert login["password"] in (await cli("open", "web", "--print")).out


async def test_a_missing_right_is_named(cli: Cli) -> None:
    result = await cli("status", kubeconfig=cli.lab.cluster.kubeconfig_for("nobody"))
    assert result.code == ExitCode.ERROR
    assert 'a right is missing: aistacks.aistack.dev is forbidden: User "nobody" cannot list resource' in result.err


async def test_prove_tries_every_connection_now(cli: Cli) -> None:
    lab = cli.lab
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await asyncio.sleep(1.1)  # the ends of proofs are told to the second
        runs = sum(lab.proofs.values())
        result = await cli.beside(operator, "prove", "--timeout", "60s")
        assert sum(lab.proofs.values()) > runs
    assert (result.code, result.err) == (ExitCode.OK, "")
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
    assert (late.code, late.err) == (ExitCode.NOT_READY, "error: not tried within 1s: web/sql (Proven)\n")


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
