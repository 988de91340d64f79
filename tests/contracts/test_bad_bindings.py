"""What can be wrong with a provider, tried with each contract for real: a class and words of its own, with a remedy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import botocore.auth
import pytest
import trustme
from botocore.config import Config

from tests.contracts import memory as store_in_memory
from tests.contracts import prometheus as collector
from tests.contracts import servers
from tests.contracts.shipped import Binding, ProofFailedError, Provider, Shipped
from tests.contracts.tls_front import silent, tls_front

AUTHORITY = trustme.CA()
NOW = datetime.now(UTC)
CONTRACTS = ("postgres", "vector", "s3", "redis", "mlflow", "notebooks", "metrics")
CONSUMERS = {"redis": "app-one", "metrics": "app-metrics-one", "vector": "app-docs"}
LIBPQ = ("postgres", "vector")
PLACES = {
    "s3": {"endpoint": ""},
    "mlflow": {"uri": ""},
    "notebooks": {"uri": "", "api-uri": "/hub/api"},
    "metrics": {"uri": ""},
}
"""Forms of a binding that lead to its server, and what they end with."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("valkey")
    alone = Shipped(folder, ports={"redis": servers.free_port()}, components=({"name": "valkey"},))
    with store_in_memory.server("valkey", alone, folder):
        yield Provider(alone, "redis", "valkey")


@pytest.fixture(scope="module")
def metrics(shipped: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("prometheus")
    alone = Shipped(folder, ports={**shipped.ports, "metrics": servers.free_port()})
    found = collector.provider(alone)
    with collector.prometheus(alone, folder, {}):
        yield found


@pytest.fixture(scope="module")
def vector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    port = servers.free_port()
    shipped = Shipped(tmp_path_factory.mktemp("vector"), ports={"postgres": port, "vector": port})
    found = Provider(shipped, "vector", "postgres", administrator="postgres")
    with servers.postgres(found.admin["password"], port):
        yield found


@dataclass(frozen=True)
class Bound:
    """A provider, and a share there that works."""

    provider: Provider
    share: Binding

    @property
    def contract(self) -> str:
        return self.provider.contract

    @property
    def port(self) -> int:
        return int(self.share["port"])

    def but(self, **changes: str) -> Binding:
        """Return the share with other keys, its other forms as well."""
        return moved(self.share, self.contract, changes)

    def secured(self, port: int, authority: trustme.CA = AUTHORITY) -> dict[str, str]:
        """Return what a binding says of a server that speaks TLS at a port, by a private authority."""
        mode = {"sslmode": "verify-full"} if self.contract in LIBPQ else {"scheme": self.scheme}
        return {"port": str(port), "ca.crt": authority.cert_pem.bytes().decode(), **mode}

    @property
    def scheme(self) -> str:
        return "rediss" if self.contract == "redis" else "https"

    def front(self, port: int, behind: int, certificate: trustme.LeafCert) -> AbstractContextManager[None]:
        return tls_front(port, behind, certificate, asked=self.contract in LIBPQ)


def moved(binding: Binding, contract: str, changes: Mapping[str, str]) -> Binding:
    """Return a binding with other keys, and its other forms as the contract makes them."""
    found = {**binding, **changes}
    place = f"{found.get('scheme', '')}://{found['host']}:{found['port']}{found.get('path', '')}"
    return {**found, **{key: place + end for key, end in PLACES.get(contract, {}).items()}}


@pytest.fixture(scope="module", params=CONTRACTS)
def bound(request: pytest.FixtureRequest) -> Bound:
    """Each contract's provider in turn, with a share that was claimed."""
    provider = request.getfixturevalue(request.param)
    share = {**provider.admin, "username": "demo-bad", "token": "5" * 40}
    if request.param != "notebooks":
        share = provider.share(CONSUMERS.get(request.param, "jupyterhub"))
    provider.claim(share)
    return Bound(provider, {key: value for key, value in share.items() if not key.endswith("-ports")})


def test_tls_by_a_private_authority_is_enough(bound: Bound) -> None:
    """A claim, and a proof; a notebook server needs a cluster, so that of the hub goes as far as it can."""
    port, logins = servers.free_port(), servers.free_port()
    good, admin = AUTHORITY.issue_cert("127.0.0.1"), bound.provider.admin
    secured = bound.secured(port)
    beside = bound.front(logins, int(admin["logins-port"]), good) if "logins-port" in admin else nullcontext()
    with bound.front(port, bound.port, good), beside:
        given = {**secured, **({"logins-port": str(logins)} if "logins-port" in admin else {})}
        bound.provider.claim(bound.but(**secured), moved(admin, bound.contract, given))
        if bound.contract == "notebooks":
            with pytest.raises(ProofFailedError) as failed:
                bound.provider.prove(bound.but(**secured))
            assert failed.value.step == "start a notebook server"
        else:
            assert len(bound.provider.prove(bound.but(**secured))) >= 4


Opened = AbstractContextManager[Binding]
Open = Callable[[Bound, pytest.MonkeyPatch], Opened]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and what must be said of it."""

    open: Open
    """Makes it so, and yields the binding that leads there."""
    kind: str
    says: str


def written(**changes: str) -> Open:
    """A binding that is written wrong."""
    return lambda bound, _: nullcontext(bound.but(**changes))


def shown(name: str, bound: Bound, _: pytest.MonkeyPatch) -> Opened:
    """A server whose certificate isn't right in the way that its name says."""
    made = {
        "expired": {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=2)},
        "early": {"not_before": NOW + timedelta(days=2)},
    }
    host = "elsewhere.example.com" if name == "misnamed" else "127.0.0.1"
    authority = trustme.CA() if name == "untrusted" else AUTHORITY
    certificate = AUTHORITY.issue_cert(host, **made.get(name, {}))

    @contextmanager
    def serve() -> Iterator[Binding]:
        port = servers.free_port()
        with bound.front(port, bound.port, certificate):
            yield bound.but(**bound.secured(port, authority))

    return serve()


