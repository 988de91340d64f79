"""Copies what registries hold, images of several platforms and artifacts alike, from one to another, as it is.

Blobs stream through: nothing is unpacked, nothing is kept. A manifest is the one that its digest names, and the other
registry holds what is pushed to the digests that it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from aistack.errors import ArtifactError
from aistack.objects.artifact import DIGEST, Reference, digest_of
from aistack.sources.oci import BINARY, MANIFEST, TAKEN, read_some, registry_of
from aistack.sources.registry import Access, Registry

INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER = "application/vnd.docker.distribution.manifest"
ACCEPTED = ", ".join((MANIFEST, INDEX, f"{_DOCKER}.v2+json", f"{_DOCKER}.list.v2+json"))
_LARGEST = 4 * 2**20
"""Bytes of a manifest."""
_DEEPEST = 3
"""An artifact, an index of images, and an image."""
HOUR = 3600.0
_CHUNK = 2**20


@dataclass(frozen=True)
class _Manifest:
    media_type: str
    raw: bytes
    content: Mapping[str, Any]


async def digest_at(reference: Reference, access: Access) -> str:
    """Return the digest of what a registry has under a name.

    Raises:
        ArtifactError: it sends something else than was asked for.
        RegistryError: it refused, or didn't answer in time.
    """
    async with registry_of(reference, access) as registry:
        return digest_of((await _read(registry, reference.version)).raw)


async def copy(source: Reference, target: Reference, access: Access) -> str:
    """Copy an image or an artifact, with all that it names; what is there already isn't sent again.

    Args:
        source: where from.
        target: where to; its tag is set if it has one.
        access: how both registries are reached.

    Returns:
        The digest, which is the same at both.

    Raises:
        ArtifactError: something isn't what its digest says.
        RegistryError: a registry refused, or didn't answer in time.
    """
    patient = replace(access, seconds=max(access.seconds, HOUR))
    async with registry_of(source, patient) as there, registry_of(target, patient) as here:
        raw = await _copy_manifest(there, here, source.version, target.tag, _DEEPEST)
        return digest_of(raw)


async def _copy_manifest(there: Registry, here: Registry, version: str, tag: str, deepest: int) -> bytes:
    found = await _read(there, version)
    for blob in _blobs(found.content):
        await _copy_blob(there, here, blob)
    for inner in found.content.get("manifests") or ():
        if not deepest:
            raise ArtifactError(str(there.reference), "is an index of indexes of indexes", "name one image of it")
        await _copy_manifest(there, here, _digest(there, inner), "", deepest - 1)
    sent = {"data": found.raw, "headers": {"Content-Type": found.media_type}}
    url = here.base / "manifests" / (tag or digest_of(found.raw))
    async with here.ask("PUT", url, may="pull,push", accepts=TAKEN, **sent):
        return found.raw


def _blobs(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    known = {}
    for blob in (content.get("config"), *(content.get("layers") or ())):
        if isinstance(blob, Mapping) and not blob.get("urls"):
            known[blob.get("digest")] = blob
    return iter(known.values())


async def _copy_blob(there: Registry, here: Registry, blob: Mapping[str, Any]) -> None:
    digest = _digest(there, blob)
    async with here.ask("HEAD", here.base / "blobs" / digest, may="pull,push", accepts=(200, 404)) as had:
        if had.status == 200:
            return
    async with there.ask("GET", there.base / "blobs" / digest) as got:
        headers = {**BINARY, "Content-Length": str(blob.get("size"))}
        url = await here.upload(digest)
        async with here.ask(
            "PUT", url, may="pull,push", accepts=TAKEN, data=got.content.iter_chunked(_CHUNK), headers=headers
        ):
            return


async def _read(registry: Registry, version: str) -> _Manifest:
    async with registry.ask("GET", registry.base / "manifests" / version, headers={"Accept": ACCEPTED}) as got:
        raw, media_type = await read_some(got, _LARGEST), got.content_type
    name = str(registry.reference)
    if DIGEST.fullmatch(version) and digest_of(raw) != version:
        raise ArtifactError(name, f"the registry sent another manifest for {version}", "see what lies in between")
    try:
        content = orjson.loads(raw)
        if not isinstance(content, dict):
            raise TypeError
    except (orjson.JSONDecodeError, TypeError):
        raise ArtifactError(name, f"its manifest {version} is no JSON object", "push it again") from None
    return _Manifest(str(content.get("mediaType") or media_type), raw, content)


def _digest(registry: Registry, named: Mapping[str, Any]) -> str:
    digest = str(named.get("digest"))
    if not DIGEST.fullmatch(digest):
        raise ArtifactError(str(registry.reference), f"names {digest!r:.100}, which is no digest", "push it again")
    return digest
