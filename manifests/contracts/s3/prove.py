"""Proves a bucket: work in it as its consumer does, and see that its key opens nothing else and nobody else gets in."""

import hashlib
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from contracts.s3.client import REFUSED, client, code, plain_errors

PREFIX = ".aistack-proof/"
"""Objects that proofs make; the second of their making follows."""
PART = 5 << 20
PARTS = 4
SLICE = (PART - 1000, PART + 1000)
"""A range of the object that lies in two parts."""
STALE_SECONDS = 600
PORT_SECONDS = 2
MOST_OTHERS = 10
"""How many buckets of others are tried."""


def prove(share: dict[str, str], step: Any) -> None:
    """Write 20 MiB in parts and read a piece of it; then be refused where the key has no business."""
    work(share, step)
    stranger = {**share, "secret-key": secrets.token_hex(20)}
    step.refuses("a wrong secret key", lambda: look(stranger, share["bucket"]))
    step.refuses("a request without a key", lambda: look(share, share["bucket"], signed=False))
    with step("the key sees its own bucket alone"), plain_errors(share):
        check_alone(share)
    for port in share.get("closed-ports", "").split():
        with step(f"port {port} is closed"):
            check_closed(share["host"], int(port))
    for port in share.get("guarded-ports", "").split():
        with step.warns(f"port {port} is closed"):
            check_closed(share["host"], int(port))


def work(share: dict[str, str], step: Any) -> None:
    """Do what a consumer does."""
    s3, bucket = client("s3", share), share["bucket"]
    place = {"Bucket": bucket, "Key": f"{PREFIX}{int(time.time())}-{secrets.token_hex(8)}"}
    seed = secrets.token_bytes(32)
    try:
        with step("write 20 MiB in parts"), plain_errors(share):
            sweep(s3, bucket)
            upload(s3, place, seed)
        with step("look at it"), plain_errors(share):
            if (size := s3.head_object(**place)["ContentLength"]) != PART * PARTS:
                raise RuntimeError(f"{PART * PARTS} bytes were written, and the store has {size}")
        with step("read a range of it"), plain_errors(share):
            check_range(s3, place, seed)
        with step("list it"), plain_errors(share):
            found = s3.list_objects_v2(Bucket=bucket, Prefix=place["Key"]).get("Contents", [])
            if [o["Key"] for o in found] != [place["Key"]]:
                raise LookupError(f"the list of bucket {bucket} doesn't show an object that was just written")
    finally:
        with step("delete it"), plain_errors(share):
            s3.delete_object(**place)


def upload(s3: Any, place: dict[str, str], seed: bytes) -> None:
    """Write the object, one part in memory at a time."""
    made = s3.create_multipart_upload(**place)["UploadId"]
    tags = []
    for number, part in enumerate(parts(seed), start=1):
        answer = s3.upload_part(**place, UploadId=made, PartNumber=number, Body=part)
        tags.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(**place, UploadId=made, MultipartUpload={"Parts": tags})


def parts(seed: bytes) -> Iterator[bytes]:
    """Yield the parts' contents, different in each run, made anew where they are needed again."""
    for number in range(PARTS):
        yield hashlib.shake_128(seed + bytes([number])).digest(PART)


def check_range(s3: Any, place: dict[str, str], seed: bytes) -> None:
    """Compare a range that lies in two parts with what was written."""
    start, end = SLICE
    read = s3.get_object(**place, Range=f"bytes={start}-{end - 1}")["Body"].read()
    first, second = (part for number, part in enumerate(parts(seed)) if number < 2)
    if read != first[start:] + second[: end - PART]:
        raise RuntimeError(
            f"bytes {start} to {end - 1} came back as {len(read)} bytes that differ from what was written"
        )


def sweep(s3: Any, bucket: str) -> None:
    """Delete what proofs that were cut off left behind."""
    with suppress(ClientError):  # a key that somebody brought along need not have the right to list uploads
        uploads = s3.list_multipart_uploads(Bucket=bucket, Prefix=PREFIX).get("Uploads", [])
        for found in (u for u in uploads if is_stale(u["Key"])):
            s3.abort_multipart_upload(Bucket=bucket, Key=found["Key"], UploadId=found["UploadId"])
    objects = s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", [])
    for found in (o for o in objects if is_stale(o["Key"])):
        s3.delete_object(Bucket=bucket, Key=found["Key"])


def is_stale(key: str) -> bool:
    """Tell whether a proof that made an object must be over."""
    made = key.removeprefix(PREFIX).partition("-")[0]
    return made.isdigit() and int(made) < time.time() - STALE_SECONDS


def look(binding: dict[str, str], bucket: str, *, signed: bool = True) -> None:
    """List a bucket."""
    with plain_errors(binding):
        client("s3", binding, signed=signed).list_objects_v2(Bucket=bucket, MaxKeys=1)


def check_alone(share: dict[str, str]) -> None:
    """See that the store shows the key no other bucket whose objects it could list; not to be shown any is as good."""
    s3 = client("s3", share)
    try:
        shown = [b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"] != share["bucket"]]
    except ClientError as error:
        if code(error) in REFUSED:
            return
        raise
    for other in shown[:MOST_OTHERS]:
        try:
            s3.list_objects_v2(Bucket=other, MaxKeys=1)
        except ClientError as error:
            if code(error) in REFUSED:
                continue
            raise
        raise PermissionError(f"the key of bucket {share['bucket']} opens bucket {other} as well")


def check_closed(host: str, port: int) -> None:
    """See that nothing of the provider but S3 itself can be reached from here."""
    try:
        socket.create_connection((host, port), PORT_SECONDS).close()
    except OSError:
        return
    raise PermissionError(
        f"{host}:{port} takes orders without a login and can be reached from here; "
        "use a network that enforces NetworkPolicies"
    )
