"""Makes one consumer's hub user and lets the hub accept the token that the share brings along."""

from contracts.notebooks.client import call


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the hub accept the share; what exists already is brought in line."""
    call(admin, "PUT", f"hub/tokens/{share['username']}", {"token": share["token"]})
    verify(share)


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all tokens of the user but the share's own."""
    call(admin, "PUT", f"hub/tokens/{share['username']}", {"token": share["token"], "only": True})


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End the user's tokens; the user and its home stay."""
    call(admin, "DELETE", f"hub/tokens/{share['username']}")


def verify(share: dict[str, str]) -> None:
    """Ask as the consumer who it is, and check that its token administers nothing."""
    found = call(share, "GET", "hub/api/user")
    if found.get("name") != share["username"]:
        raise PermissionError(f"the token of {share['username']} belongs to {found.get('name')}")
    if found.get("admin"):
        raise PermissionError(f"user {share['username']} is an administrator")
