"""Argo CD's own runner of health scripts, compiled from its Go module and kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common import store
from tests.cluster.common.paths import arch
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import run

SOURCE = Path(__file__).parent / "argocd"
ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "examples" / "gitops" / "argocd" / "argocd-cm.yaml"


def runner() -> Path:
    """Return the program; some minutes the first time."""
    files = [SOURCE / name for name in ("go.mod", "go.sum", "main.go")]
    return store.ensure("argocd-health", store.key_of(arch(), *files), _build) / "health"


def _build(target: Path) -> None:
    flags = {**ENV, "GOFLAGS": "-mod=readonly -ldflags=-s"}
    run([find_go(), "build", "-o", target / "health", "."], env=flags, cwd=SOURCE, timeout=1800)


def health(program: Path, manifest: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Return what Argo CD makes of an object with the script that ships: status and message.

    Args:
        program: the runner.
        manifest: the object.
        folder: scratch space.
    """
    group = manifest["apiVersion"].partition("/")[0]
    scripts = yaml.safe_load(CONFIG.read_text("utf-8"))["data"]
    script = folder / "health.lua"
    script.write_text(scripts[f"resource.customizations.health.{group}_{manifest['kind']}"], "utf-8")
    told = subprocess.run(
        [str(program), str(script)], input=json.dumps(manifest), capture_output=True, text=True, check=True
    )
    found = json.loads(told.stdout)
    return found["status"], found.get("message", "")


def main() -> None:
    """Build it before the tests, which have a time limit each, and say so."""
    with Progress(1).step("Argo CD's runner of health scripts, from its Go module", "about 5 min, once"):
        runner()


if __name__ == "__main__":
    main()