def hanging(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """A server that takes connections and says nothing."""
    impatient(monkeypatch)

    @contextmanager
    def serve() -> Iterator[Binding]:
        port = servers.free_port()
        with silent(port):
            yield bound.but(port=str(port))

    return serve()


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients wait for a moment only."""
    for name, seconds in (("postgres", 2), ("mlflow", 1), ("redis", 1)):
        monkeypatch.setattr(importlib.import_module(f"contracts.{name}.client"), "TIMEOUT_SECONDS", seconds)
    s3 = importlib.import_module("contracts.s3.client")
    short = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    monkeypatch.setattr(s3, "CONFIG", s3.CONFIG.merge(short))


def unencrypted(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """A binding that asks for TLS, of a server that has none."""
    impatient(monkeypatch)
    mode = {"sslmode": "require"} if bound.contract in LIBPQ else {"scheme": bound.scheme}
    return nullcontext(bound.but(**mode))


def outgrown(program: str, oldest: Any) -> Open:
    """A server older than what works, as the oldest that works is a version nobody has yet."""

    def open_it(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> Opened:
        monkeypatch.setattr(importlib.import_module(f"contracts.{program}"), "OLDEST", oldest)
        return nullcontext(bound.share)

    return open_it


def skewed(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Requests that are signed an hour ago."""
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: now(*a, **k) - timedelta(hours=1))
    return nullcontext(bound.share)


def bucketless(bound: Bound, _: pytest.MonkeyPatch) -> Opened:
    """A key that may look at every bucket, and one that isn't there."""
    admin = bound.provider.admin
    keys = {key: admin[key] for key in ("access-key", "secret-key")}
    return nullcontext(bound.but(**keys, bucket="demo-nowhere"))


