"""Releases: a catalog packed, known by its bill, kept by operators, and chosen by stacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import Catalog
from aistack.controller.releases import Releases, release_of
from aistack.errors import ArtifactError, AwaitedError, InvalidError, SpecError
from aistack.objects.artifact import RELEASE, parse_reference
from aistack.objects.plan import Observed
from aistack.pieces.stock import Stock
from aistack.planning.plan import plan_stack
from aistack.releases.artifact import Release, build, fetch
from aistack.releases.bill import differences
from aistack.releases.folder import load_packed, pack_catalog
from aistack.releases.store import PREFIX, Store
from aistack.sources.archive import pack
from aistack.sources.oci import Artifact, Blob, push
from aistack.sources.registry import Access
from tests.registry import fake_registry
from tests.toy import TOY, stack, toy, toy_copy
from tests.unit.pieces.test_keeper import Home


def changed(tmp_path: Path) -> Path:
    """The toy, a version later: a component's version, a template, a contract; one component gone and one new."""
    root = toy_copy(tmp_path)
    for name, old, new in (
        ("components/db/component.yaml", 'versions: ["2", "1"]', 'versions: ["3", "2"]'),
        ("components/db/component.yaml", "tag: 2.0-1", "tag: 3.0-1"),
        ("components/store/templates/server.yaml.j2", "kind: Service", "kind: Service\n# news"),
        ("contracts/blob/claim.py", "def claim", "# news\ndef claim"),
        ("components/pong/component.yaml", "name: pong", "name: pang"),
    ):
        file = root / name
        assert old in file.read_text(), name
        file.write_text(file.read_text().replace(old, new))
    (root / "components" / "pong").rename(root / "components" / "pang")
    return root


@pytest.mark.parametrize("root", [TOY, catalog_folder()], ids=["toy", "shipped"])
def test_a_release_holds_all_that_stacks_are_planned_from(root: Path) -> None:
    loaded = load_packed("1", pack_catalog(root))
    assert loaded.digest == load_catalog(root).digest
    assert loaded.release == "1"
    assert loaded.runner_programs == load_catalog(root).runner_programs


def test_programs_of_proofs_come_along(tmp_path: Path) -> None:
    root = toy_copy(tmp_path)
    (root / "proving").mkdir()
    (root / "proving" / "claims.py").write_text("# of another version\n")
    assert load_catalog(root).runner_programs == {"aistack/proving/claims.py": "# of another version\n"}


def test_what_no_plan_is_made_from_makes_no_other_release(tmp_path: Path) -> None:
    root = toy_copy(tmp_path)
    for name in ("README.md", "tests/a/stack.yaml", "image/Containerfile", "__pycache__/x.pyc", ".idea"):
        file = root / "components" / "db" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    (root / "images" / "python").mkdir()
    (root / "images" / "python" / "Containerfile").write_text("FROM scratch")
    assert pack_catalog(root) != pack_catalog(TOY), "a README is a part of a component"
    (root / "components" / "db" / "README.md").unlink()
    assert pack_catalog(root) == pack_catalog(TOY)


def test_the_bill_says_what_a_release_is_made_of() -> None:
    bill = build(TOY, "1.0", "2026-11-28").bill
    assert (bill.name, bill.date, bill.catalog) == ("1.0", "2026-11-28", toy().digest)
    db = bill.components["db"]
    assert (db.version, db.versions, db.tier) == ("2", ("2", "1"), "")
    assert db.images["server"].reference == "registry.aistack.dev/db:2.0-1"
    assert bill.runner.reference == "registry.aistack.dev/runner:1.0-1"
    assert bill.contracts.keys() == toy().contracts.keys()


def test_what_is_other_in_the_next_release(tmp_path: Path) -> None:
    before, after = build(TOY, "1.0", "2026-11-28"), build(changed(tmp_path), "2.0", "2026-12-28")

    assert dict(differences(before.bill, after.bill)) == {
        "components/db": "version 2 -> 3, image server db:2.0-1 -> db:3.0-1",
        "components/pang": f"new ({toy().components['pong'].spec.versions[0]})",
        "components/pong": f"gone ({toy().components['pong'].spec.versions[0]})",
        "components/store": "templates or settings changed",
        "contracts/blob": "changed",
    }
    assert list(differences(before.bill, before.bill)) == []


async def test_a_release_goes_to_a_registry_and_comes_back() -> None:
    made = build(TOY, "1.0", "2026-11-28")
    async with fake_registry() as registry:
        reference = parse_reference(registry.reference("release:1.0"))
        digest = await push(reference, made.artifact())
        assert await fetch(reference.pinned(digest), Access()) == made
        assert made.artifact().type == RELEASE
        await push(reference, Artifact("image", (Blob("x", b"y"),)))
        with pytest.raises(ArtifactError, match="is an artifact of type 'image'"):
            await fetch(reference, Access())


