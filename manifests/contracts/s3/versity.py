"""Makes one consumer's bucket and a key that opens it and no other, at a versitygw.

Its users are keys, made over an API of its own at the S3 port. Buckets are the administrator's, and a bucket's policy
names the keys that it opens to, one statement for each generation of the share.
"""

import hashlib
import json
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from contracts.s3.client import REFUSED, client, code

Statements = dict[str, dict[str, Any]]
"""Statements of a bucket's policy by the user that each is for, oldest generation first."""
_NO_POLICY = "NoSuchBucketPolicy"
_EXISTS = 409


def make_share(admin: dict[str, str], share: dict[str, str], actions: list[str], kept: int) -> None:
    """Make the bucket and the key, and open the bucket to it and to the newest of those before it.

    Args:
        admin: the administrator's binding.
        share: the consumer's.
        actions: what it may do.
        kept: how many generations may work at once.
    """
    s3 = client("s3", admin)
    if share["bucket"] not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=share["bucket"])
    make_user(admin, share)
    found = statements(s3, share["bucket"])
    found[share["username"]] = statement(share, actions)
    newest = sorted(found, key=generation_of)[-kept:]
    write(s3, share["bucket"], {name: found[name] for name in newest})
    drop_users(admin, [found[name] for name in found if name not in newest])


def end_others(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all keys of the bucket but the share's own."""
    end(admin, share["bucket"], [share["username"]])


def end_all(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all keys of the bucket; it stays."""
    end(admin, share["bucket"], [])


def end(admin: dict[str, str], bucket: str, stay: list[str]) -> None:
    """End keys of a bucket but those of some users."""
    s3 = client("s3", admin)
    found = statements(s3, bucket)
    write(s3, bucket, {name: found[name] for name in found if name in stay})
    drop_users(admin, [found[name] for name in found if name not in stay])


def statements(s3: Any, bucket: str) -> Statements:
    """Return a bucket's policy; none is an empty one."""
    try:
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if code(error) == _NO_POLICY:
            return {}
        raise
    return {str(s["Sid"]): s for s in policy["Statement"] if generation_of(str(s.get("Sid", "")))}


def statement(share: dict[str, str], actions: list[str]) -> dict[str, Any]:
    """Return what opens the bucket to the share's key."""
    arn = f"arn:aws:s3:::{share['bucket']}"
    return {
        "Sid": share["username"],
        "Effect": "Allow",
        "Principal": {"AWS": [share["access-key"]]},
        "Action": actions,
        "Resource": [arn, f"{arn}/*"],
    }


def write(s3: Any, bucket: str, found: Statements) -> None:
    """Write a bucket's policy; an empty one is none."""
    if found:
        policy = {"Version": "2012-10-17", "Statement": list(found.values())}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def generation_of(username: str) -> int:
    """Return the generation in a user's name, 0 where it is none of ours."""
    number = username.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def make_user(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the share's key, or give it the share's secret again if somebody gave it another one."""
    if opens(share):
        return
    access, secret = escape(share["access-key"]), escape(share["secret-key"])
    body = f"<Account><Access>{access}</Access><Secret>{secret}</Secret><Role>user</Role></Account>"
    if ask(admin, "create-user", body) == _EXISTS:
        props = f"<MutableProps><Secret>{secret}</Secret><Role>user</Role></MutableProps>"
        ask(admin, f"update-user?access={quote(share['access-key'])}", props)


def opens(share: dict[str, str]) -> bool:
    """Tell whether the store accepts the share's key."""
    try:
        client("s3", share).list_buckets()
    except ClientError as error:
        if code(error) in REFUSED:
            return False
        raise
    return True


def verify_powerless(share: dict[str, str]) -> None:
    """Check that the consumer's key doesn't administer users."""
    try:
        ask(share, "list-users")
    except PermissionError:
        return
    raise PermissionError(f"the key of {share['username']} also administers users")


def drop_users(admin: dict[str, str], former: list[dict[str, Any]]) -> None:
    """End the keys that statements were for; one that is gone already is no trouble."""
    for one in former:
        for access in one["Principal"]["AWS"]:
            ask(admin, f"delete-user?access={quote(access)}")


def ask(admin: dict[str, str], what: str, body: str = "") -> int:
    """Ask the store's own API for something, and return the status of its answer.

    Raises:
        PermissionError: it takes no orders from this administrator.
        RuntimeError: it answers with another error.
    """
    data = body.encode()
    request = AWSRequest("PATCH", f"{admin['endpoint']}/{what}", data=data)
    request.headers["X-Amz-Content-Sha256"] = hashlib.sha256(data).hexdigest()
    SigV4Auth(Credentials(admin["access-key"], admin["secret-key"]), "s3", admin["region"]).add_auth(request)
    answer = URLLib3Session(verify=admin.get("ca-file") or True, timeout=30).send(request.prepare())
    name = what.partition("?")[0]
    if answer.status_code in (401, 403):
        raise PermissionError(
            f"{admin['endpoint']}: {name} is refused to the administrator; is the key access-key root's?"
        )
    if answer.status_code >= 400 and answer.status_code not in (404, _EXISTS):
        raise RuntimeError(f"{admin['endpoint']}: {name} was answered with {answer.status_code}")
    return int(answer.status_code)
