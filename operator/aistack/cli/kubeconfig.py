"""What the client doesn't tell of a kubeconfig: whether there is one, and the namespace that its context names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aistack.errors import ClusterError

SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def context_namespace(kubeconfig: str = "", context: str = "") -> str:
    """Return the namespace of a context, or of the pod that this runs in; empty if there is none.

    Args:
        kubeconfig: path, or several as in ``$KUBECONFIG``; by default that variable's, else ``~/.kube/config``.
        context: name; by default the current one.
    """
    if not _files(kubeconfig):
        return SERVICE_ACCOUNT_NAMESPACE.read_text("utf-8").strip() if SERVICE_ACCOUNT_NAMESPACE.is_file() else ""
    found = _maps([_contexts(kubeconfig).get(context or current_context(kubeconfig))])
    return next((str(given.get("namespace", "")) for given in found), "")


def current_context(kubeconfig: str = "") -> str:
    """Return the name of the current context, empty if there is none."""
    # As in kubectl: of several files, the first that says something wins.
    return next((str(c["current-context"]) for c in _configs(kubeconfig) if c.get("current-context")), "")


def has_context(name: str, kubeconfig: str = "") -> bool:
    """Tell whether a kubeconfig has a context."""
    return name in _contexts(kubeconfig)


def require_credentials(kubeconfig: str = "") -> None:
    """Refuse to look for a cluster where nothing says which.

    Raises:
        ClusterError: there is no kubeconfig, and this is no pod.
    """
    if not _files(kubeconfig) and not SERVICE_ACCOUNT_NAMESPACE.is_file():
        raise ClusterError(
            f"no cluster is known: {_paths(kubeconfig)} doesn't exist; name a kubeconfig with --kubeconfig FILE"
        )


def _contexts(kubeconfig: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for config in _configs(kubeconfig):
        for entry in _maps(config.get("contexts")):
            found.setdefault(str(entry.get("name")), entry.get("context"))
    return found


def _configs(kubeconfig: str) -> list[Mapping[str, Any]]:
    return [config for file in _files(kubeconfig) for config in _read(file)]


def _paths(kubeconfig: str) -> str:
    return kubeconfig or os.environ.get("KUBECONFIG", "") or str(Path("~/.kube/config").expanduser())


def _files(kubeconfig: str) -> list[Path]:
    return [Path(path) for path in _paths(kubeconfig).split(os.pathsep) if Path(path).is_file()]


def _read(file: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the file's content; one that can't be parsed is left for the client to refuse."""
    import yaml

    try:
        config = yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, OSError, RecursionError, ValueError):
        return
    if isinstance(config, Mapping):
        yield config


def _maps(entries: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
