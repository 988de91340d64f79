"""A bare control plane: etcd, kube-apiserver and kube-controller-manager on loopback, without nodes.

Real server-side apply, CRDs, CEL, watches, RBAC, quota, Pod Security admission and garbage collection; no pod ever
runs. Each `ControlPlane` has its own ports, keys and data, so that any number of them stand side by side.

    with ControlPlane() as cluster:
        subprocess.run(["kubectl", "--kubeconfig", cluster.kubeconfig, "get", "namespaces"])
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from tests.cluster import flags
from tests.cluster.build import binaries, servers
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports, listens
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import run
from tests.cluster.pki import Pki

if TYPE_CHECKING:
    from collections.abc import Sequence

_ATTEMPTS = 3
"""Starts to try: a port that was free a moment ago can be taken by another process meanwhile."""

IPV4 = "10.96.0.0/16"
IPV6 = "fd00:10:96::/112"

_GRACE = 2.0
"""Seconds before force: an API server asked to leave waits a minute for its clients' watches to end."""


class ControlPlane:
    """One control plane; as a context manager it starts it and ends exactly its own processes.

    Args:
        directory: where its files go; a temporary directory by default. Removed by `stop`.
        tied: end its processes when the thread that starts them ends, so also when this process is killed.
        progress: where a first build of the programs reports; standard error by default.
        version: of Kubernetes, e.g. "v1.36.3"; by default what the environment asks for, see `servers.wanted`.
        service_ranges: what Services get their addresses from.
        audit: whether the API server writes down each request, see `audited`.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        tied: bool = True,
        progress: Progress | None = None,
        version: str = "",
        service_ranges: str = IPV4,
        audit: bool = False,
    ) -> None:
        self.directory = directory or Path(tempfile.mkdtemp(prefix="aistack-control-plane-"))
        self.kubeconfig = self.directory / "kubeconfig"
        self.kubectl = binaries.directory() / "kubectl"
        self.version = version or servers.wanted()
        self._service_ranges = service_ranges
        self._audit = audit
        self._tied = tied
        self._progress = progress or Progress(total=2)
        self._etcd = Daemon("etcd", self.directory)
        self._apiserver = Daemon("kube-apiserver", self.directory)
        self._manager = Daemon("kube-controller-manager", self.directory)

    def __enter__(self) -> Self:
        """Start it, see `start`."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, see `stop`."""
        self.stop()

    @property
    def url(self) -> str:
        """The API server's address."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        return str(config["clusters"][0]["cluster"]["server"])

    @property
    def healthy(self) -> bool:
        """Whether all three processes run and the API answers."""
        return all(daemon.alive for daemon in (self._etcd, self._apiserver, self._manager)) and self._answers()

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by name."""
        daemons = (self._etcd, self._apiserver, self._manager)
        return {daemon.name: daemon.pid for daemon in daemons if daemon.pid is not None}

    def start(self) -> Path:
        """Start everything afresh and return the administrator's kubeconfig.

        Raises:
            ClusterError: a program can't be built or doesn't start; what was started is ended again.
        """
        servers.ensure(self.version, self._progress)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start_once()
                break
            except BaseException as error:
                self.stop()
                if attempt == _ATTEMPTS or "address already in use" not in str(error):
                    raise
        return self.kubeconfig

    def stop(self) -> None:
        """End the three processes and remove their files."""
        for daemon in (self._manager, self._apiserver, self._etcd):
            daemon.stop(_GRACE)
        shutil.rmtree(self.directory, ignore_errors=True)

    def restart_apiserver(self, *, grace: float = _GRACE) -> None:
        """End the API server and start it again with the same data, keys and port.

        Args:
            grace: seconds before it is ended by force; 0 for a crash.
        """
        self._apiserver.stop(grace)
        self._start_apiserver()

    def audited(self) -> list[dict[str, Any]]:
        """Return the requests that the API server has answered so far, as its audit log has them."""
        return [json.loads(line) for line in self._plan().audit_log.read_text().splitlines()]

    def restart_manager(self) -> None:
        """End the controller manager and start it again: after a loss of the API server it may rest for a minute."""
        self._manager.stop(_GRACE)
        self._manager.start(self._plan().manager(), tied=self._tied)

    def save_etcd(self) -> Path:
        """Copy etcd's data as a crash at this moment would leave it, and return where the copy is."""
        copy = self.directory / "etcd-saved"
        shutil.rmtree(copy, ignore_errors=True)
        pid = self.pids["etcd"]
        os.kill(pid, signal.SIGSTOP)
        try:
            shutil.copytree(self.directory / "etcd-data", copy)
        finally:
            os.kill(pid, signal.SIGCONT)
        return copy

    def restore_etcd(self, copy: Path) -> None:
        """Put etcd's data back to what it was, as after a loss: with all else stopped meanwhile."""
        for daemon in (self._manager, self._apiserver, self._etcd):
            daemon.stop(_GRACE)
        data = self.directory / "etcd-data"
        shutil.rmtree(data)
        shutil.copytree(copy, data)
        plan = self._plan()
        self._start_etcd(plan)
        self._start_apiserver()
        self._manager.start(plan.manager(), tied=self._tied)

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Write a kubeconfig of a user who may do only what RBAC grants to that name and these groups."""
        return self._pki().kubeconfig(self.directory / f"kubeconfig-{user.replace(':', '-')}", user, groups)

    def _start_once(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        api, client, peer = free_ports(3)
        plan = flags.Plan(self.directory, *self._made_of(), api, client, peer)
        plan.save()
        if self._audit:
            plan.audit_policy.write_text(flags.AUDIT_POLICY)
        self._start_etcd(plan)
        pki = self._pki()
        pki.create()
        pki.kubeconfig(self.kubeconfig, "admin", ["system:masters"])
        pki.kubeconfig(plan.manager_kubeconfig, "system:kube-controller-manager")
        self._start_apiserver()
        self._manager.start(plan.manager(), tied=self._tied)
        # Pods are refused while their namespace has no ServiceAccount: ready means that the first one is there.
        command = ["wait", "--for=create", "serviceaccount/default", "--timeout=60s"]
        run([self.kubectl, "--kubeconfig", self.kubeconfig, *command])

    def _start_etcd(self, plan: flags.Plan) -> None:
        self._etcd.start(plan.etcd(), tied=self._tied)
        self._etcd.wait_until(lambda: listens(plan.etcd_port), timeout=60)

    def _start_apiserver(self) -> None:
        self._apiserver.start(self._plan().apiserver(), tied=self._tied)
        self._apiserver.wait_until(self._answers, timeout=60)

    def _answers(self) -> bool:
        """Whether the API server calls itself ready; asked without credentials, which it allows."""
        try:
            context = ssl.create_default_context(cafile=str(self._pki().certificates / "ca.crt"))
            direct = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            )
            with direct.open(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _plan(self) -> flags.Plan:
        return flags.Plan.load(self.directory, *self._made_of())

    def _made_of(self) -> tuple[Path, Path, str]:
        return binaries.directory(), servers.directory(self.version), self._service_ranges

    def _pki(self) -> Pki:
        return Pki(binaries.directory() / "kubeadm", self.directory, self._plan().api_port)
