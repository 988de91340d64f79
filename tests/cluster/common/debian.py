"""Programs of Debian packages: installed where they are missing and this is root, asked for otherwise."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import versions
from tests.cluster.common import store
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.shell import run, succeeds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.cluster.common.progress import Progress

_ENV = {"DEBIAN_FRONTEND": "noninteractive"}
_POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by packages whether they may start their services; 101 says no."""
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
_MIRROR = os.environ.get("AISTACK_DEBIAN_MIRROR", "http://deb.debian.org/debian")


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


def bootstrap(target: Path, packages: Sequence[str]) -> None:
    """Write a tar of a minimal Debian with packages, and what they need; this machine gets none of them.

    Args:
        target: the tar.
        packages: their names; versions are those of the day.

    Raises:
        ClusterError: mmdebstrap is missing or failed.
    """
    command = ["mmdebstrap", "--variant=minbase", "--aptopt=APT::Install-Recommends false"]
    run([*command, f"--include={','.join(packages)}", versions.DEBIAN, str(target), _MIRROR], timeout=1800)


def _install(packages: list[str]) -> None:
    with _no_services():
        if all(map(_known, packages)):
            try:
                return _apt_install(packages)
            except ClusterError:
                pass  # lists of yesterday name files that are gone
        _apt("update")
        return _apt_install(packages)


def _apt_install(packages: list[str]) -> None:
    names = sorted({_known(package) or package for package in packages})
    _apt("install", "-y", "--no-install-recommends", *names)


def _apt(*arguments: str) -> None:
    run(["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments], env=_ENV, timeout=1200)


@contextmanager
def _no_services() -> Iterator[None]:
    """Keep packages from starting their services: only the programs are wanted."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _known(package: str) -> str:
    """The first of the alternatives that apt knows; empty where it knows none."""
    candidates = (name for name in package.split("|") if succeeds(["apt-cache", "show", name], timeout=60))
    return next(candidates, "")
