"""The contract postgres at somebody else's server: TLS by a private authority, an administrator with few rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import trustme

from tests.contracts import servers
from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider, Shipped
from tests.contracts.tls_front import tls_front

AUTHORITY = trustme.CA()
NOW = datetime.now(UTC)


def certificate(name: str) -> trustme.LeafCert:
    """Return a certificate that is good, or bad in the way that its name says."""
    match name:
        case "expired":
            past = NOW - timedelta(days=2)
            return AUTHORITY.issue_cert("127.0.0.1", not_before=past - timedelta(days=9), not_after=past)
        case "early":
            return AUTHORITY.issue_cert("127.0.0.1", not_before=NOW + timedelta(days=2))
        case "misnamed":
            return AUTHORITY.issue_cert("db.example.com")
    return AUTHORITY.issue_cert("127.0.0.1")


def authority(ca: trustme.CA) -> Binding:
    """Return what a binding says of the authority that its server's certificate is from."""
    return {"sslmode": "verify-full", "ca.crt": ca.cert_pem.bytes().decode()}


@pytest.fixture(scope="module")
def elsewhere(postgres: Provider) -> Iterator[Provider]:
    """A server with a good certificate, and a role that may make roles and databases, as clouds offer it."""
    with psycopg.connect(dsn(postgres.admin), autocommit=True) as server:
        server.execute("create role boss login createrole createdb password 'bosses'")
        server.execute("create role clerk login password 'clerks'")
        server.execute("grant connect on database postgres to boss, clerk")  # claims by a superuser close it
    shipped = Shipped(postgres.shipped.folder, ports={"postgres": servers.free_port()}, stack="elsewhere")
    found = Provider(shipped, "postgres", "postgres")
    with tls_front(shipped.ports["postgres"], int(postgres.admin["port"]), certificate("good")):
        yield found


def dsn(binding: Binding, **other: str) -> str:
    return psycopg.conninfo.make_conninfo(
        host=binding["host"],
        port=binding["port"],
        dbname=binding["database"],
        user=binding["username"],
        password=binding["password"],
        **other,
    )


def boss(provider: Provider) -> Binding:
    return {**provider.admin, **authority(AUTHORITY), "username": "boss", "password": "bosses"}


def share(provider: Provider, consumer: str = "mlflow", generation: int = 1) -> Binding:
    return {**provider.share(consumer, generation), **authority(AUTHORITY)}


def test_an_administrator_without_a_superuser_s_rights_is_enough(elsewhere: Provider) -> None:
    for generation in (1, 2, 3):
        for consumer in ("mlflow", "jupyterhub"):
            elsewhere.claim(share(elsewhere, consumer, generation), boss(elsewhere))
            steps = elsewhere.prove(share(elsewhere, consumer, generation))
    assert any("on database elsewhere_mlflow is refused" in step for step in steps), (
        "consumers are apart from each other"
    )
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(dsn(share(elsewhere, "mlflow", 1)))


def test_what_a_former_login_made_stays_its_owner_s(elsewhere: Provider) -> None:
    elsewhere.claim(share(elsewhere, generation=4), boss(elsewhere))
    with psycopg.connect(dsn(share(elsewhere, generation=4)), autocommit=True) as database:
        database.execute("set role none")
        database.execute("create table public.kept (id int)")
    for generation in (5, 6):
        elsewhere.claim(share(elsewhere, generation=generation), boss(elsewhere))
    with psycopg.connect(dsn(share(elsewhere, generation=6)), autocommit=True) as database:
        database.execute("insert into public.kept values (1)")


def test_an_administrator_with_too_few_rights_is_told_which_it_needs(elsewhere: Provider) -> None:
    clerk = {**boss(elsewhere), "username": "clerk", "password": "clerks"}
    with pytest.raises(ClaimFailedError, match="needs the rights CREATEROLE and CREATEDB") as failed:
        elsewhere.claim(share(elsewhere, "jupyterhub", 9), clerk)
    assert failed.value.kind == "auth"


TLS = {
    "unknown-authority": (
        "good",
        trustme.CA(),
        "its certificate isn't trusted; put its authority's into the key ca.crt",
    ),
    "expired": ("expired", AUTHORITY, "its certificate has expired, or the clocks differ"),
    "early": ("early", AUTHORITY, "its certificate isn't valid yet, or the clocks differ"),
    "misnamed": ("misnamed", AUTHORITY, "its certificate is for another host name; write that name as host"),
}


@pytest.mark.parametrize(("made", "trusted", "says"), TLS.values(), ids=TLS)
def test_a_certificate_that_can_t_be_trusted_is_told_why(
    postgres: Provider, made: str, trusted: trustme.CA, says: str
) -> None:
    port = servers.free_port()
    binding = {**postgres.share("mlflow"), **authority(trusted), "port": str(port)}
    with (
        tls_front(port, int(postgres.admin["port"]), certificate(made)),
        pytest.raises(ProofFailedError) as failed,
    ):
        postgres.prove(binding)
    assert failed.value.kind == "tls"
    assert says in failed.value.message
