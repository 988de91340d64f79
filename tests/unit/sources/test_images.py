"""What is copied between registries: whole, unchanged, and nothing twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from aistack.errors import ArtifactError, RegistryError
from aistack.objects.artifact import FOLDER, PIECE, digest_of, parse_reference
from aistack.sources.credentials import Login, Logins
from aistack.sources.images import INDEX, copy, digest_at
from aistack.sources.oci import MANIFEST, Artifact, Blob, pull, push
from aistack.sources.registry import Access
from tests.registry import FakeRegistry, fake_registry, says


@pytest.fixture
async def there() -> AsyncIterator[FakeRegistry]:
    async with fake_registry() as registry:
        yield registry


@pytest.fixture
async def here() -> AsyncIterator[FakeRegistry]:
    async with fake_registry() as registry:
        yield registry


def index(*manifests: bytes) -> bytes:
    """An index of images."""
    named = [{"mediaType": MANIFEST, "digest": digest_of(raw), "size": len(raw)} for raw in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": named}).encode()


async def test_an_image_of_two_platforms_is_copied_whole(there: FakeRegistry, here: FakeRegistry) -> None:
    images = [Artifact("image", (Blob("layer", name.encode() * 100_000), Blob("layer", b"shared"))) for name in "ab"]
    for image in images:
        await push(parse_reference(there.reference("app:x")), image)
    raw = index(*(image.manifest() for image in images))
    there.manifests["1.0"] = there.manifests[digest_of(raw)] = raw

    source, target = parse_reference(there.reference("app:1.0")), parse_reference(here.reference("ai/app:1.0"))
    assert await copy(source, target, Access()) == digest_of(raw)
    assert here.manifests["1.0"] == raw
    assert here.blobs == there.blobs
    assert {digest_of(image.manifest()) for image in images} <= here.manifests.keys()
    here.asked.clear()
    await copy(source, target, Access())
    assert not [line for line in here.asked if "uploads" in line], "what is there isn't sent again"


async def test_an_artifact_keeps_its_digest(there: FakeRegistry, here: FakeRegistry) -> None:
    artifact = Artifact(PIECE, (Blob(FOLDER, b"packed"),))
    source = parse_reference(there.reference("hello:1")).pinned(
        await push(parse_reference(there.reference("hello:1")), artifact)
    )
    digest = await copy(source, parse_reference(here.reference("hello:1")), Access())

    assert digest == source.digest
    assert await pull(parse_reference(here.reference(f"hello@{digest}"))) == (digest, artifact)


async def test_each_registry_is_opened_with_its_own_login(there: FakeRegistry, here: FakeRegistry) -> None:
    there.login, here.login, here.tokens = "a:1", "b:2", True
    access = Access(Logins({there.host: Login("a", "1"), here.host: Login("b", "2")}))
    await push(parse_reference(there.reference()), Artifact("x", (Blob("y", b"z"),)), access)
    source, target = parse_reference(there.reference()), parse_reference(here.reference())

    digest = await copy(source, target, access)
    assert await digest_at(target, access) == digest
    with pytest.raises(RegistryError, match="401"):
        await copy(source, target, Access(Logins({there.host: Login("a", "1")})))


async def test_a_manifest_that_is_another_one_is_not_copied(there: FakeRegistry, here: FakeRegistry) -> None:
    image = Artifact("image", (Blob("layer", b"a"),))
    await push(parse_reference(there.reference("app:x")), image)
    there.manifests["1.0"] = index(image.manifest())
    there.lies[f"manifests/{image.digest}"] = says(Artifact("image", (Blob("layer", b"b"),)).manifest())

    with pytest.raises(ArtifactError, match="the registry sent another manifest"):
        await copy(parse_reference(there.reference("app:1.0")), parse_reference(here.reference("app:1.0")), Access())
    assert "1.0" not in here.manifests, "the name comes last"


async def test_an_index_without_end_is_left(there: FakeRegistry, here: FakeRegistry) -> None:
    raw = index(b"{}")
    for _ in range(6):
        there.manifests[digest_of(raw)] = raw
        raw = index(raw)
    there.manifests["1.0"] = raw
    with pytest.raises(ArtifactError, match="is an index of indexes of indexes"):
        await copy(parse_reference(there.reference("app:1.0")), parse_reference(here.reference("app:1.0")), Access())


@pytest.mark.parametrize("raw", [b"[]", b"{", b'{"layers": [{"digest": "sha256:../x", "size": 1}]}'])
async def test_what_is_no_manifest_is_told(there: FakeRegistry, here: FakeRegistry, raw: bytes) -> None:
    there.manifests["1.0"] = raw
    with pytest.raises(ArtifactError, match=r"is no JSON object|is no digest"):
        await copy(parse_reference(there.reference("app:1.0")), parse_reference(here.reference("app:1.0")), Access())


async def test_a_token_that_has_run_out_is_renewed(there: FakeRegistry) -> None:
    there.tokens = True
    artifact = Artifact("x", (Blob("y", b"z"),))
    reference = parse_reference(there.reference())
    await push(reference, artifact)
    there.expire_after = 1
    there.asked.clear()
    assert await pull(reference) == (artifact.digest, artifact)
    assert len([line for line in there.asked if "token" in line]) > 1
