"""Makes one consumer's login on the stack's own Prometheus, which has no API for that: a small server beside it does.

A new generation of the share is another login; the one before it works until the generation after.
"""

from typing import Any

from contracts.metrics.client import query
from contracts.mlflow.client import ask, refuse

KEPT_LOGINS = 2


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the server accept the share; what exists already is brought in line."""
    call(admin, "PUT", f"/logins/{share['username']}", {"password": share["password"]})
    verify(share)
    drop(admin, logins(admin, share["username"])[:-KEPT_LOGINS])


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the share but its own."""
    drop(admin, [name for name in logins(admin, share["username"]) if name != share["username"]])


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all logins of the share."""
    drop(admin, logins(admin, share["username"]))


def verify(share: dict[str, str]) -> None:
    """Ask as the consumer will."""
    query(share, "vector(1)")


def logins(admin: dict[str, str], username: str) -> list[str]:
    """Return the share's logins, oldest generation first."""
    base = username.rpartition(".")[0]
    names = [str(name) for name in call(admin, "GET", "/logins")]
    found = [name for name in names if name.rpartition(".")[0] == base and name.rpartition(".")[2].isdigit()]
    return sorted(found, key=lambda name: int(name.rpartition(".")[2]))


def drop(admin: dict[str, str], names: list[str]) -> None:
    """End logins."""
    for name in names:
        call(admin, "DELETE", f"/logins/{name}")


def call(admin: dict[str, str], method: str, path: str, data: Any = None) -> Any:
    """Call the server that makes logins."""
    if not admin.get("logins-port"):
        raise ValueError(
            f"logins can't be made at {admin['host']}: it isn't a Prometheus of ours; put the login to use into the "
            "Secret and write access: Share"
        )
    what = f"{admin['username']} at {admin['host']}:{admin['logins-port']}: {method} {path}"
    url = f"{admin['scheme']}://{admin['host']}:{admin['logins-port']}{path}"
    answer = ask(admin, method, url, what, auth=(admin["username"], admin["password"]), json=data)
    refuse(answer, what)
    if answer.status_code == 404:
        raise LookupError(f"{what}: not found; is the key logins-port right?")
    return answer.json() if answer.content else None
