"""Makes one consumer's hub user and lets the hub accept the token that the share brings along."""

import requests

TIMEOUT_SECONDS = 30


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the hub accept the share; what exists already is brought in line."""
    call(admin, "PUT", f"tokens/{share['username']}", {"token": share["token"]})
    verify(share)


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End the user's tokens; the user and its home stay."""
    call(admin, "DELETE", f"tokens/{share['username']}")


def call(binding: dict[str, str], method: str, path: str, data: dict[str, str] | None = None) -> dict[str, object]:
    """Call the hub's API."""
    what = f"{binding['username']} at {binding['uri']}: {method} {path}"
    headers = {"Authorization": f"token {binding['token']}"}
    try:
        answer = requests.request(
            method, f"{binding['uri']}/hub/{path}", json=data, headers=headers, timeout=TIMEOUT_SECONDS
        )
    except requests.RequestException as error:
        raise ConnectionError(f"{what}: {type(error).__name__}") from None
    if answer.status_code in (401, 403):
        raise PermissionError(f"{what} was refused ({answer.status_code})")
    if answer.status_code == 404:
        raise LookupError(f"{what}: not found")
    if answer.status_code in (502, 503, 504):
        raise ConnectionError(f"{what} was answered with {answer.status_code}")
    if not answer.ok:
        raise RuntimeError(f"{what} was answered with {answer.status_code}: {answer.text[:300]}")
    return answer.json() if answer.content else {}


def verify(share: dict[str, str]) -> None:
    """Ask as the consumer who it is, and check that its token administers nothing."""
    found = call(share, "GET", "api/user")
    if found.get("name") != share["username"]:
        raise PermissionError(f"the token of {share['username']} belongs to {found.get('name')}")
    if found.get("admin"):
        raise PermissionError(f"user {share['username']} is an administrator")
