"""The claim of the contract s3, against a real SeaweedFS that runs with the arguments that ship."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from aistack.images.sbom.golang import build_info, packages
from tests.contracts.meddler import instead, meddler
from tests.contracts.seaweedfs import seaweedfs
from tests.contracts.servers import free_port, image_programs
from tests.contracts.shipped import Binding, ClaimFailedError, ProofFailedError, Provider, Shipped
from tests.contracts.tls_front import Change


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
        pytest.param({"endpoint": "http://127.0.0.1:1"}, "network", id="nobody listens"),
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


WORK = ["write 20 MiB in parts", "look at it", "read a range of it", "list it", "delete it"]
SETTLE_SECONDS = 10.0
CLOSED = [
    "a wrong secret key is refused",
    "a request without a key is refused",
    "the key sees its own bucket alone",
]


@pytest.fixture
def proven(share: Binding) -> Binding:
    """Claimed; on loopback the store's other ports are open, as nobody else can reach them there."""
    return {key: value for key, value in share.items() if not key.endswith("-ports")}


def test_a_proof_does_real_work_and_is_refused_elsewhere(s3: Provider, proven: Binding) -> None:
    assert s3.prove(proven) == [*WORK, *CLOSED]
    assert "Contents" not in client(proven).list_objects_v2(Bucket=proven["bucket"], Prefix=".aistack-proof/")


def test_a_proof_sweeps_what_one_that_was_cut_off_left(s3: Provider, proven: Binding) -> None:
    own, place = client(proven), {"Bucket": proven["bucket"], "Key": ".aistack-proof/1-ab"}
    own.put_object(**place, Body=b"old")
    own.create_multipart_upload(**place)
    s3.prove(proven)
    assert "Contents" not in own.list_objects_v2(Bucket=proven["bucket"], Prefix=".aistack-proof/")
    assert "Uploads" not in client({**proven, **s3.admin}).list_multipart_uploads(Bucket=proven["bucket"])


def read_only(s3: Provider, share: Binding) -> None:
    """Take the right to write away."""
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::*"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    admin = client(s3.admin, "iam")
    admin.put_user_policy(UserName=share["username"], PolicyName="bucket", PolicyDocument=document)


def too_much(s3: Provider, share: Binding) -> None:
    """Open every bucket to the share."""
    statement = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    admin = client(s3.admin, "iam")
    admin.put_user_policy(UserName=share["username"], PolicyName="bucket", PolicyDocument=document)


def drop_bucket(s3: Provider, share: Binding) -> None:
    """Delete the bucket with all that is in it."""
    admin = client(s3.admin)
    for found in admin.list_objects_v2(Bucket=share["bucket"]).get("Contents", []):
        admin.delete_object(Bucket=share["bucket"], Key=found["Key"])
    admin.delete_bucket(Bucket=share["bucket"])


BREAKS: dict[str, tuple[Callable[[Provider, Binding], object], str, str]] = {
    "the key was disabled": (lambda _, share: disable(share), WORK[0], "auth"),
    "the key was ended": (lambda _, share: end(share), WORK[0], "auth"),
    "another secret": (lambda _, share: replace(share), WORK[0], "auth"),
    "read only": (read_only, WORK[0], "auth"),
    "the bucket is gone": (drop_bucket, WORK[0], "absent"),
}


