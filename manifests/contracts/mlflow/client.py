"""Calls of MLflow's REST API, whose refusals become Python's own exceptions."""

import ssl
from typing import Any

import requests

from aistack.proving.trust import why_untrusted

TIMEOUT_SECONDS = 30
UNRESOLVED = "the host name doesn't resolve; correct the key host"
UNANSWERED = "nothing answers there; is it up, and are host and port right?"
SILENT = "is it overloaded, or does a firewall drop what is sent?"
SILENT_TLS = "is the key scheme right, or is it overloaded?"
"""Some servers that don't speak TLS wait for more of what it begins with."""
_REFUSED = {401: "are username and password right?", 403: "does the login have the right to?"}


def ask(binding: dict[str, str], method: str, url: str, what: str, **arguments: Any) -> requests.Response:
    """Send a request and return whatever answer came.

    Args:
        binding: ca-file, where the server's authority is a private one.
        method: of HTTP.
        url: all of it.
        what: whose call of what, for messages.
        arguments: for requests.
    """
    try:
        return requests.request(method, url, timeout=TIMEOUT_SECONDS, verify=binding.get("ca-file", True), **arguments)
    except requests.exceptions.SSLError as error:
        raise ssl.SSLError(f"{what}: {untrusted(error)}") from None
    except requests.Timeout:
        reason = SILENT_TLS if url.startswith("https") else SILENT
        raise TimeoutError(f"{what}: no answer within {TIMEOUT_SECONDS} s; {reason}") from None
    except requests.RequestException as error:
        unknown = "NameResolutionError" in repr(error)
        reason = UNRESOLVED if unknown else UNANSWERED
        raise ConnectionError(f"{what}: {reason}") from None


def untrusted(error: Exception) -> str:
    """Say why TLS failed."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return why_untrusted(str(error))
    return "it doesn't speak TLS, or not as we do; is the key scheme right?"


def refuse(answer: requests.Response, what: str) -> None:
    """Raise what an answer means, unless it is a good one or 404."""
    if answer.ok or answer.status_code == 404:
        return
    if answer.status_code in _REFUSED:
        raise PermissionError(f"{what} was refused ({answer.status_code}); {_REFUSED[answer.status_code]}")
    if answer.status_code in (502, 503, 504):
        raise ConnectionError(f"{what} was answered with {answer.status_code}")
    raise RuntimeError(f"{what} was answered with {answer.status_code}: {answer.text[:300]}")


def call(binding: dict[str, str], method: str, path: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """Call MLflow's API; None if what it is about doesn't exist."""
    what = f"{binding['username']} at {binding['uri']}: {method} {path}"
    place = {"params": data} if method == "GET" else {"json": data}
    login = (binding["username"], binding["password"])
    answer = ask(binding, method, f"{binding['uri']}/api/2.0/mlflow/{path}", what, auth=login, **place)
    refuse(answer, what)
    if answer.status_code == 404:
        return None
    return answer.json() if answer.content else {}
