"""``python -m tests.release v0.2.0 [--notes]``: sees that a tag, the package, the chart and the changelog agree.

With ``--notes`` it prints the changelog's section, for the release's page.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def problems(tag: str, root: Path = ROOT) -> Iterator[str]:
    """Yield what doesn't go with a tag, with what to do."""
    version = tag.removeprefix("v")
    if tag == version:
        yield f"{tag}: a tag begins with v, e.g. v{version}"
    package = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if package != version:
        yield f"pyproject.toml: version is {package}; write {version}"
    chart = yaml.safe_load((root / "charts" / "aistack-operator" / "Chart.yaml").read_text("utf-8"))
    if chart["version"] != version:
        yield f"charts/aistack-operator/Chart.yaml: version is {chart['version']}; write {version}"
    image = yaml.safe_load((root / "manifests" / "images" / "operator" / "image.yaml").read_text("utf-8"))
    if chart["appVersion"] != image["tag"]:
        yield f"charts/aistack-operator/Chart.yaml: appVersion is {chart['appVersion']}; write {image['tag']}"
    if not image["tag"].startswith(f"{version}-"):
        yield f"manifests/images/operator/image.yaml: tag is {image['tag']}; write {version}-1"
    if not notes(version, root):
        yield f"CHANGELOG.md: has no section '## {version}'; rename 'Unreleased', with the day"


def notes(version: str, root: Path = ROOT) -> str:
    """Return the changelog's section of a version; empty if there is none."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    found = re.search(rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?$\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def main(arguments: Sequence[str]) -> int:
    """Check, and print the notes if asked to."""
    tag = arguments[0]
    found = list(problems(tag))
    for problem in found:
        print(problem, file=sys.stderr)
    if "--notes" in arguments and not found:
        print(notes(tag.removeprefix("v")))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
