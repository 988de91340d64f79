"""Questions to a server that speaks Prometheus' HTTP API."""

from typing import Any

import requests
from contracts.mlflow.client import ask, refuse


def query(binding: dict[str, str], question: str) -> list[dict[str, Any]]:
    """Return the series that answer a question in PromQL, as of now.

    Args:
        binding: uri; username, password and ca-file where they matter.
        question: of the kind whose answer is a vector.
    """
    return call(binding, "POST", "query", f"query {question}", data={"query": question})["result"]


def targets(binding: dict[str, str]) -> list[dict[str, Any]]:
    """Return what the server collects from, and how that went."""
    return call(binding, "GET", "targets", "targets", params={"state": "active"})["activeTargets"]


def call(binding: dict[str, str], method: str, path: str, words: str, **arguments: Any) -> Any:
    """Call the server's API and return the data of its answer."""
    what = f"{who(binding)}: {words}"
    login = (binding["username"], binding["password"]) if binding.get("username") else None
    url = f"{binding['uri']}/api/v1/{path}"
    return data_of(ask(binding, method, url, what, auth=login, allow_redirects=False, **arguments), what)


def data_of(answer: requests.Response, what: str) -> Any:
    """Return what an answer holds."""
    if answer.is_redirect:
        raise PermissionError(f"{what} was sent to {answer.headers.get('Location', 'another page')}, to a login?")
    if answer.status_code == 400:
        raise ValueError(f"{what} isn't understood: {answer.text[:200]}")
    refuse(answer, what)
    try:
        return answer.json()["data"]
    except (ValueError, KeyError, TypeError):
        status = answer.status_code
        raise RuntimeError(f"{what}: {status}, and no answer of Prometheus' API; are port and path right?") from None


def who(binding: dict[str, str]) -> str:
    """Return whose question it is, and to whom."""
    return f"{binding.get('username') or 'nobody'} at {binding['uri']}"
