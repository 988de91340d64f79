"""The contract s3 at a server of another make: a share that somebody brings along, with TLS by a private authority."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator

import boto3
import pytest
import requests
import trustme

from tests.contracts import servers
from tests.contracts.shipped import Binding, ProofFailedError, Provider, Shipped
from tests.journey.versity import versitygw

AUTHORITY = trustme.CA()
ROOT_KEY = secrets.token_hex(20)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """versitygw over a folder; yields its URL."""
    folder, port = tmp_path_factory.mktemp("versitygw"), servers.free_port()
    for name in ("iam", "buckets", "meta"):
        (folder / name).mkdir()
    chain, key = servers.write_certificate(AUTHORITY.issue_cert("127.0.0.1"), folder)
    tls = ("--cert", str(chain), "--key", str(key))
    backend = ("--iam-dir", str(folder / "iam"), "posix", "--sidecar", str(folder / "meta"), str(folder / "buckets"))
    command = [str(versitygw()), "--port", f"127.0.0.1:{port}", *tls, *backend]
    url, environment = f"https://127.0.0.1:{port}", {"ROOT_ACCESS_KEY": "root", "ROOT_SECRET_KEY": ROOT_KEY}
    authority = folder / "authority.crt"
    AUTHORITY.cert_pem.write_to_path(str(authority))
    with servers.server(command, folder, lambda: _serves(url, str(authority)), environment):
        yield url


def _serves(url: str, authority: str) -> bool:
    try:
        return requests.get(url, timeout=5, verify=authority).status_code == 403
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    return Provider(Shipped(tmp_path_factory.mktemp("elsewhere"), ports={"s3": 1}), "s3", "seaweedfs")


@pytest.fixture(scope="module")
def share(gateway: str, tmp_path_factory: pytest.TempPathFactory) -> Binding:
    """What the owner of the server hands out: a bucket and a key; another bucket is there, and not its own."""
    bundle = tmp_path_factory.mktemp("authority") / "ca.crt"
    AUTHORITY.cert_pem.write_to_path(str(bundle))
    root = boto3.client(
        "s3",
        endpoint_url=gateway,
        region_name="us-east-1",
        aws_access_key_id="root",
        aws_secret_access_key=ROOT_KEY,
        verify=str(bundle),
    )
    key = secrets.token_hex(20)
    admin = [str(versitygw()), "admin", "--allow-insecure", "--access", "root", "--secret", ROOT_KEY]
    admin += ["--endpoint-url", gateway]
    user = ("create-user", "--access", "ours", "--secret", key, "--role", "user")
    subprocess.run([*admin, *user], check=True, capture_output=True)
    for bucket in ("ours", "theirs"):
        root.create_bucket(Bucket=bucket)
    owner = ("change-bucket-owner", "--bucket", "ours", "--owner", "ours")
    subprocess.run([*admin, *owner], check=True, capture_output=True)
    return {
        "host": "127.0.0.1",
        "port": gateway.rpartition(":")[2],
        "endpoint": gateway,
        "region": "us-east-1",
        "bucket": "ours",
        "access-key": "ours",
        "secret-key": key,
        "ca.crt": AUTHORITY.cert_pem.bytes().decode(),
    }


def test_a_share_that_somebody_brought_along_does_real_work(provider: Provider, share: Binding) -> None:
    steps = provider.prove(share)
    assert "write 20 MiB in parts" in steps
    assert "a request without a key is refused" in steps


FAULTS: dict[str, tuple[Binding, str, str]] = {
    "wrong-key": ({"secret-key": "x" * 40}, "auth", "write 20 MiB in parts"),
    "another-s-bucket": ({"bucket": "theirs"}, "auth", "write 20 MiB in parts"),
    "bucket-absent": ({"bucket": "nowhere"}, "absent", "doesn't exist"),
    "unknown-authority": ({"ca.crt": trustme.CA().cert_pem.bytes().decode()}, "tls", "put its authority's into"),
    "unresolvable": ({"endpoint": "https://s3.invalid:443"}, "network", "resolve"),
}


@pytest.mark.parametrize(("changes", "kind", "says"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_its_class_and_words(
    provider: Provider, share: Binding, changes: Binding, kind: str, says: str
) -> None:
    with pytest.raises(ProofFailedError) as failed:
        provider.prove({**share, **changes})
    assert failed.value.kind == kind, failed.value
    assert says in str(failed.value)
