"""Makes one consumer's bucket and an IAM user whose key opens this bucket and no other.

Works with stores that serve AWS's IAM API on the S3 port and accept keys that the caller brings along (SeaweedFS), and
with versitygw, which has an API of its own (`versity.py`): the binding's ``users`` tells which.
A new generation of the share is another user; the one before it works until the generation after. A user can make and
end keys of its own, so all of them go with it.
"""

import json
from typing import Any

from botocore.exceptions import ClientError
from contracts.s3 import versity
from contracts.s3.client import REFUSED, client, code, plain_errors

POLICY = "bucket"
PROBE = ".aistack-claim"
KEPT_USERS = 2
ACTIONS = [
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:ListBucket",
    "s3:PutObject",
    "s3:PutObjectTagging",
]
"""All that a consumer does with objects; neither opening its bucket to others nor deleting it."""


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the store accept the share; what exists already is brought in line."""
    if is_versity(admin):
        with plain_errors(admin):
            versity.make_share(admin, share, ACTIONS, KEPT_USERS)
        with plain_errors(share):
            verify(share)
            versity.verify_powerless(share)
        return
    with plain_errors(admin):
        make_bucket(client("s3", admin), share["bucket"])
        iam = client("iam", admin)
        make_user(iam, share)
        set_key(iam, share)
    with plain_errors(share):
        verify(share)
        verify_powerless(share)
    with plain_errors(admin):
        drop_users(iam, users(iam, share["bucket"])[:-KEPT_USERS])


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all users of the bucket but the share's own."""
    with plain_errors(admin):
        if is_versity(admin):
            versity.end_others(admin, share)
            return
        iam = client("iam", admin)
        drop_users(iam, [user for user in users(iam, share["bucket"]) if user != share["username"]])


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all users of the bucket and their keys; the bucket stays."""
    with plain_errors(admin):
        if is_versity(admin):
            versity.end_all(admin, share)
            return
        iam = client("iam", admin)
        drop_users(iam, users(iam, share["bucket"]))


def is_versity(admin: dict[str, str]) -> bool:
    """Tell whether the store makes users its own way."""
    return admin.get("users") == "versitygw"


def make_bucket(s3: Any, bucket: str) -> None:
    """Make the bucket unless the administrator has it already."""
    if bucket not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)


def make_user(iam: Any, share: dict[str, str]) -> None:
    """Make the user and write its policy: objects of its bucket, and nothing else."""
    if share["username"] not in users(iam, share["bucket"]):
        iam.create_user(UserName=share["username"])
    arn = f"arn:aws:s3:::{share['bucket']}"
    statement = {"Effect": "Allow", "Action": ACTIONS, "Resource": [arn, f"{arn}/*"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=share["username"], PolicyName=POLICY, PolicyDocument=document)


def users(iam: Any, bucket: str) -> list[str]:
    """Return a bucket's users, oldest generation first."""
    pages = iam.get_paginator("list_users").paginate()
    names = [user["UserName"] for page in pages for user in page["Users"]]
    found = [name for name in names if name.startswith(f"{bucket}-") and name.removeprefix(f"{bucket}-").isdigit()]
    return sorted(found, key=lambda name: int(name.removeprefix(f"{bucket}-")))


def drop_users(iam: Any, names: list[str]) -> None:
    """Delete users, with their keys and policies."""
    for name in names:
        drop_keys(iam, name, keys(iam, name))
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        iam.delete_user(UserName=name)


def set_key(iam: Any, share: dict[str, str]) -> None:
    """Leave the user the share's key and no other: its holder may have added some, or disabled or replaced this one."""
    works, found = opens(share), keys(iam, share["username"])
    drop_keys(iam, share["username"], [key for key in found if key != share["access-key"] or not works])
    if not works:
        add_key(iam, share)


def opens(share: dict[str, str]) -> bool:
    """Tell whether the store accepts the share's key."""
    try:
        client("s3", share).list_buckets()
    except ClientError as error:
        if code(error) in REFUSED:
            return False
        raise
    return True


def keys(iam: Any, user: str) -> list[str]:
    """Return the ids of a user's keys."""
    return [key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]


def drop_keys(iam: Any, user: str, found: list[str]) -> None:
    """End keys of a user."""
    for key in found:
        iam.delete_access_key(UserName=user, AccessKeyId=key)


def add_key(iam: Any, share: dict[str, str]) -> None:
    """Give the user the share's key. AWS makes keys itself, so its model has no words for one that is brought along."""

    def bring_along(params: dict[str, Any], **_: Any) -> None:
        params["body"] |= {"AccessKeyId": share["access-key"], "SecretAccessKey": share["secret-key"]}

    iam.meta.events.register("before-call.iam.CreateAccessKey", bring_along)
    made = iam.create_access_key(UserName=share["username"])["AccessKey"]
    if (made["AccessKeyId"], made["SecretAccessKey"]) != (share["access-key"], share["secret-key"]):
        iam.delete_access_key(UserName=share["username"], AccessKeyId=made["AccessKeyId"])
        raise RuntimeError("the store made a key of its own instead of taking the one it was given")


def verify(share: dict[str, str]) -> None:
    """Work as the consumer will, and check that its key opens no other bucket."""
    s3 = client("s3", share)
    s3.put_object(Bucket=share["bucket"], Key=PROBE, Body=b"claimed")
    s3.get_object(Bucket=share["bucket"], Key=PROBE)["Body"].read()
    s3.delete_object(Bucket=share["bucket"], Key=PROBE)
    if others := {b["Name"] for b in s3.list_buckets()["Buckets"]} - {share["bucket"]}:
        raise PermissionError(f"the key of {share['username']} also sees {len(others)} other buckets")


def verify_powerless(share: dict[str, str]) -> None:
    """Check that the consumer's key doesn't administer users."""
    try:
        client("iam", share).list_users()
    except ClientError as error:
        if code(error) in REFUSED:
            return
        raise
    raise PermissionError(f"the key of {share['username']} also administers users")
