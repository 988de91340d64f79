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
    files = _files(kubeconfig)
    if not files:
        return SERVICE_ACCOUNT_NAMESPACE.read_text("utf-8").strip() if SERVICE_ACCOUNT_NAMESPACE.is_file() else ""
    configs = [config for file in files for config in _read(file)]
    # As in kubectl: of several files, the first that says something wins.
    current = context or next((str(c["current-context"]) for c in configs if c.get("current-context")), "")
    entries = (entry for config in configs for entry in _maps(config.get("contexts")) if entry.get("name") == current)
    found = (given for entry in entries for given in _maps([entry.get("context")]))
    return next((str(given.get("namespace", "")) for given in found), "")


def require_credentials(kubeconfig: str = "") -> None:
    """Refuse to look for a cluster where nothing says which.

    Raises:
        ClusterError: there is no kubeconfig, and this is no pod.
    """
    if not _files(kubeconfig) and not SERVICE_ACCOUNT_NAMESPACE.is_file():
        raise ClusterError(
            f"no cluster is known: {_paths(kubeconfig)} doesn't exist; name a kubeconfig with --kubeconfig FILE"
        )


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
