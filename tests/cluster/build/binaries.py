"""Every compiled program of the test cluster, in one directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster import versions
from tests.cluster.build.compiling import Compilation, version_flags
from tests.cluster.common import store
from tests.cluster.common.paths import TOOLCHAIN, arch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.common.progress import Progress, Step

_LDFLAGS = version_flags(versions.KUBERNETES)
_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
_KUBERNETES = (*_SERVERS, "kubelet", "kubeadm", "kubectl")
_CNI = ("ipam/host-local", "main/loopback", "main/ptp", "meta/portmap")
_BUILDS = (
    (
        *(f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES),
        "go.etcd.io/etcd/server/v3",
        "./coredns",
        "./pause",
        "./smoke",
        "sigs.k8s.io/kind",
        *(f"github.com/containernetworking/plugins/plugins/{name}" for name in _CNI),
    ),
    # Imports Sirupsen/logrus, upper case; one build call refuses two spellings of one path.
    ("github.com/rancher/local-path-provisioner",),
)
_PACKAGES = 3050
CNI_PLUGINS = tuple(name.rpartition("/")[2] for name in _CNI)


def key() -> str:
    """The hash of all that the programs are made of. Go's own version is left out: any that builds will do."""
    sources = sorted(path for path in TOOLCHAIN.rglob("*") if path.suffix in {".go", ".mod", ".sum"})
    return store.key_of(arch(), _LDFLAGS, repr(_BUILDS), *sources)


def directory() -> Path:
    """Where the programs lie once they are built."""
    return store.artefact("binaries", key())


def ensure(progress: Progress) -> Path:
    """The directory of all programs, compiled first where they are missing."""
    title = f"Kubernetes {versions.KUBERNETES[1:]}, etcd, CoreDNS and kind from source"
    if found := store.find("binaries", key()):
        progress.cached(title)
        return found
    with progress.step(title, "about 7 min on 2 cores the first time, kept afterwards") as step:
        return store.ensure("binaries", key(), lambda target: _build(target, step))


def _build(target: Path, step: Step) -> None:
    compilation = Compilation(TOOLCHAIN, target, _LDFLAGS, _PACKAGES, step)
    for packages in _BUILDS:
        compilation.build(packages)
    (target / "server").rename(target / "etcd")  # go names a program by its package's folder
    step.result = f"{compilation.count} packages compiled"
