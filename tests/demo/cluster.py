"""The kind cluster of demo and e2e, with our images on its nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from aistack.catalog.locate import catalog_folder
from aistack.images import standard_plan
from tests.chart.helm import helm
from tests.cluster.common import debian, store
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import succeeds
from tests.cluster.kind import Kind
from tests.journey.kube import Kube

BUILDERS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}
"""Programs that build our images where no Docker daemon answers, and their Debian packages."""
ROOT = Path(__file__).resolve().parents[2]
AISTACK = Path(sys.executable).parent / "aistack"


def alone() -> AbstractContextManager[None]:
    """Hold the cluster: demo and e2e would stop each other's operator and remove each other's stacks."""
    return store.lock("demo-and-e2e", busy="waiting for another demo or e2e run on this machine")


@cache
def bring_up() -> Kube:
    """Build what is missing, bring the cluster up, load the images; all of it again costs seconds."""
    if not succeeds(["docker", "info"], timeout=20):
        debian.ensure(BUILDERS, Progress(1))
    subprocess.run([AISTACK, "images", "build"], cwd=ROOT, check=True)
    kind = Kind()
    kind.up(preload=image_archives())
    return Kube(kind.kubectl, kind.kubeconfig)


def user_environment(kube: Kube) -> dict[str, str]:
    """Return the variables of a user whose current context is the cluster, with kind, helm and Docker at hand."""
    programs = [str(program.parent) for program in (kube.kubectl, helm())]  # kind lies beside kubectl
    path = os.pathsep.join([*programs, os.environ.get("PATH", "")])
    return {**os.environ, **Kind().docker.env, "KUBECONFIG": str(kube.kubeconfig), "PATH": path}


def image_archives() -> list[Path]:
    """Return the archives of all images that pods run."""
    return [step.archive for step in standard_plan(catalog_folder()).running()]
