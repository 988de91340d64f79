"""Secret values are taken out of texts, however they are written there."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from aistack.cli.bundle.scrub import STARS, Scrubber
from aistack.cli.bundle.secrets import plain_keys
from tests.golden import shipped

VALUE = 'p/4ss"wörd+1 &x'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n"
LOGIN = json.dumps({"auths": {"registry": {"auth": "dXNlcjpodW50ZXIyMjI=", "password": "hunter222"}}})
SECRET = {
    "password": VALUE.encode(),
    "username": b"mlflow",
    "tls.key": PEM.encode(),
    "uri": b"postgresql://mlflow:s3cr%2Bet@db:5432/x",
    ".dockerconfigjson": LOGIN.encode(),
    "line": b"ends-with-a-newline\n",
    "port": b"5432",
    "tiny": b"abc",
}
WRITTEN = {
    "as it is": VALUE,
    "in a URL": quote(VALUE, safe=""),
    "in a URL, slashes kept": quote(VALUE),
    "in JSON": json.dumps({"a": VALUE}),
    "in JSON, letters kept": json.dumps({"a": VALUE}, ensure_ascii=False),
    "in base64": base64.b64encode(VALUE.encode()).decode(),
    "in base64 by echo": base64.b64encode(f"{VALUE}\n".encode()).decode(),
    "as HTTP sends it": base64.b64encode(f"mlflow:{VALUE}".encode()).decode(),
    "one line of a key": "MIIEvQIBADANBgkqhkiG9w0B",
    "a key": PEM,
    "a URL": "postgresql://mlflow:s3cr%2Bet@db:5432/x",
    "the password of a URL": "s3cr%2Bet",
    "the password of a URL as it is meant": "s3cr+et",
    "a login within JSON": "hunter222",
    "a value without its newline": "ends-with-a-newline",
    "twice": f"{VALUE}{VALUE}",
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_no_value_is_left(written: str) -> None:
    text = Scrubber([SECRET], {"username", "port"}).scrub(f"before {written} after")
    assert written not in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert STARS in text


def test_what_is_not_secret_stays() -> None:
    text = "mlflow at port 5432 said abc"
    assert Scrubber([SECRET], {"username", "port"}).scrub(text) == text


def test_without_secrets_nothing_is_changed() -> None:
    assert Scrubber([]).scrub("text") == "text"


def test_keys_that_no_contract_calls_secret() -> None:
    plain = plain_keys(shipped())
    assert {"host", "port", "database", "username", "bucket", "region"} <= plain
    assert not plain & {"password", "uri", "secretKey", "secret-key", "accessKey", "access-key", "token"}
