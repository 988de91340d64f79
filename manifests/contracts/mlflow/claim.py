"""Makes one consumer's MLflow user, through MLflow's own REST API. It never is an administrator."""

from typing import Any

import requests

TIMEOUT_SECONDS = 30


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the server accept the share; what exists already is brought in line."""
    name, password = share["username"], share["password"]
    if name == admin["username"]:
        raise ValueError(f"{name!r} is the administrator's name; a share needs one of its own")
    found = call(admin, "GET", "users/get", {"username": name})
    if found is None:
        call(admin, "POST", "users/create", {"username": name, "password": password})
    elif not opens(share):
        call(admin, "PATCH", "users/update-password", {"username": name, "password": password})
    if found and found["user"]["is_admin"]:
        call(admin, "PATCH", "users/update-admin", {"username": name, "is_admin": False})
    verify(share)


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """Delete the user; what it logged stays."""
    call(admin, "DELETE", "users/delete", {"username": share["username"]})


def call(binding: dict[str, str], method: str, path: str, data: dict[str, object]) -> dict[str, Any] | None:
    """Call MLflow's API; None if what it is about doesn't exist."""
    what = f"{binding['username']} at {binding['uri']}: {method} {path}"
    place = {"params": data} if method == "GET" else {"json": data}
    try:
        answer = requests.request(
            method,
            f"{binding['uri']}/api/2.0/mlflow/{path}",
            auth=(binding["username"], binding["password"]),
            timeout=TIMEOUT_SECONDS,
            **place,
        )
    except requests.RequestException as error:
        raise ConnectionError(f"{what}: {type(error).__name__}") from None
    if answer.status_code == 404:
        return None
    if answer.status_code in (401, 403):
        raise PermissionError(f"{what} was refused ({answer.status_code})")
    if answer.status_code in (502, 503, 504):
        raise ConnectionError(f"{what} was answered with {answer.status_code}")
    if not answer.ok:
        raise RuntimeError(f"{what} was answered with {answer.status_code}: {answer.text[:300]}")
    return answer.json() if answer.content else {}


def opens(share: dict[str, str]) -> bool:
    """Tell whether the share's password is the user's already."""
    try:
        return call(share, "GET", "users/current", {}) is not None
    except PermissionError:
        return False


def verify(share: dict[str, str]) -> None:
    """Work as the consumer will, and check that its login administers nothing."""
    if call(share, "GET", "experiments/get", {"experiment_id": "0"}) is None:
        raise LookupError(f"{share['uri']}: the default experiment doesn't exist")
    found = call(share, "GET", "users/current", {}) or {}
    if found.get("user", {}).get("is_admin") is not False:
        raise PermissionError(f"user {share['username']} is an administrator")