CERTIFICATES = {
    "untrusted": Fault(partial(shown, "untrusted"), "tls", "isn't trusted; put its authority's into the key ca.crt"),
    "expired": Fault(partial(shown, "expired"), "tls", "has expired, or the clocks differ; renew it, or set the"),
    "early": Fault(partial(shown, "early"), "tls", "isn't valid yet, or the clocks differ; set the clocks"),
    "misnamed": Fault(partial(shown, "misnamed"), "tls", "is for another host name; write that name as host"),
}
COMMON = {
    **CERTIFICATES,
    "unresolvable": Fault(written(host="nowhere.invalid"), "network", "doesn't resolve; correct the key host"),
    "nobody there": Fault(written(port="1"), "network", "is it up, and are host and port right?"),
    "hangs": Fault(hanging, "slow", "is it overloaded, or"),
    "no TLS": Fault(unencrypted, "tls", "it doesn't speak TLS, or not as we do; is the key scheme right?"),
}
"""By what is wrong; the same words at each contract, unless it has words of its own."""
OWN: dict[str, dict[str, Fault]] = {
    "postgres": {
        "no TLS": Fault(unencrypted, "tls", "write sslmode: prefer, or switch TLS on there"),
        "wrong password": Fault(written(password="wrong"), "auth", "the login or its password is refused"),
        "no right": Fault(written(database="template1"), "auth", "the login may not connect to this database"),
        "absent": Fault(written(database="nowhere"), "absent", "the database doesn't exist"),
        "too old": Fault(outgrown("postgres.prove", 990000), "other", "99 is the oldest that works, upgrade it"),
    },
    "s3": {
        "wrong key": Fault(written(**{"secret-key": "x" * 40}), "auth", "the key secret-key is wrong"),
        "unknown key": Fault(written(**{"access-key": "NOBODY" * 3}), "auth", "it doesn't know the key access-key"),
        "no right": Fault(written(bucket="demo-mlflow"), "auth", "the key may not do that: give it the right, or"),
        "absent": Fault(bucketless, "absent", "the bucket doesn't exist; make it, or correct the key bucket"),
        "clocks differ": Fault(skewed, "other", "the clocks of the store and of this node differ; set them"),
    },
    "redis": {
        "hangs": Fault(hanging, "slow", "is it overloaded, or is the key scheme wrong?"),
        "no TLS": Fault(unencrypted, "slow", "is it overloaded, or is the key scheme wrong?"),
        "wrong password": Fault(written(password="wrong"), "auth", "are username and password right?"),
        "no right": Fault(written(prefix="demo-app-two:"), "auth", "give the user the right"),
        "too old": Fault(outgrown("redis.client", 99), "other", "which is too old; upgrade it to 99 or later"),
    },
    "mlflow": {
        "wrong password": Fault(written(password="wrong"), "auth", "are username and password right?"),
        "too old": Fault(outgrown("mlflow.prove", (99, 0)), "other", "which is too old; upgrade it to 99.0 or later"),
    },
    "notebooks": {
        "no TLS": Fault(unencrypted, "tls or slow", "is the key scheme right"),  # by what its first bytes happen to be
        "wrong token": Fault(written(token="6" * 40), "auth", "is the key token right, and may its user do that?"),
        "too old": Fault(outgrown("notebooks.prove", 99), "other", "which is too old; upgrade it to 99 or later"),
    },
    "metrics": {
        "wrong password": Fault(written(password="wrong"), "auth", "are username and password right?"),
        "wrong path": Fault(written(path="/elsewhere"), "other", "are port and path right?"),
    },
}
OWN["vector"] = OWN["postgres"]
FAULTS = {contract: {**COMMON, **OWN[contract]} for contract in CONTRACTS}
CASES = [pytest.param(c, fault, id=f"{c}-{name}") for c, found in FAULTS.items() for name, fault in found.items()]


@pytest.mark.parametrize(("bound", "fault"), CASES, indirect=["bound"])
def test_each_fault_has_its_class_and_a_remedy_of_its_own(
    bound: Bound, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fault.open(bound, monkeypatch) as binding, pytest.raises(ProofFailedError) as failed:
        bound.provider.prove(binding)
    said = failed.value.message
    assert failed.value.kind in fault.kind.split(" or "), said
    assert fault.says in said
    others = {other.says for other in FAULTS[bound.contract].values()} - {fault.says}
    assert [words for words in others if words in said] == [], "no other fault is told with these words"
    secrets = [bound.share.get(key, "") for key in ("password", "secret-key", "token")]
    assert not any(secret and secret in said for secret in secrets)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_no_two_faults_of_a_contract_are_told_alike(contract: str) -> None:
    told = [fault.says for fault in FAULTS[contract].values()]
    alike = 1 if contract == "redis" else 0  # a store without TLS waits for more of what TLS begins with: it hangs
    assert len(told) - len(set(told)) == alike
