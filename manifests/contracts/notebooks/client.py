"""Calls of JupyterHub's REST API, and of notebook servers behind it."""

from typing import Any

from contracts.mlflow.client import ask, refuse


def call(binding: dict[str, str], method: str, path: str, data: Any = None) -> Any:
    """Call the hub, or a notebook server behind it."""
    what = f"{binding['username']} at {binding['uri']}: {method} {path}"
    headers = {"Authorization": f"token {binding['token']}"}
    answer = ask(binding, method, f"{binding['uri']}/{path}", what, headers=headers, json=data, allow_redirects=False)
    if answer.status_code == 403:  # so it answers a token that it doesn't know, too
        raise PermissionError(f"{what} was refused (403); is the key token right, and may its user do that?")
    refuse(answer, what)
    if answer.status_code == 404:
        raise LookupError(f"{what}: not found")
    if answer.is_redirect:
        raise PermissionError(f"{what} was sent to a login")
    return answer.json() if answer.content else {}
