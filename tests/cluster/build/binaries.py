"""Every compiled program of the test cluster, in one directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import versions
from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common import store
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import TOOLCHAIN, arch
from tests.cluster.common.shell import last_lines

if TYPE_CHECKING:
    from tests.cluster.common.progress import Progress, Step

_VERSION = "k8s.io/component-base/version"
_LDFLAGS = (
    f"-s -w -X {_VERSION}.gitVersion={versions.KUBERNETES} -X {_VERSION}.gitMajor={versions.KUBERNETES_MAJOR}"
    f" -X {_VERSION}.gitMinor={versions.KUBERNETES_MINOR} -X {_VERSION}.gitTreeState=clean"
)
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
"""How many there are to compile, for the eye."""
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
    step.detail = "looking for Go"
    go = find_go()
    count = 0
    for packages in _BUILDS:
        count = _go_build(go, target, packages, step, count)
    (target / "server").rename(target / "etcd")  # go names a program by its package's folder
    step.result = f"{count} packages compiled"


def _go_build(go: Path, target: Path, packages: tuple[str, ...], step: Step, count: int) -> int:
    """Run one `go build`, which names each package as it compiles it, and return how many there were so far."""
    step.detail = "nothing compiled yet"
    options = ["-v", "-buildvcs=false", "-trimpath", "-ldflags", _LDFLAGS, "-o", f"{target}/"]
    command = [str(go), "build", *options, *packages]
    seen: list[str] = []
    with subprocess.Popen(
        command, cwd=TOOLCHAIN, env={**os.environ, **ENV}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as build:
        for line in build.stderr or ():
            seen = [*seen[-9:], line]
            if line.startswith("go: downloading"):
                step.detail = "downloading modules"
            elif not line.startswith("go: "):
                count += 1
                step.detail = f"{count} of about {_PACKAGES} packages compiled"
    if build.returncode:
        raise ClusterError(f"go build failed: {last_lines(''.join(seen), 5)}")
    return count
