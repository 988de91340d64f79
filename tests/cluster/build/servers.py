"""kube-apiserver and kube-controller-manager of each Kubernetes that the integration tests run on.

The default one comes with all other programs (`binaries`); each other one is a Go module of its own in apiservers/,
made by `tests.cluster.build.pin`. etcd, kubeadm and kubectl are the default's with all of them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import versions
from tests.cluster.build import binaries
from tests.cluster.build.compiling import Compilation, version_flags
from tests.cluster.common import store
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import arch

if TYPE_CHECKING:
    from tests.cluster.common.progress import Progress

MODULES = Path(__file__).parents[1] / "apiservers"
PROGRAMS = ("kube-apiserver", "kube-controller-manager")
VARIABLE = "AISTACK_TEST_KUBERNETES"
"""Which version control planes have unless they are told, e.g. `1.36`; the default one without it."""
_PACKAGES = 2020
_REQUIRED = re.compile(r"^require k8s\.io/kubernetes (v[\d.]+)$", re.MULTILINE)


def available() -> dict[str, str]:
    """Return all versions by their minor one, e.g. `{"1.36": "v1.36.3"}`, oldest first."""
    found = [versions.KUBERNETES, *(_version_of(folder) for folder in MODULES.iterdir() if folder.is_dir())]
    return {minor_of(version): version for version in sorted(found, key=_numbers)}


def minor_of(version: str) -> str:
    """Return `1.36` of `v1.36.3`."""
    return version.removeprefix("v").rpartition(".")[0]


def wanted() -> str:
    """Return the version that the environment asks for.

    Raises:
        ClusterError: there is none such.
    """
    minor = os.environ.get(VARIABLE) or minor_of(versions.KUBERNETES)
    known = available()
    if minor not in known:
        raise ClusterError(f"{VARIABLE}={minor}: there are {', '.join(known)}")
    return known[minor]


def directory(version: str) -> Path:
    """Where the two programs of a version lie once they are built."""
    if version == versions.KUBERNETES:
        return binaries.directory()
    return store.artefact(*_artefact(version))


def ensure(version: str, progress: Progress) -> Path:
    """The directory of the two programs, compiled first where they or those of all versions are missing.

    Raises:
        ClusterError: they can't be built.
    """
    common = binaries.ensure(progress)
    if version == versions.KUBERNETES:
        return common
    kind, key = _artefact(version)
    title = f"the API server of Kubernetes {version[1:]} from source"
    if found := store.find(kind, key):
        progress.cached(title)
        return found
    module = _module(version)
    with progress.step(title, "about 6 min on 2 idle cores the first time, kept afterwards") as step:

        def build(target: Path) -> None:
            compilation = Compilation(module, target, version_flags(version), _PACKAGES, step)
            compilation.build(tuple(f"k8s.io/kubernetes/cmd/{name}" for name in PROGRAMS))
            step.result = f"{compilation.count} packages compiled"

        return store.ensure(kind, key, build, keep=1)


def _artefact(version: str) -> tuple[str, str]:
    """Return the kind of artefact, one for each minor version as each keeps its own last build, and its key."""
    module = _module(version)
    key = store.key_of(arch(), version_flags(version), repr(PROGRAMS), module / "go.mod", module / "go.sum")
    return f"apiserver-{minor_of(version)}", key


def _module(version: str) -> Path:
    return MODULES / f"v{minor_of(version)}"


def _version_of(folder: Path) -> str:
    found = _REQUIRED.search((folder / "go.mod").read_text())
    if not found:
        raise ClusterError(f"{folder}/go.mod doesn't say which k8s.io/kubernetes")
    return found[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))
