"""npm's packages of an image, from their package.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from aistack.images.sbom.models import Files, Package

_PLACE = re.compile(r"(?:^|/)node_modules/(?:@[^/]+/)?[^/]+/package\.json$")


def wanted(path: str) -> bool:
    """Tell whether this module reads a file."""
    return bool(_PLACE.search(path))


def packages(files: Files) -> Iterator[Package]:
    """Yield every package that is installed; a folder without a version is none."""
    for path in filter(wanted, files):
        found = json.loads(files[path])
        if found.get("name") and found.get("version"):
            scope, _, name = str(found["name"]).rpartition("/")
            licence = found.get("license")
            licences = (licence,) if isinstance(licence, str) and licence else ()
            yield Package("npm", name, str(found["version"]), namespace=scope, licences=licences)
