"""Clients of an S3 store, whose refusals become Python's own exceptions."""

import errno
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from aistack.proving.trust import why_untrusted

CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}, s3={"addressing_style": "path"})
_WHY_REFUSED = {
    "InvalidAccessKeyId": "; it doesn't know the key access-key",
    "SignatureDoesNotMatch": "; the key secret-key is wrong",
    "AccessDenied": "; the key may not do that: give it the right, or correct the key bucket",
}
_UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "doesn't match")
REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"}
ABSENT = {"NoSuchBucket", "NoSuchKey", "NoSuchEntity", "NoSuchEntityException", "404"}
FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"}
SLOW = {"SlowDown", "RequestTimeout", "ServiceUnavailable", "503"}


def client(service: str, binding: dict[str, str], *, signed: bool = True) -> Any:
    """Return a client of the store.

    Args:
        service: ``s3`` or ``iam``.
        binding: endpoint, region, keys; ca-file where the store's authority is a private one.
        signed: whether requests carry the binding's key.
    """
    return boto3.client(
        service,
        endpoint_url=binding["endpoint"],
        region_name=binding["region"],
        aws_access_key_id=binding["access-key"],
        aws_secret_access_key=binding["secret-key"],
        verify=binding.get("ca-file"),
        config=CONFIG if signed else CONFIG.merge(Config(signature_version=UNSIGNED)),
    )


@contextmanager
def plain_errors(binding: dict[str, str]) -> Iterator[None]:
    """Turn botocore's exceptions into Python's own."""
    where = f"{binding.get('username', 'the key')} at {binding['endpoint']}"
    try:
        yield
    except ClientError as error:
        raise answered(where, error) from None
    except BotoCoreError as error:
        raise unanswered(where, error) from None


def answered(where: str, error: ClientError) -> Exception:
    """Return Python's own exception for the store's."""
    text = f"{where}: {error.operation_name} was answered with {code(error)}"
    if code(error) == "RequestTimeTooSkewed":
        return RuntimeError(f"{text}: the clocks of the store and of this node differ; set them")
    if code(error) in FULL or "no writable volumes" in str(error).lower():
        return OSError(errno.EDQUOT, f"{text}: the store has no room left")
    if code(error) in SLOW:
        return TimeoutError(f"{text}: the store asks to come back later")
    if code(error) == "AuthorizationHeaderMalformed":
        return ValueError(f"{text}: {error.response['Error'].get('Message', '')}; correct the key region")
    if code(error) == "NoSuchBucket":
        return LookupError(f"{text}: the bucket doesn't exist; make it, or correct the key bucket")
    if code(error) in REFUSED:
        return PermissionError(f"{text}{_WHY_REFUSED.get(code(error), '')}")
    return LookupError(text) if code(error) in ABSENT else RuntimeError(text)


def unanswered(where: str, error: BotoCoreError) -> Exception:
    """Tell why no answer came."""
    text = str(error)
    if isinstance(error, SSLError) and any(words in text for words in _UNTRUSTED):
        return ssl.SSLError(f"{where}: {why_untrusted(text)}")
    if isinstance(error, SSLError):
        return ssl.SSLError(f"{where}: it doesn't speak TLS, or not as we do; is the key scheme right?")
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return TimeoutError(f"{where}: no answer in time; is it overloaded, or does a firewall drop what is sent?")
    if isinstance(error, EndpointConnectionError) and "resolve" in repr(error.kwargs.get("error")).lower():
        return ConnectionError(f"{where}: the host name doesn't resolve; correct the key host")
    if isinstance(error, EndpointConnectionError):
        return ConnectionError(f"{where}: nothing answers there; is it up, and are host and port right?")
    return ConnectionError(f"{where}: {type(error).__name__}")


def code(error: ClientError) -> str:
    """Return the store's name for an error, or its HTTP status where it gives none."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return str(error.response.get("Error", {}).get("Code") or status)
