"""The claim of the contract s3, against a real SeaweedFS that runs with the arguments that ship."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from tests.contracts.seaweedfs import seaweedfs
from tests.contracts.servers import free_port
from tests.contracts.shipped import Binding, ClaimFailedError, Provider, Shipped


def client(share: Binding, service: str = "s3") -> Any:
    """Return a client that signs with a share's key."""
    return boto3.client(
        service,
        endpoint_url=share["endpoint"],
        region_name=share["region"],
        aws_access_key_id=share["access-key"],
        aws_secret_access_key=share["secret-key"],
    )


@pytest.fixture
def share(s3: Provider) -> Binding:
    """Claimed, and so is another consumer's, which is left alone: a server may live on it."""
    for consumer in ("jupyterhub", "mlflow"):
        s3.claim(s3.share(consumer))
    return s3.share("jupyterhub")


def test_objects_of_the_own_bucket_are_written_listed_read_and_deleted(share: Binding) -> None:
    own = client(share)
    own.put_object(Bucket=share["bucket"], Key="a/b", Body=b"bytes")
    assert [o["Key"] for o in own.list_objects_v2(Bucket=share["bucket"])["Contents"]] == ["a/b"]
    assert own.get_object(Bucket=share["bucket"], Key="a/b")["Body"].read() == b"bytes"
    own.delete_object(Bucket=share["bucket"], Key="a/b")
    assert own.list_objects_v2(Bucket=share["bucket"])["KeyCount"] == 0


def test_a_large_object_is_written_in_parts(share: Binding) -> None:
    own, place = client(share), {"Bucket": share["bucket"], "Key": "parts"}
    upload = own.create_multipart_upload(**place)["UploadId"]
    part = own.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x" * (6 << 20))
    done = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    own.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=done)
    assert own.head_object(**place)["ContentLength"] == 6 << 20


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
    ],
)
def test_a_share_may_not(share: Binding, call: str, arguments: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(client(share), call)(**arguments)


def test_a_share_sees_its_bucket_and_no_users(share: Binding) -> None:
    assert [b["Name"] for b in client(share).list_buckets()["Buckets"]] == ["demo-jupyterhub"]
    with pytest.raises(ClientError):
        client(share, "iam").list_users()


def test_without_a_key_nothing_is_answered(share: Binding) -> None:
    assert requests.get(f"{share['endpoint']}/{share['bucket']}", timeout=10).status_code == 403


def test_a_new_generation_opens_the_bucket_and_the_old_one_works_on(s3: Provider, share: Binding) -> None:
    second, third = s3.share("jupyterhub", 2), s3.share("jupyterhub", 3)
    client(share).put_object(Bucket=share["bucket"], Key="rotated", Body=b"1")
    s3.claim(second)
    for binding in (share, second):
        assert client(binding).get_object(Bucket=share["bucket"], Key="rotated")["Body"].read() == b"1"
    s3.claim(third)
    client(second).head_object(Bucket=share["bucket"], Key="rotated")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client(share).get_object(Bucket=share["bucket"], Key="rotated")
    s3.revoke(share)


def test_keys_that_a_share_made_end_with_its_generation(s3: Provider, share: Binding) -> None:
    stolen = [share | new_key(share) for _ in range(2)]
    s3.claim(s3.share("jupyterhub", 2))
    client(share).list_objects_v2(Bucket=share["bucket"])
    s3.claim(s3.share("jupyterhub", 3))
    for binding in (share, *stolen):
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            client(binding).list_objects_v2(Bucket=share["bucket"])
    s3.revoke(share)


def new_key(share: Binding, **wanted: str) -> Binding:
    """Return a key that a share made for itself."""
    own = client(share, "iam")
    own.meta.events.register("before-call.iam.CreateAccessKey", lambda params, **_: params["body"].update(wanted))
    made = own.create_access_key(UserName=share["username"])["AccessKey"]
    return {"access-key": made["AccessKeyId"], "secret-key": made["SecretAccessKey"]}


def disable(share: Binding) -> None:
    """Disable the share's key."""
    client(share, "iam").update_access_key(
        UserName=share["username"], AccessKeyId=share["access-key"], Status="Inactive"
    )


def end(share: Binding) -> None:
    """End the share's key."""
    client(share, "iam").delete_access_key(UserName=share["username"], AccessKeyId=share["access-key"])


def replace(share: Binding) -> None:
    """Put another secret in the place of the share's."""
    other = share | new_key(share)
    end(share)
    new_key(other, AccessKeyId=share["access-key"], SecretAccessKey="another" * 6)


@pytest.mark.parametrize("sabotage", [new_key, disable, end, replace])
def test_claiming_again_leaves_the_share_s_own_key_and_no_other(
    s3: Provider, share: Binding, sabotage: Callable[[Binding], object]
) -> None:
    sabotage(share)
    s3.claim(share)
    found = client(share, "iam").list_access_keys(UserName=share["username"])["AccessKeyMetadata"]
    assert [(key["AccessKeyId"], key["Status"]) for key in found] == [(share["access-key"], "Active")]


def test_revoking_ends_the_keys_and_keeps_the_objects(s3: Provider, share: Binding) -> None:
    client(share).put_object(Bucket=share["bucket"], Key="survivor", Body=b"1")
    s3.revoke(share)
    s3.revoke(share)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client(share).get_object(Bucket=share["bucket"], Key="survivor")
    s3.claim(share)
    assert client(share).get_object(Bucket=share["bucket"], Key="survivor")["Body"].read() == b"1"


def test_a_killed_server_keeps_objects_users_and_its_administrator(tmp_path: Path) -> None:
    own = Shipped(tmp_path, ports={"s3": free_port()})
    provider, data = Provider(own, "s3", "seaweedfs"), tmp_path / "data"
    data.mkdir()
    share = provider.share("mlflow")
    with seaweedfs(own, data):
        provider.claim(share)
        client(share).put_object(Bucket=share["bucket"], Key="survivor", Body=b"1")
    with seaweedfs(own, data):
        assert client(share).get_object(Bucket=share["bucket"], Key="survivor")["Body"].read() == b"1"
        provider.claim(provider.share("jupyterhub"))


def test_revoking_what_was_never_claimed_succeeds(s3: Provider, share: Binding) -> None:
    s3.revoke({**share, "bucket": "demo-nobody"})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        pytest.param({"secret-key": "wrong" * 8}, "auth", id="wrong key"),
        pytest.param({"endpoint": "http://127.0.0.1:1"}, "unreachable", id="nobody listens"),
    ],
)
def test_a_failure_says_whose_turn_it_is(
    s3: Provider, monkeypatch: pytest.MonkeyPatch, changes: Binding, kind: str
) -> None:
    monkeypatch.setattr("tests.contracts.shipped.PATIENCE", 0)
    with pytest.raises(ClaimFailedError) as failure:
        s3.claim(s3.share("mlflow"), {**s3.admin, **changes})
    assert failure.value.kind == kind
    assert s3.admin["secret-key"] not in json.dumps(str(failure.value))
