"""Artifacts: what is pulled is what was asked for, no larger than allowed, in time; refusals say what to do."""

from __future__ import annotations

import json
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest
import trustme

from aistack.errors import ArtifactError, InvalidError, RegistryError
from aistack.objects.artifact import FOLDER, PIECE, Reference, digest_of, parse_reference
from aistack.sources.credentials import Login, Logins
from aistack.sources.oci import Artifact, Blob, pull, push
from aistack.sources.registry import Access
from tests.registry import Answer, FakeRegistry, dripping, endless, fake_registry, says, silent

HELLO = Artifact(PIECE, (Blob(FOLDER, b"a packed folder"),), annotations={"title": "Hello"})


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with fake_registry() as registry:
        yield registry


async def pushed(registry: FakeRegistry, artifact: Artifact = HELLO) -> Reference:
    """Push an artifact, and return its pinned reference."""
    reference = parse_reference(registry.reference())
    return reference.pinned(await push(reference, artifact))


def logins(registry: FakeRegistry, password: str) -> Access:
    return Access(Logins({registry.host: Login("me", password)}))


async def test_what_is_pushed_is_pulled_by_tag_and_by_digest(registry: FakeRegistry) -> None:
    pinned = await pushed(registry)

    for reference in (pinned, parse_reference(registry.reference())):
        assert await pull(reference) == (HELLO.digest, HELLO)


async def test_what_the_registry_has_is_not_sent_again(registry: FakeRegistry) -> None:
    await pushed(registry)
    registry.asked.clear()
    await pushed(registry)

    assert [line.split()[0] for line in registry.asked] == ["HEAD", "HEAD", "PUT"]


@pytest.mark.parametrize("tokens", [False, True], ids=["password", "token"])
async def test_a_login_opens_what_asks_for_one(registry: FakeRegistry, tokens: bool) -> None:
    registry.login, registry.tokens = "me:secret", tokens
    reference = parse_reference(registry.reference())
    await push(reference, HELLO, logins(registry, "secret"))

    assert await pull(reference, logins(registry, "secret")) == (HELLO.digest, HELLO)
    for access in (Access(), logins(registry, "guess")):
        with pytest.raises(RegistryError, match=r"the registry answers 401 .*; log in: a Secret of type") as refused:
            await pull(reference, access)
        assert refused.value.status == 401
        assert "guess" not in str(refused.value)


async def test_anybody_may_need_a_token(registry: FakeRegistry) -> None:
    registry.tokens = True
    assert await pull(await pushed(registry)) == (HELLO.digest, HELLO)


async def test_a_private_authority_is_trusted_where_it_is_named() -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.2").configure_cert(tls)
    pem = authority.cert_pem.bytes().decode()
    async with fake_registry(tls, "127.0.0.2") as registry:
        reference = parse_reference(registry.reference())
        await push(reference, HELLO, Access(authority=pem))
        assert await pull(reference, Access(authority=pem)) == (HELLO.digest, HELLO)
        with pytest.raises(RegistryError, match=r"isn't trusted: .*; give its authority's certificate as ca\.crt"):
            await pull(reference)
        with pytest.raises(InvalidError, match=r"ca\.crt: holds no certificates"):
            await pull(reference, Access(authority="nonsense"))


async def test_a_registry_without_tls_is_spoken_to_only_where_that_is_asked_for() -> None:
    async with fake_registry(address="127.0.0.2") as registry:
        reference = parse_reference(registry.reference())
        await push(reference, HELLO, Access(plain=True))
        with pytest.raises(RegistryError, match=r"can't be reached"):
            await pull(reference)
        assert await pull(reference, Access(plain=True)) == (HELLO.digest, HELLO)


async def test_a_registry_that_sends_another_manifest_is_not_believed(registry: FakeRegistry) -> None:
    pinned = await pushed(registry)
    other = Artifact(PIECE, (Blob(FOLDER, b"something else"),)).manifest()
    registry.lies[f"manifests/{pinned.digest}"] = says(other)

    with pytest.raises(ArtifactError, match=f"sent another manifest, {digest_of(other)}; don't trust this registry"):
        await pull(pinned)