# ---------------------------------------------------------------------- kept by an operator


def store(home: Home) -> Store:
    client: Any = home
    return Store(client, "aistack-system")


async def test_a_release_is_kept_once_and_found_by_name() -> None:
    home, made = Home(), build(TOY, "1.0", "2026-11-28")

    assert await store(home).keep(made)
    assert list(home.objects) == [f"{PREFIX}1.0"]
    home.objects[f"{PREFIX}1.0"]["metadata"]["resourceVersion"] = "1"
    assert not await store(home).keep(build(TOY, "1.0", "2026-11-29")), "another day is no other release"
    assert await store(home).get("1.0") == made
    assert (await store(home).catalog("1.0")).digest == toy().digest
    with pytest.raises(AwaitedError, match=r"no release is named '2\.0'; install it"):
        await store(home).catalog("2.0")


async def test_a_release_that_is_damaged_is_told() -> None:
    home = Home()
    await store(home).keep(build(TOY, "1.0", "2026-11-28"))
    home.objects[f"{PREFIX}1.0"]["binaryData"] = {}
    with pytest.raises(InvalidError, match="holds no release; install it again"):
        await store(home).catalog("1.0")


# ---------------------------------------------------------------------- chosen by stacks


def running(release: str = "", asked: str = "") -> AIStack:
    """A stack that runs one release and asks for another."""
    spec = f"{{profile: toy{f', release: {asked!r}' if asked else ''}}}"
    return stack(spec).model_copy(update={"status": AIStackStatus(release=release)})


async def upgraded(tmp_path: Path) -> Releases:
    """An operator of version 2, where one of version 1 was before."""
    home = Home()
    await store(home).keep(build(TOY, "1.0", "2026-11-28"))
    own = build(changed(tmp_path), "2.0", "2026-12-28")
    client: Any = home
    releases = Releases(client, "aistack-system", Stock(replace(own.catalog(), release="2.0")), own)
    await releases.prepare()
    return releases


@pytest.mark.parametrize(
    ("stack", "release"),
    [
        pytest.param(running(), "2.0", id="new"),
        pytest.param(running("1.0"), "1.0", id="stays"),
        pytest.param(running("1.0", "2.0"), "2.0", id="told to go on"),
        pytest.param(running("1.0", "latest"), "2.0", id="told to be the newest"),
        pytest.param(running("2.0"), "2.0", id="is there already"),
        pytest.param(running("2.0", "1.0"), "1.0", id="told to go back"),
        pytest.param(running("0.9"), "2.0", id="of one that nobody kept"),
    ],
)
async def test_a_stack_stays_until_it_is_told_otherwise(stack: AIStack, release: str, tmp_path: Path) -> None:
    releases = await upgraded(tmp_path)
    catalog: Catalog = await releases.catalog_of(stack)

    assert catalog.release == release
    planned = plan_stack(stack, catalog, Observed())
    assert planned.release == release
    assert planned.resolved["db"].version == {"1.0": "2", "2.0": "3"}[release]


async def test_a_release_that_is_not_there_is_awaited(tmp_path: Path) -> None:
    with pytest.raises(AwaitedError, match=r"spec\.release: no release is named '9\.0'"):
        await (await upgraded(tmp_path)).catalog_of(running("1.0", "9.0"))


async def test_a_release_that_this_version_cannot_read_is_told(tmp_path: Path) -> None:
    home, root = Home(), toy_copy(tmp_path)
    (root / "components" / "db" / "component.yaml").write_text("{name: db, colour: red}")
    await store(home).keep(Release(build(TOY, "1.0", "2026-11-28").bill, pack(root)))
    client: Any = home
    releases = Releases(client, "aistack-system", Stock(toy()), build(TOY, "2.0", "2026-12-28"))
    with pytest.raises(SpecError, match=r"can't read the release 1\.0: .*; write latest, or another one"):
        await releases.catalog_of(running("1.0"))


def test_a_catalog_that_is_too_large_to_keep_keeps_no_operator_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert release_of(TOY) is not None
    monkeypatch.setattr("aistack.releases.artifact.LARGEST", 100)
    assert release_of(TOY) is None


async def test_an_operator_with_a_folder_alone_has_no_release() -> None:
    client: Any = Home()
    releases = Releases(client, "aistack-system", Stock(toy()), None)
    await releases.prepare()
    assert (await releases.catalog_of(running())) is toy()
    assert client.objects == {}
