"""Debian's base image: pulled where its registry answers, else made from Debian's packages."""

from __future__ import annotations

import http.client
import tempfile
from pathlib import Path

from aistack.errors import ToolError
from aistack.images.builders import Builder
from aistack.images.tools import Run, available, run

SUITE = "trixie"
REFERENCE = f"docker.io/library/debian:{SUITE}-slim"
"""What Containerfiles name as their Debian; locally made images carry the same name."""

_SOURCES = """\
deb http://deb.debian.org/debian {suite} main
deb http://deb.debian.org/debian {suite}-updates main
deb http://deb.debian.org/debian-security {suite}-security main
"""
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*")
_KEPT = "/usr/share/doc/*/copyright"
_REGISTRY, _TIMEOUT_SECONDS = "registry-1.docker.io", 5.0


def registry_answers(host: str = _REGISTRY) -> bool:
    """Tell whether Docker Hub can be reached from here, within seconds."""
    connection = http.client.HTTPSConnection(host, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("HEAD", "/v2/")
        return connection.getresponse().status in (200, 401)
    except OSError:
        return False
    finally:
        connection.close()


def provide(builder: Builder, reference: str, platform: str, *, cache: Path, registry: bool) -> None:
    """Put a base that isn't ours into the builder's store.

    Args:
        builder: whose store.
        reference: what a Containerfile names.
        platform: for which platform.
        cache: folder for what is made on the way.
        registry: whether a registry may be asked; else only packages are used.

    Raises:
        ToolError: it can be neither pulled nor made.
    """
    log = cache / "logs" / "base.log"
    if registry:
        builder.pull(reference, platform, log)
    elif reference == REFERENCE:
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            rootfs = bootstrap(Path(scratch), platform, log)
            builder.import_rootfs(rootfs, reference, platform)
    else:
        raise ToolError(f"{reference} can't be pulled from here and can't be made from packages; only {REFERENCE} can")


def bootstrap(folder: Path, platform: str, log: Path, run_tool: Run = run) -> Path:
    """Make a minimal Debian from its packages, with security updates; returns the tar file.

    Args:
        folder: where the file is written.
        platform: for which platform.
        log: file that gets the program's output.
        run_tool: runs mmdebstrap.

    Raises:
        ToolError: mmdebstrap is missing or failed.
    """
    if not available("mmdebstrap"):
        raise ToolError("Docker Hub can't be reached and mmdebstrap is not installed: apt-get install mmdebstrap")
    sources, rootfs = folder / "sources.list", folder / "rootfs.tar"
    sources.write_text(_SOURCES.format(suite=SUITE), "utf-8")
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT] + [f"--dpkgopt=path-include={_KEPT}"]
    command = ["mmdebstrap", "--variant=minbase", f"--architectures={platform.partition('/')[2]}"]
    run_tool([*command, *options, SUITE, str(rootfs), str(sources)], env={"SOURCE_DATE_EPOCH": "0"}, log=log)
    return rootfs
