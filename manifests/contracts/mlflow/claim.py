"""Makes one consumer's MLflow user, through MLflow's own REST API. It never is an administrator."""

from contracts.mlflow.client import call


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


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """See that the share works; the former password ended when this one was claimed, as the user is the same."""
    verify(share)


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """Delete the user; what it logged stays."""
    call(admin, "DELETE", "users/delete", {"username": share["username"]})


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
