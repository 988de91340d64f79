"""The host's certificates and package settings, lent to a build as secrets so that no image keeps them.

A Containerfile mounts them by id where a step needs the network: ``ca`` (trusted certificates) and the settings of
``apt``, ``pip``, ``uv`` and ``npm``. Each is optional: plain ``docker build`` with none of them works where packages
are reached directly.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from aistack.images.tools import Run, available, run

CA_TARGET = "/run/ca.crt"
"""Where Containerfiles mount ``ca``; ARG SSL_CERT_FILE points there when it is lent."""

_CANDIDATES = {
    "ca": ("$SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"),
    "pip": ("$PIP_CONFIG_FILE", "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf"),
    "uv": ("$UV_CONFIG_FILE", "~/.config/uv/uv.toml", "/etc/uv/uv.toml"),
    "npm": ("$NPM_CONFIG_USERCONFIG", "~/.npmrc"),
}
_APT = re.compile(r"^Acquire::(https?::Proxy|Check-|Retries)", re.MULTILINE)


def host_files(folder: Path, run_tool: Run = run) -> dict[str, Path]:
    """Return the files to lend, by id.

    Args:
        folder: where apt's settings are written as one file.
        run_tool: runs ``apt-config``.
    """
    found = dict(_present())
    settings = [line for line in _apt_settings(run_tool).splitlines() if _APT.match(line)]
    if settings:
        found["apt"] = folder / "apt.conf"
        found["apt"].write_text("\n".join([*settings, ""]), "utf-8")
    return found


def _present() -> Iterator[tuple[str, Path]]:
    for name, candidates in _CANDIDATES.items():
        paths = (Path(os.path.expandvars(candidate)).expanduser() for candidate in candidates)
        first = next((path for path in paths if path.is_file()), None)
        if first is not None:
            yield name, first


def _apt_settings(run_tool: Run) -> str:
    return run_tool(["apt-config", "dump"]) if available("apt-config") else ""
