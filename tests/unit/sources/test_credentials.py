"""Logins: found as docker and kubectl write them, and never shown."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from aistack.errors import InvalidError
from aistack.objects.artifact import Reference
from aistack.sources.credentials import Login, Logins, parse_logins, user_logins

ME = Login("me", "se:cret")
AUTH = b64encode(b"me:se:cret").decode()


def of(logins: Logins, host: str, repository: str = "hello") -> Login | None:
    return logins.of(Reference(host, repository, "1"))


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("r.test", "r.test"),
        ("https://r.test", "r.test"),
        ("https://r.test/v2/", "r.test"),
        ("r.test:5000", "r.test:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
    ],
)
def test_a_login_is_found_however_its_registry_is_written(written: str, host: str) -> None:
    logins = parse_logins(json.dumps({"auths": {written: {"auth": AUTH}}}), "x")
    assert of(logins, host) == ME
    assert of(logins, "other.test") is None
    assert of(logins, f"{host}0") is None


def test_the_longest_path_decides() -> None:
    auths = {"r.test": {"username": "all", "password": "1"}, "r.test/a/b": {"username": "b", "password": "2"}}
    logins = parse_logins(json.dumps({"auths": auths}), "x")
    assert [getattr(of(logins, "r.test", path), "username", "") for path in ("a/b/c", "a/bc", "a")] == [
        "b",
        "all",
        "all",
    ]


def test_an_identity_token_is_a_login() -> None:
    logins = parse_logins(json.dumps({"auths": {"r.test": {"auth": AUTH, "identitytoken": "t"}}}), "x")
    assert of(logins, "r.test") == Login("me", "se:cret", "t")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"auths": {"r.test": "x"}}', '{"auths": {"r.test": {"auth": "%%%hush"}}}']
)
def test_what_is_no_file_of_logins_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InvalidError, match="Secret a/b: is no file of logins at registries; make it with") as refused:
        parse_logins(text, "Secret a/b")
    assert "hush" not in str(refused.value)


def test_secrets_are_not_shown() -> None:
    assert "se:cret" not in repr(parse_logins(json.dumps({"auths": {"r.test": {"auth": AUTH}}}), "x"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def test_a_user_has_the_logins_of_docker_and_of_podman(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_logins() == Logins()
    (home / "config.json").write_text(json.dumps({"auths": {"d.test": {"auth": AUTH}}}))
    (home / "containers").mkdir()
    (home / "containers" / "auth.json").write_text(json.dumps({"auths": {"p.test": {"auth": AUTH}}}))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    assert [of(user_logins(), host) for host in ("d.test", "p.test")] == [ME, ME]
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "containers" / "auth.json"))
    assert [of(user_logins(), host) for host in ("d.test", "p.test")] == [None, ME]


def test_a_helper_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home / "docker-credential-safe"
    program.write_text(
        '#!/bin/sh\nread host\ntest "$host" = r.test || exit 1\necho \'{"Username":"me","Secret":"se:cret"}\'\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(home), prepend=":")
    (home / "config.json").write_text(json.dumps({"auths": {"r.test": {}}, "credsStore": "safe"}))

    assert of(user_logins(), "r.test") == ME
    assert of(user_logins(), "other.test") is None


def test_a_helper_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidError, match=r"docker-credential-gone, which keeps the login at r\.test, can't be asked"):
        of(parse_logins('{"credHelpers": {"r.test": "gone"}}', "x"), "r.test")