def settled(s3: Provider, share: Binding, kind: str) -> ProofFailedError:
    """Return how a proof fails once the store has taken up what was done: it reads policies anew a moment later."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        with pytest.raises(ProofFailedError) as failed:
            s3.prove(share)
        if failed.value.kind == kind or time.monotonic() > deadline:
            return failed.value


@pytest.mark.parametrize(("sabotage", "step", "kind"), BREAKS.values(), ids=BREAKS)
def test_a_proof_finds_what_broke(
    s3: Provider, proven: Binding, sabotage: Callable[[Provider, Binding], object], step: str, kind: str
) -> None:
    sabotage(s3, proven)
    try:
        failure = settled(s3, proven, kind)
        assert (failure.step, failure.kind) == (step, kind)
        assert proven["secret-key"] not in failure.message
    finally:
        s3.claim(proven)
    s3.prove(proven)


def test_a_proof_finds_a_key_that_opens_too_much(s3: Provider, proven: Binding) -> None:
    """No consumer knows the buckets of others: it sees those that the store lists to it."""
    too_much(s3, proven)
    client(s3.admin).create_bucket(Bucket=f"{proven['bucket']}-neighbour")
    try:
        with pytest.raises(ProofFailedError) as failed:
            s3.prove(proven)
        assert (failed.value.step, failed.value.kind) == ("the key sees its own bucket alone", "auth")
    finally:
        client(s3.admin).delete_bucket(Bucket=f"{proven['bucket']}-neighbour")
        s3.claim(proven)


SIGNATURE = re.compile(rb"(?i)(authorization|x-amz-[-a-z0-9]+):[^\r]*\r\n")


@contextmanager
def opened(s3: Provider, share: Binding) -> Iterator[None]:
    """Let anybody list a bucket."""
    arn = f"arn:aws:s3:::{share['bucket']}"
    policy = {"Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket"], "Resource": [arn]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    admin = client(s3.admin)
    admin.put_bucket_policy(Bucket=share["bucket"], Policy=document)
    try:
        yield
    finally:
        admin.delete_bucket_policy(Bucket=share["bucket"])


def test_a_proof_finds_a_store_that_asks_nobody_for_a_key(s3: Provider, proven: Binding) -> None:
    with opened(s3, proven), pytest.raises(ProofFailedError) as failed:
        s3.prove(proven)
    assert (failed.value.step, failed.value.kind) == ("a request without a key is refused", "auth")


def last_byte(data: bytes) -> bytes:
    """Another last byte of a range."""
    return data[:-1] + bytes([data[-1] ^ 1]) if b"Content-Range:" in data else data


ERRS: dict[str, tuple[Change, str, str]] = {
    "another size": (instead(b"Content-Length: 20971520", b"Content-Length: 20971519"), WORK[1], "has 20971519"),
    "other bytes": (last_byte, WORK[2], "that differ from what was written"),
    "no list": (instead(b"<Key>.aistack-proof/", b"<Key>.another-proof/"), WORK[3], "doesn't show an object"),
    "it stays": (instead(b"204 No Content\r\n", b"403 Forbidden\r\nContent-Length: 0\r\n"), WORK[4], "403"),
}


@pytest.mark.parametrize(("answered", "step", "says"), ERRS.values(), ids=ERRS)
def test_a_proof_finds_a_store_that_errs(s3: Provider, proven: Binding, answered: Change, step: str, says: str) -> None:
    port = free_port()
    with meddler(port, int(proven["port"]), answered=answered), pytest.raises(ProofFailedError, match=says) as failed:
        s3.prove({**proven, "endpoint": f"http://127.0.0.1:{port}"})
    assert failed.value.step == step
    s3.prove(proven)


def test_a_proof_finds_a_store_that_looks_at_no_signature(s3: Provider, proven: Binding) -> None:
    """A proxy takes signatures away, and the bucket is open to anybody."""
    port = free_port()

    def unsigned(data: bytes) -> bytes:
        return SIGNATURE.sub(b"", data) if b"max-keys=1" in data.partition(b"\r\n")[0] else data

    with opened(s3, proven), meddler(port, int(proven["port"]), unsigned), pytest.raises(ProofFailedError) as failed:
        s3.prove({**proven, "endpoint": f"http://127.0.0.1:{port}"})
    assert (failed.value.step, failed.value.kind) == (CLOSED[0], "auth")


def test_a_port_that_is_open_breaks_and_one_that_a_network_should_close_warns(s3: Provider, proven: Binding) -> None:
    port = proven["port"]
    with pytest.raises(ProofFailedError, match=f"port {port} is closed: auth"):
        s3.prove({**proven, "closed-ports": port})
    lines = s3.shipped.run("prove", "s3", share={**proven, "closed-ports": "1", "guarded-ports": f"1 {port}"})
    assert [line["ok"] for line in lines[-3:]] == [True, True, True]
    assert ["warning" in line for line in lines[-3:]] == [False, False, True]
    assert "enforces NetworkPolicies" in lines[-1]["warning"]


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"endpoint": "http://nowhere.invalid:1"}, "network", "the host name doesn.t resolve"),
        ({"endpoint": "http://127.0.0.1:1"}, "network", "nothing answers there"),
        ({"bucket": "demo-nothing"}, "auth", "AccessDenied"),
    ],
    ids=["unknown host", "nobody there", "another bucket"],
)
def test_what_is_wrong_with_a_binding_is_told(
    s3: Provider, proven: Binding, changes: dict[str, str], kind: str, says: str
) -> None:
    with pytest.raises(ProofFailedError, match=says) as failed:
        s3.prove({**proven, **changes})
    assert (failed.value.step, failed.value.kind) == (WORK[0], kind)


def test_https_where_there_is_none_is_told(s3: Provider, proven: Binding) -> None:
    with pytest.raises(ProofFailedError, match=r"tls: .*is the key scheme right"):
        s3.prove({**proven, "endpoint": proven["endpoint"].replace("http:", "https:")})


def test_retiring_ends_the_former_users_only(s3: Provider, proven: Binding) -> None:
    second = s3.share("jupyterhub", 2)
    s3.claim(second)
    s3.prove(proven)
    s3.retire(second)
    with pytest.raises(ProofFailedError, match="auth"):
        s3.prove(proven)
    s3.prove({key: value for key, value in second.items() if not key.endswith("-ports")})
    s3.revoke(second)


def test_the_program_tells_what_it_is_made_of() -> None:
    """As its image's bill of materials has it."""
    program = (image_programs("seaweedfs/image") / "weed").read_bytes()
    urls = [package.url for package in packages({"usr/bin/weed": build_info(program)})]
    assert any(url.startswith("pkg:golang/stdlib@1.") for url in urls)
    assert any(url.startswith("pkg:golang/github.com/seaweedfs/seaweedfs@") for url in urls)
    assert len(urls) > 100
