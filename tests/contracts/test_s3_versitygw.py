"""The contract s3 with versitygw as its provider: the real program, with what its upstream chart and we say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.contracts import servers
from tests.contracts.shipped import ADDED, Binding, ClaimFailedError, Provider, Shipped
from tests.journey.versity import versitygw

COMPONENTS = (*ADDED, {"name": "seaweedfs", "enabled": False}, {"name": "versitygw"})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """versitygw with the arguments and the environment that ship, on a folder in the place of its volume."""
    folder = tmp_path_factory.mktemp("versitygw")
    shipped = Shipped(folder, ports={name: servers.free_port() for name in ("s3", "postgres")}, components=COMPONENTS)
    container = shipped.pod("demo-versitygw")["containers"][0]
    port = shipped.ports["s3"]
    environment = {name: _on_disk(folder, value) for name, value in shipped.environment(container).items()}
    command = [str(versitygw()), *(_on_disk(folder, word) for word in container["args"])]
    ready = servers.passes(container["readinessProbe"], port)
    for mount in container["volumeMounts"]:
        Path(_on_disk(folder, mount["mountPath"])).mkdir(parents=True)
    with servers.server(command, folder, ready, {**environment, "VGW_PORT": f"127.0.0.1:{port}"}):
        yield Provider(shipped, "s3", "versitygw")


def _on_disk(folder: Path, text: str) -> str:
    return text.replace("/mnt/", f"{folder}/mnt/")


@pytest.fixture
def share(gateway: Provider) -> Iterator[Binding]:
    """Claimed, and so is another consumer's."""
    for consumer in ("jupyterhub", "mlflow"):
        gateway.claim(gateway.share(consumer))
    yield gateway.share("jupyterhub")
    gateway.revoke(gateway.share("jupyterhub"))


def client(share: Binding) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=share["endpoint"],
        region_name=share["region"],
        aws_access_key_id=share["access-key"],
        aws_secret_access_key=share["secret-key"],
    )


def works(share: Binding) -> bool:
    try:
        client(share).list_objects_v2(Bucket=share["bucket"])
    except ClientError:
        return False
    return True


def test_a_share_is_proven_by_real_work(gateway: Provider, share: Binding) -> None:
    steps = gateway.prove(share)
    assert "write 20 MiB in parts" in steps
    assert "a wrong secret key is refused" in steps
    assert "a request without a key is refused" in steps
    assert "the key sees its own bucket alone" in steps


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        pytest.param("get_object", {"Bucket": "demo-mlflow", "Key": "x"}, id="reading elsewhere"),
        pytest.param("put_object", {"Bucket": "demo-mlflow", "Key": "x"}, id="writing elsewhere"),
        pytest.param("list_objects_v2", {"Bucket": "demo-mlflow"}, id="listing elsewhere"),
        pytest.param("delete_bucket", {"Bucket": "demo-mlflow"}, id="deleting elsewhere"),
        pytest.param("create_bucket", {"Bucket": "demo-evil"}, id="another bucket"),
        pytest.param("delete_bucket", {"Bucket": "demo-jupyterhub"}, id="deleting the own bucket"),
        pytest.param("put_bucket_acl", {"Bucket": "demo-jupyterhub", "ACL": "public-read"}, id="opening by an ACL"),
        pytest.param("put_bucket_policy", {"Bucket": "demo-jupyterhub", "Policy": "{}"}, id="opening by a policy"),
        pytest.param("delete_bucket_policy", {"Bucket": "demo-jupyterhub"}, id="closing it to others"),
    ],
)
def test_a_share_may_not(share: Binding, call: str, arguments: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(client(share), call)(**arguments)


def test_a_claim_is_made_as_often_as_you_like(gateway: Provider, share: Binding) -> None:
    for _ in range(2):
        gateway.claim(share)
    assert works(share)


def test_a_key_that_somebody_changed_or_deleted_is_mended(gateway: Provider, share: Binding) -> None:
    gateway.claim({**share, "secret-key": "x" * 40})
    assert not works(share)
    gateway.claim(share)
    assert works(share)


def test_a_policy_that_somebody_deleted_is_mended(gateway: Provider, share: Binding) -> None:
    client(gateway.admin).delete_bucket_policy(Bucket=share["bucket"])
    assert not works(share)
    gateway.claim(share)
    assert works(share)


def test_a_new_generation_opens_the_bucket_and_the_old_one_works_on(gateway: Provider, share: Binding) -> None:
    second, third = gateway.share("jupyterhub", 2), gateway.share("jupyterhub", 3)
    gateway.claim(second)
    assert works(share)
    assert works(second)
    gateway.claim(third)
    assert [works(binding) for binding in (share, second, third)] == [False, True, True]
    gateway.retire(third)
    assert [works(binding) for binding in (share, second, third)] == [False, False, True]
    gateway.revoke(third)
    assert not works(third)
    assert works(gateway.share("mlflow")), "another consumer's goes on"


def test_the_bucket_stays_with_its_objects(gateway: Provider, share: Binding) -> None:
    client(share).put_object(Bucket=share["bucket"], Key="kept", Body=b"bytes")
    gateway.revoke(share)
    gateway.claim(share)
    assert client(share).get_object(Bucket=share["bucket"], Key="kept")["Body"].read() == b"bytes"


@pytest.mark.parametrize("wrong", [{"secret-key": "x" * 40}, {"access-key": "NOBODY"}])
def test_an_administrator_that_is_none(gateway: Provider, share: Binding, wrong: Binding) -> None:
    with pytest.raises(ClaimFailedError) as failed:
        gateway.claim(share, {**gateway.admin, **wrong})
    assert failed.value.kind == "auth"


def test_a_store_that_is_not_there(gateway: Provider, share: Binding) -> None:
    nowhere = f"http://127.0.0.1:{servers.free_port()}"
    with pytest.raises(ClaimFailedError) as failed:
        gateway.claim(share, {**gateway.admin, "endpoint": nowhere})
    assert failed.value.kind == "network"
