"""Flux's source-controller and kustomize-controller, compiled from their Go modules and kept, with their kinds."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common import store
from tests.cluster.common.paths import arch
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import run

MODULE = Path(__file__).parent
OWNER = "github.com/fluxcd"
CONTROLLERS = ("source-controller", "kustomize-controller")


def programs() -> Path:
    """Return the folder with the programs and a folder ``crds``; some minutes the first time."""
    files = [MODULE / name for name in ("go.mod", "go.sum")]
    return store.ensure("flux", store.key_of(arch(), *files), _build)


def _build(target: Path) -> None:
    go, env = find_go(), {**ENV, "GOFLAGS": "-mod=readonly -trimpath -ldflags=-s"}
    packages = [f"{OWNER}/{name}" for name in CONTROLLERS]
    run([go, "build", "-o", f"{target}/", *packages], env=env, cwd=MODULE, timeout=1800)
    (target / "crds").mkdir()
    for package in packages:
        source = run([go, "list", "-m", "-f", "{{.Dir}}", package], env=env, cwd=MODULE).strip()
        for file in Path(source, "config", "crd", "bases").glob("*.yaml"):
            shutil.copyfile(file, target / "crds" / file.name)


def main() -> None:
    """Build them before the tests, which have a time limit each, and say so."""
    with Progress(1).step("Flux's controllers, from their Go modules", "about 6 min, once"):
        programs()


if __name__ == "__main__":
    main()
