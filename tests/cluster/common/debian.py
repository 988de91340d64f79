"""Programs of Debian packages: installed where they are missing and this is root, asked for otherwise."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.cluster.common import store
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.shell import run, succeeds

if TYPE_CHECKING:
    from tests.cluster.common.progress import Progress

# RUNLEVEL=1 keeps packages from starting their services: only the programs are wanted.
_ENV = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def which(program: str) -> str | None:
    """Where a program lies, also in the system directories that are not on every user's PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")


def ensure(programs: dict[str, str], progress: Progress) -> None:
    """Make sure that programs are installed.

    Args:
        programs: each program with the Debian package that has it, or several joined by `|`, of which the first that
            this release knows is taken.
        progress: where an installation reports.

    Raises:
        ClusterError: some are missing and can't be installed; the message names the packages.
    """
    missing = sorted({package for program, package in programs.items() if which(program) is None})
    title = "Debian packages of the build"
    if not missing:
        progress.cached(title)
        return
    if os.geteuid() != 0 or which("apt-get") is None:
        raise ClusterError(f"install these packages first, or run as root on Debian or Ubuntu: {' '.join(missing)}")
    with progress.step(f"{title} ({' '.join(missing)})", "about 1 min, once"), store.lock("apt"):
        _install(missing)


def _install(packages: list[str]) -> None:
    if not all(map(_known, packages)):
        run(["apt-get", "update", "-q"], env=_ENV, timeout=600)
    names = sorted({_known(package) or package for package in packages})
    run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *names], env=_ENV, timeout=1200)


def _known(package: str) -> str:
    """The first of the alternatives that apt knows; empty where it knows none."""
    candidates = (name for name in package.split("|") if succeeds(["apt-cache", "show", name], timeout=60))
    return next(candidates, "")