@pytest.mark.parametrize(
    "sent", [b"a packed FOLDER", b"a packed folder and more", b"a"], ids=["same size", "more", "less"]
)
async def test_a_registry_that_sends_another_layer_is_not_believed(registry: FakeRegistry, sent: bytes) -> None:
    pinned = await pushed(registry)
    registry.lies[HELLO.layers[0].digest] = says(sent)

    with pytest.raises(ArtifactError, match=f"something else for its layer {HELLO.layers[0].digest}"):
        await pull(pinned)


async def test_two_gigabytes_are_refused_before_one_byte_of_them_comes(registry: FakeRegistry) -> None:
    manifest = json.loads(HELLO.manifest())
    manifest["layers"][0]["size"] = 2 * 2**30
    raw = json.dumps(manifest).encode()
    registry.manifests[digest_of(raw)] = raw
    registry.asked.clear()

    with pytest.raises(ArtifactError, match=r"has 2147483650 bytes, 8388608 are allowed; leave out what isn't needed"):
        await pull(parse_reference(registry.reference(f"hello@{digest_of(raw)}")))
    assert len(registry.asked) == 1


@pytest.mark.parametrize("path", ["manifests/1.0", HELLO.layers[0].digest], ids=["manifest", "layer"])
async def test_what_never_ends_takes_neither_memory_nor_time(registry: FakeRegistry, path: str) -> None:
    await pushed(registry)
    registry.lies[path] = endless
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises(ArtifactError):
            await pull(parse_reference(registry.reference()))
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("lie", [silent, dripping])
@pytest.mark.parametrize("path", ["manifests/1.0", HELLO.layers[0].digest], ids=["manifest", "layer"])
async def test_a_registry_that_says_little_or_nothing_is_left_in_time(
    registry: FakeRegistry, path: str, lie: Answer
) -> None:
    await pushed(registry)
    registry.lies[path] = lie
    started = time.monotonic()
    with pytest.raises(RegistryError, match=r"the registry took longer than 0\.5 s; it is tried again"):
        await pull(parse_reference(registry.reference()), Access(seconds=0.5))
    assert time.monotonic() - started < 2


async def test_nobody_at_home_is_told() -> None:
    with pytest.raises(RegistryError, match=r"the registry can't be reached: .*; correct the reference, or let"):
        await pull(parse_reference("127.0.0.1:9/hello:1.0"))


async def test_what_is_not_there_is_told_with_what_to_do(registry: FakeRegistry) -> None:
    with pytest.raises(RegistryError, match=r"hello:2\.0: the registry answers 404 unknown; push it first") as refused:
        await pull(parse_reference(registry.reference("hello:2.0")))
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        pytest.param(b"{", "no OCI artifact's: : Invalid JSON", id="no JSON"),
        pytest.param(b"[]", "no OCI artifact's", id="a list"),
        pytest.param(b'{"manifests": []}', "config: Field required; name an artifact, not an index", id="an index"),
        pytest.param(
            b'{"config": {"mediaType": "x", "digest": "sha256:../../x", "size": 1}, "layers": []}',
            "config.digest: String should match",
            id="a digest that is a path",
        ),
        pytest.param(
            b'{"config": {"mediaType": "x", "digest": "sha256:%s", "size": -1}, "layers": []}' % (b"0" * 64),
            "config.size: Input should be greater",
            id="a negative size",
        ),
    ],
)
async def test_a_manifest_that_is_none_is_refused(registry: FakeRegistry, manifest: bytes, told: str) -> None:
    registry.manifests["1.0"] = manifest
    with pytest.raises(ArtifactError) as refused:
        await pull(parse_reference(registry.reference()))
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "hello:1.0",
        "library/hello:1.0",
        "registry.test/hello",
        "registry.test/Hello:1",
        "registry.test/a//b:1",
        "registry.test/hello@sha256:12",
        "https://registry.test/hello:1",
        "registry.test/../x:1",
        "registry.test/x:1\n",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match=r"is no reference of an artifact; write host/path:tag"):
        parse_reference(text)


@pytest.mark.parametrize(
    "text",
    [f"r.test/a:1@sha256:{'0' * 64}", "localhost:5000/a/b_c/d--e:v1", "oci://r.test/a:1", f"r:1/a@sha256:{'1' * 64}"],
)
def test_references_are_read_and_written(text: str) -> None:
    assert str(parse_reference(text)) == text.removeprefix("oci://")
