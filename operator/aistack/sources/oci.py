"""Artifacts of OCI registries: pulled by digest into memory, within limits, and pushed.

What is read is believed only as far as its digest goes: a manifest must be the one that was asked for, and a layer the
one that the manifest names, in size and in content. Whatever a registry sends, no more is read than was announced.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from pydantic import BaseModel, Field, ValidationError

from aistack.errors import ArtifactError
from aistack.objects.artifact import DIGEST, Reference, digest_of
from aistack.sources.registry import Access, Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
_MANIFEST_SIZE = 2**20
_CONNECT = 10.0
BINARY = {"Content-Type": "application/octet-stream"}
TAKEN = (201, 202)
"""Answers to what was pushed."""


@dataclass(frozen=True)
class Blob:
    """Content, and what it is."""

    media_type: str
    data: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """What a registry knows it by."""
        return digest_of(self.data)


@dataclass(frozen=True)
class Artifact:
    """What a manifest names, with its content."""

    type: str
    layers: tuple[Blob, ...]
    config: Blob = Blob(EMPTY, b"{}")
    annotations: Mapping[str, str] = field(default_factory=dict)

    def manifest(self) -> bytes:
        """Return the manifest; the same artifact has the same."""
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": self.type,
            "config": _descriptor(self.config),
            "layers": [_descriptor(layer) for layer in self.layers],
            **({"annotations": dict(self.annotations)} if self.annotations else {}),
        }
        return orjson.dumps(content)

    @property
    def digest(self) -> str:
        """What pins the artifact."""
        return digest_of(self.manifest())


class _Descriptor(BaseModel):
    media_type: str = Field(alias="mediaType")
    digest: str = Field(pattern=f"^{DIGEST.pattern}$")
    size: int = Field(ge=0)


class _Manifest(BaseModel):
    artifact_type: str = Field(default="", alias="artifactType")
    config: _Descriptor
    layers: tuple[_Descriptor, ...] = Field(max_length=64)
    annotations: Mapping[str, str] = Field(default_factory=dict)


async def pull(reference: Reference, access: Access | None = None, most: int = 8 * 2**20) -> tuple[str, Artifact]:
    """Fetch an artifact.

    Args:
        reference: which one.
        access: how registries are reached.
        most: bytes of all its layers, as they are packed.

    Returns:
        Its digest, and what it holds.

    Raises:
        ArtifactError: it isn't what was asked for, or larger than allowed.
        RegistryError: the registry refused, or didn't answer in time.
    """
    async with registry_of(reference, access or Access()) as registry:
        raw = await _read_manifest(registry)
        found = _parse(reference, raw)
        parts = (found.config, *found.layers)
        if (size := sum(part.size for part in parts)) > most:
            remedy = "leave out what isn't needed: images and data don't belong in it"
            raise ArtifactError(str(reference), f"has {size} bytes, {most} are allowed", remedy)
        config, *layers = [await _read_blob(registry, part) for part in parts]
        artifact = Artifact(found.artifact_type or found.config.media_type, tuple(layers), config, found.annotations)
        return digest_of(raw), artifact


async def resolve(reference: Reference, access: Access | None = None) -> str:
    """Return the digest that a tag stands for at present.

    Raises:
        ArtifactError: it is no artifact's.
        RegistryError: the registry refused, or didn't answer in time.
    """
    async with registry_of(reference, access or Access()) as registry:
        raw = await _read_manifest(registry)
        _parse(reference, raw)
        return digest_of(raw)


async def push(reference: Reference, artifact: Artifact, access: Access | None = None) -> str:
    """Send an artifact under a tag, or under its digest alone; what the registry has already isn't sent again.

    Returns:
        Its digest.

    Raises:
        RegistryError: the registry refused, or didn't answer in time.
    """
    async with registry_of(reference, access or Access()) as registry:
        for blob in {blob.digest: blob for blob in (artifact.config, *artifact.layers)}.values():
            await _send_blob(registry, blob)
        url = registry.base / "manifests" / (reference.tag or artifact.digest)
        sent = {"data": artifact.manifest(), "headers": {"Content-Type": MANIFEST}}
        async with registry.ask("PUT", url, may="pull,push", accepts=TAKEN, **sent):
            return artifact.digest


@asynccontextmanager
async def registry_of(reference: Reference, access: Access) -> AsyncIterator[Registry]:
    """Connect to a registry for one artifact; the time that it may take begins.

    Raises:
        RegistryError: it is over before the block ends.
    """
    limits = aiohttp.ClientTimeout(total=access.seconds, sock_connect=_CONNECT)
    # What a registry packs once more on the way would not count until it is unpacked in memory.
    headers = {"User-Agent": "aistack", "Accept-Encoding": "identity"}
    connector, cookies = aiohttp.TCPConnector(ssl=access.tls()), aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(
        connector=connector, timeout=limits, headers=headers, auto_decompress=False, cookie_jar=cookies
    ) as session:
        registry = Registry(session, reference, access)
        try:
            async with asyncio.timeout(access.seconds):
                yield registry
        except TimeoutError as error:
            raise registry.silent(error) from None


async def _read_manifest(registry: Registry) -> bytes:
    reference = registry.reference
    async with registry.ask(
        "GET", registry.base / "manifests" / reference.version, headers={"Accept": MANIFEST}
    ) as got:
        raw = await read_some(got, _MANIFEST_SIZE)
    if len(raw) > _MANIFEST_SIZE:
        raise ArtifactError(str(reference), f"its manifest has more than {_MANIFEST_SIZE} bytes", "push it again")
    if reference.digest and digest_of(raw) != reference.digest:
        problem = f"the registry sent another manifest, {digest_of(raw)}"
        raise ArtifactError(str(reference), problem, "don't trust this registry until you know why; push it again")
    return raw


def _parse(reference: Reference, raw: bytes) -> _Manifest:
    try:
        return _Manifest.model_validate_json(raw)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        problem = f"its manifest is no OCI artifact's: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
        raise ArtifactError(str(reference), problem, "name an artifact, not an index of images") from None


async def _read_blob(registry: Registry, part: _Descriptor) -> Blob:
    if part.media_type == EMPTY and part.size == 2:
        return Blob(EMPTY, b"{}")
    async with registry.ask("GET", registry.base / "blobs" / part.digest) as got:
        data = await read_some(got, part.size)
    if len(data) != part.size or digest_of(data) != part.digest:
        problem = f"the registry sent something else for its layer {part.digest}"
        raise ArtifactError(str(registry.reference), problem, "push it again; see what lies between you and it")
    return Blob(part.media_type, data)


async def read_some(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read what comes, one byte more than allowed at most."""
    data = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        data += chunk
        if len(data) > most:
            return bytes(data[: most + 1])
    return bytes(data)


async def _send_blob(registry: Registry, blob: Blob) -> None:
    async with registry.ask("HEAD", registry.base / "blobs" / blob.digest, may="pull,push", accepts=(200, 404)) as had:
        if had.status == 200:
            return
    url = await registry.upload(blob.digest)
    async with registry.ask("PUT", url, may="pull,push", accepts=TAKEN, data=blob.data, headers=BINARY):
        return


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": len(blob.data)}


def folders_of(artifact: Artifact, media_type: str) -> Iterator[bytes]:
    """Yield the packed folders of an artifact."""
    return (layer.data for layer in artifact.layers if layer.media_type == media_type)
