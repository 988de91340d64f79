"""Artifacts and images in a registry as others run it: distribution, open, and with a login and a private authority."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aistack.errors import ArtifactError, RegistryError
from aistack.objects.artifact import FOLDER, PIECE, digest_of, parse_reference
from aistack.pieces.artifact import to_artifact
from aistack.sources.credentials import Login, Logins
from aistack.sources.images import INDEX, copy, digest_at
from aistack.sources.oci import MANIFEST, Artifact, Blob, pull, push, registry_of, resolve
from aistack.sources.registry import Access
from tests import oci
from tests.hello import write_hello

pytestmark = [pytest.mark.integration, pytest.mark.any_version]

LAYER = b"layer" * 2**20


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oci.Registry]:
    with oci.registry(tmp_path_factory.mktemp("open")) as registry:
        yield registry


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oci.Registry]:
    with oci.registry(tmp_path_factory.mktemp("closed"), closed=True) as registry:
        yield registry


def access(registry: oci.Registry, password: str = oci.PASSWORD) -> Access:
    logins = Logins({registry.host: Login(oci.USER, password)}) if registry.authority else Logins()
    return Access(logins, registry.authority)


@pytest.fixture(params=["open", "closed"])
def registry(request: pytest.FixtureRequest, public: oci.Registry, closed: oci.Registry) -> oci.Registry:
    return public if request.param == "open" else closed


async def test_an_artifact_goes_there_and_comes_back(registry: oci.Registry, tmp_path: Path) -> None:
    artifact = to_artifact(write_hello(tmp_path))
    reference = parse_reference(registry.reference("team/hello:1.0"))
    pinned = reference.pinned(await push(reference, artifact, access(registry)))

    assert await resolve(reference, access(registry)) == pinned.digest == artifact.digest
    assert await pull(pinned, access(registry)) == (artifact.digest, artifact)
    assert await push(reference, artifact, access(registry)) == pinned.digest, "again is the same"


async def test_what_is_not_there_is_told(registry: oci.Registry) -> None:
    with pytest.raises(RegistryError, match=r"the registry answers 404 .*; push it first") as refused:
        await pull(parse_reference(registry.reference("team/nothing:1.0")), access(registry))
    assert refused.value.status == 404


async def test_who_may_not_is_told_and_keeps_the_password(closed: oci.Registry) -> None:
    reference = parse_reference(closed.reference("team/hello:1.0"))
    for way in (Access(authority=closed.authority), access(closed, "guess")):
        with pytest.raises(RegistryError, match=r"the registry answers 401 .*; log in: a Secret") as refused:
            await pull(reference, way)
        assert "guess" not in str(refused.value)
    with pytest.raises(RegistryError, match="isn't trusted"):
        await pull(reference, Access())


async def test_the_registry_itself_refuses_a_layer_that_is_another_one(public: oci.Registry) -> None:
    reference = parse_reference(public.reference("team/wrong:1.0"))
    async with registry_of(reference, Access()) as there:
        url = await there.upload(digest_of(b"one"))
        with pytest.raises(RegistryError, match="the registry answers 400"):
            async with there.ask("PUT", url, may="pull,push", accepts=(201,), data=b"another"):
                pass


async def test_images_of_two_platforms_are_copied_between_registries(
    public: oci.Registry, closed: oci.Registry
) -> None:
    reference = parse_reference(public.reference("ai/app:1.0"))
    images = [
        Artifact("x", (Blob("application/x", LAYER + name), Blob("application/x", b"both"))) for name in (b"a", b"b")
    ]
    named = []
    for image in images:
        digest = await push(parse_reference(public.reference("ai/app:part")), image)
        named.append({"mediaType": MANIFEST, "digest": digest, "size": len(image.manifest())})
    raw = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": named}).encode()
    async with registry_of(reference, Access()) as there:
        sent = {"data": raw, "headers": {"Content-Type": INDEX}}
        async with there.ask("PUT", there.base / "manifests" / "1.0", may="pull,push", accepts=(201,), **sent):
            pass

    target = parse_reference(closed.reference("mirror/ai/app:1.0"))
    assert await copy(reference, target, access(closed)) == digest_of(raw)
    assert await digest_at(target, access(closed)) == digest_of(raw)
    for image in images:
        there_too = parse_reference(closed.reference(f"mirror/ai/app@{image.digest}"))
        assert await pull(there_too, access(closed), most=2**24) == (image.digest, image)


async def test_an_index_is_no_artifact(public: oci.Registry) -> None:
    raw = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
    reference = parse_reference(public.reference("team/index:1.0"))
    async with registry_of(reference, Access()) as there:
        sent = {"data": raw, "headers": {"Content-Type": INDEX}}
        async with there.ask("PUT", there.base / "manifests" / "1.0", may="pull,push", accepts=(201,), **sent):
            pass
    with pytest.raises((ArtifactError, RegistryError)) as refused:
        await pull(reference)
    assert "name an artifact, not an index" in str(refused.value) or "404" in str(refused.value)


async def test_a_layer_that_is_too_large_is_not_fetched(public: oci.Registry) -> None:
    reference = parse_reference(public.reference("team/large:1.0"))
    await push(reference, Artifact(PIECE, (Blob(FOLDER, LAYER),)))
    with pytest.raises(ArtifactError, match="1048576 are allowed"):
        await pull(reference, most=2**20)
