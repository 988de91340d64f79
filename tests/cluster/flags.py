"""The command lines of the bare control plane's three programs."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules: [{level: Metadata}]
"""


@dataclass(frozen=True)
class Plan:
    """Where one control plane lies and on which ports of loopback it listens."""

    directory: Path
    programs: Path
    servers: Path
    """Where kube-apiserver and kube-controller-manager are, of whichever version."""
    service_ranges: str
    """What Services get their addresses from; one range of each family for dual stack."""
    api_port: int
    etcd_port: int
    etcd_peer_port: int

    def save(self) -> None:
        """Write the ports down, for commands that come later."""
        ports = {name: value for name, value in dataclasses.asdict(self).items() if name.endswith("_port")}
        (self.directory / "ports.json").write_text(json.dumps(ports))

    @classmethod
    def load(cls, directory: Path, programs: Path, servers: Path, service_ranges: str) -> Self:
        """Read back what `save` wrote."""
        ports = json.loads((directory / "ports.json").read_text())
        return cls(directory, programs, servers, service_ranges, **ports)

    @property
    def manager_kubeconfig(self) -> Path:
        """The controller manager's credentials."""
        return self.directory / "controller-manager.kubeconfig"

    @property
    def audit_policy(self) -> Path:
        """Which requests the API server writes down; where it isn't there, none."""
        return self.directory / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        """Where it writes them down."""
        return self.directory / "audit.log"

    @property
    def advertised(self) -> str:
        """An address for documentation, of the family that Services get first, as the API server asks."""
        return "2001:db8::1" if ":" in self.service_ranges.partition(",")[0] else "192.0.2.1"

    @property
    def _pki(self) -> Path:
        return self.directory / "pki"

    def etcd(self) -> list[str]:
        """etcd without fsync: this data need not survive a power cut."""
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.etcd_peer_port}"
        return [
            f"{self.programs}/etcd",
            f"--data-dir={self.directory}/etcd-data",
            "--name=only",
            "--unsafe-no-fsync",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=only={peer}",
            "--log-level=warn",
        ]

    def apiserver(self) -> list[str]:
        """kube-apiserver with RBAC; Pod Security, quota and ServiceAccount admission are on by default."""
        return [
            f"{self.servers}/kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.api_port}",
            # The Endpoints of the `kubernetes` Service may not be loopback addresses, and no pod would use them.
            "--endpoint-reconciler-type=none",
            f"--advertise-address={self.advertised}",
            f"--service-cluster-ip-range={self.service_ranges}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            f"--client-ca-file={self._pki}/ca.crt",
            f"--tls-cert-file={self._pki}/apiserver.crt",
            f"--tls-private-key-file={self._pki}/apiserver.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._pki}/sa.pub",
            f"--service-account-signing-key-file={self._pki}/sa.key",
            *self._auditing(),
        ]

    def _auditing(self) -> list[str]:
        if not self.audit_policy.exists():
            return []
        log = (f"--audit-log-path={self.audit_log}", "--audit-log-maxsize=100000")  # MB: never another file
        return [f"--audit-policy-file={self.audit_policy}", *log]

    def manager(self) -> list[str]:
        """kube-controller-manager: namespaces, garbage collection, ServiceAccounts, workloads' objects."""
        return [
            f"{self.servers}/kube-controller-manager",
            f"--kubeconfig={self.manager_kubeconfig}",
            "--secure-port=0",
            "--leader-elect=false",
            # Within 20 s it would end every pod that is being deleted, as none of them has a node.
            "--controllers=*,-pod-garbage-collector-controller",
            f"--root-ca-file={self._pki}/ca.crt",
            f"--service-account-private-key-file={self._pki}/sa.key",
            "--use-service-account-credentials=true",
        ]
