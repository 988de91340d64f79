"""The operator as a process on this machine, as a developer runs it; in a cluster it is a Deployment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aistack.settings import OPERATOR_NAMESPACE
from tests.chart.helm import Helm
from tests.cluster.common.daemons import Daemon
from tests.journey.kube import Kube, KubeError

DEMO = "ml"
"""The demo's namespace."""
DEFINITIONS = Path(__file__).resolve().parent.parent.parent / "crds"
RELEASE = ("aistack", "--namespace", OPERATOR_NAMESPACE)


def operator_daemon(directory: Path) -> Daemon:
    """Return the operator's process, running or not; its log and its record lie in ``directory``."""
    return Daemon("operator", directory)


def start_operator(daemon: Daemon, kubeconfig: Path, *options: str, tied: bool = True) -> None:
    """Start the operator and wait until it serves.

    Args:
        daemon: its process.
        kubeconfig: the cluster, and whose rights it has there.
        options: more of its options.
        tied: end it when the process that starts it ends.
    """
    daemon.start([sys.executable, "-m", "aistack.controller", "--kubeconfig", str(kubeconfig), *options], tied=tied)
    daemon.wait_until(lambda: "operator started" in daemon.log.read_text(errors="replace"), timeout=60)


@contextmanager
def sole_operator(kube: Kube, directory: Path) -> Iterator[Daemon]:
    """Serve all namespaces of a cluster; the demo makes way: two cores have no room for one stack more.

    Args:
        kube: the cluster.
        directory: for its log and its record.
    """
    Helm(kube.kubeconfig).must("uninstall", *RELEASE, "--no-hooks", "--ignore-not-found", "--wait")
    kube.define(DEFINITIONS)
    daemon = operator_daemon(directory)
    start_operator(daemon, kube.kubeconfig)
    try:
        remove_namespace(kube, DEMO)
        yield daemon
    finally:
        daemon.stop()


def remove_namespace(kube: Kube, namespace: str, *, wait: bool = True) -> None:
    """Delete a namespace and its stacks, with their data; an operator must run.

    Args:
        kube: the cluster.
        namespace: may be absent.
        wait: until the namespace is gone too, so that it can be made again.
    """
    try:
        kube.run("get", "namespace", namespace)
    except KubeError:
        return
    kube.run("-n", namespace, "delete", "aistacks", "--all", "--timeout=180s", timeout=200)
    kube.run("delete", "namespace", namespace, f"--wait={str(wait).lower()}", "--timeout=120s", timeout=150)
