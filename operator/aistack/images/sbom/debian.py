"""Debian's packages of an image, from dpkg's notes and the copyright files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.parser import Parser

from aistack.images.sbom.models import Files, Package

STATUS = "var/lib/dpkg/status"
RELEASE = ("etc/os-release", "usr/lib/os-release")
_COPYRIGHT = "usr/share/doc/{}/copyright"
_LICENCE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)


def wanted(path: str) -> bool:
    """Tell whether this module reads a file."""
    return path in (STATUS, *RELEASE) or (path.startswith("usr/share/doc/") and path.endswith("/copyright"))


def release(files: Files) -> tuple[str, str]:
    """Return name and version of the distribution, as its package URLs have them; empty for none."""
    text = next((files[path].decode() for path in RELEASE if path in files), "")
    found = dict(line.partition("=")[::2] for line in text.splitlines())
    return tuple(found.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))  # type: ignore[return-value]  # two keys


def packages(files: Files) -> Iterator[Package]:
    """Yield every package that dpkg has installed."""
    system, version = release(files)
    for stanza in files.get(STATUS, b"").decode().split("\n\n"):
        fields = Parser().parsestr(stanza, headersonly=True)
        if fields["Status"] == "install ok installed":
            yield Package(
                "deb",
                str(fields["Package"]),
                str(fields["Version"]),
                namespace=system,
                licences=tuple(_licences(files, str(fields["Package"]))),
                qualifiers=(("arch", str(fields["Architecture"])), ("distro", f"{system}-{version}")),
            )


def _licences(files: Files, package: str) -> Iterable[str]:
    """Return the short names in a copyright file of the machine-readable kind; others name none."""
    text = files.get(_COPYRIGHT.format(package), b"").decode(errors="replace")
    machine_readable = text.startswith("Format:")
    return sorted({match.strip() for match in _LICENCE.findall(text)}) if machine_readable else ()
