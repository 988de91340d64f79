"""Certificates and kubeconfigs of the bare control plane, made by kubeadm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster import versions
from tests.cluster.common.shell import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: 192.0.2.1, bindPort: {port}}}
nodeRegistration: {{name: control-plane, criSocket: unix:///run/containerd/containerd.sock}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {version}
controlPlaneEndpoint: "127.0.0.1:{port}"
certificatesDir: {certificates}
encryptionAlgorithm: ECDSA-P256
apiServer: {{certSANs: [127.0.0.1, localhost]}}
"""


class Pki:
    """The keys of one control plane.

    Args:
        kubeadm: the program.
        directory: where `pki/` and the configuration go.
        port: the API server's port on loopback, part of every kubeconfig.
    """

    def __init__(self, kubeadm: Path, directory: Path, port: int) -> None:
        self.certificates = directory / "pki"
        self._kubeadm = kubeadm
        self._config = directory / "kubeadm.yaml"
        self._config.write_text(_CONFIG.format(port=port, version=versions.KUBERNETES, certificates=self.certificates))

    def create(self) -> None:
        """Make the authority, the API server's certificate and the key that signs ServiceAccount tokens."""
        config = f"--config={self._config}"
        for phase, option in (("ca", config), ("apiserver", config), ("sa", f"--cert-dir={self.certificates}")):
            run([self._kubeadm, "init", "phase", "certs", phase, option], timeout=60)

    def kubeconfig(self, target: Path, user: str, groups: Sequence[str] = ()) -> Path:
        """Write a kubeconfig, private to its owner, whose client certificate carries this user and these groups."""
        identity = [f"--client-name={user}", *(f"--org={group}" for group in groups)]
        config = run([self._kubeadm, "kubeconfig", "user", f"--config={self._config}", *identity], timeout=60)
        target.touch(mode=0o600)
        target.write_text(config)
        return target
