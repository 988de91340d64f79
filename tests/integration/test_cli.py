"""The command line against the real API server, as a user runs it: what it says, how it exits, what it writes."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aistack.api.group import FINALIZER
from aistack.cli.exits import ExitCode
from aistack.objects.manifest import ObjectKind
from tests.cluster.controlplane import ControlPlane
from tests.integration.clilab import Cli
from tests.integration.stacklab import StackLab, stack_lab

pytestmark = pytest.mark.integration

SECRETS = ObjectKind("v1", "Secret")


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
