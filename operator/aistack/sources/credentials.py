"""Logins at registries: from a Secret of type ``kubernetes.io/dockerconfigjson``, or from a user's own files."""

from __future__ import annotations

import binascii
import json
import os
import re
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aistack.errors import InvalidError
from aistack.objects.artifact import Reference

_HUB = ("docker.io", "index.docker.io")
_SCHEME, _ENDING = re.compile("^https?://"), re.compile("(/v[12])?/?$")
_HELPER_SECONDS = 30


@dataclass(frozen=True)
class Login:
    """What opens a registry: a name and a password, or a token that others are got with."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Logins:
    """Logins by registry, or by registry and path; ``helpers`` are programs that keep those of some registries."""

    known: Mapping[str, Login] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    """Names after ``docker-credential-``, by registry; that of the empty name is asked for all others."""

    def of(self, reference: Reference) -> Login | None:
        """Return the login for a repository: the one with the longest path that leads there.

        Raises:
            InvalidError: a helper that is named can't be asked.
        """
        where = _named(reference.place)
        fitting = (key for key in self.known if where == key or where.startswith(f"{key}/"))
        if best := max(fitting, key=len, default=""):
            return self.known[best]
        host = where.partition("/")[0]
        helper = self.helpers.get(host) or self.helpers.get("")
        return _ask(helper, host) if helper else None


NO_LOGINS = Logins()


def parse_logins(text: str | bytes, where: str) -> Logins:
    """Read logins as ``docker login`` writes them.

    Args:
        text: JSON with ``auths``; perhaps ``credHelpers`` and ``credsStore``.
        where: what the text is, for messages, which never quote it.

    Raises:
        InvalidError: it isn't such JSON.
    """
    try:
        data = json.loads(text)
        auths: Mapping[str, Any] = data.get("auths") or {}
        known = {_named(host): login for host, entry in auths.items() if (login := _login(entry))}
        helpers = {_named(host): str(name) for host, name in (data.get("credHelpers") or {}).items()}
        if store := data.get("credsStore"):
            helpers[""] = str(store)
    except (ValueError, AttributeError, TypeError, binascii.Error):
        remedy = "make it with: kubectl create secret docker-registry, or docker login"
        raise InvalidError(f"{where}: is no file of logins at registries; {remedy}") from None
    return Logins(known, helpers)


def user_logins() -> Logins:
    """Return the logins of whoever runs this: of ``docker login``, ``podman login`` or ``buildah login``.

    Raises:
        InvalidError: the file isn't what it should be.
    """
    docker = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    given = os.environ.get("REGISTRY_AUTH_FILE")
    files = [Path(given)] if given else [docker, *([Path(runtime) / "containers" / "auth.json"] if runtime else [])]
    found = [parse_logins(file.read_bytes(), str(file)) for file in files if file.is_file()]
    known = {key: login for logins in reversed(found) for key, login in logins.known.items()}
    return Logins(known, {key: name for logins in reversed(found) for key, name in logins.helpers.items()})


def _login(entry: Mapping[str, Any]) -> Login | None:
    """Read one entry; one that is empty says that a helper knows."""
    token = str(entry.get("identitytoken") or entry.get("registrytoken") or "")
    name, _, password = (
        b64decode(entry["auth"], validate=True).decode().partition(":") if entry.get("auth") else ("",) * 3
    )
    name, password = str(entry.get("username") or name), str(entry.get("password") or password)
    return Login(name, password, token) if password or token else None


def _named(host: str) -> str:
    """Return a registry's name as others write it: without scheme, version of the API and trailing slash."""
    plain = _ENDING.sub("", _SCHEME.sub("", host))
    first, slash, rest = plain.partition("/")
    return ("docker.io" if first in _HUB else first) + slash + rest


def _ask(helper: str, host: str) -> Login | None:
    """Ask a program that keeps logins; one that knows none says so and fails."""
    program = f"docker-credential-{helper}"
    asked = "https://index.docker.io/v1/" if host == "docker.io" else host
    try:
        done = subprocess.run(
            [program, "get"], input=asked, capture_output=True, text=True, check=False, timeout=_HELPER_SECONDS
        )
        found = json.loads(done.stdout) if done.returncode == 0 else {}
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError):
        raise InvalidError(
            f"{program}, which keeps the login at {host}, can't be asked; install it, or log in without it"
        ) from None
    name, secret = str(found.get("Username", "")), str(found.get("Secret", ""))
    if not secret:
        return None
    return Login(token=secret) if name == "<token>" else Login(name, secret)
