"""The nodes of kind clusters: where they run, and which images they have."""

from __future__ import annotations

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

from aistack.errors import ToolError
from aistack.images.tools import Run, available, run

ENGINES = ("docker", "podman", "nerdctl")
"""Programs that run kind's nodes, in the order in which kind tries them."""
_CHOICE = "KIND_EXPERIMENTAL_PROVIDER"
_BY_DIGEST = "sha256:"
_DIGEST = re.compile("[0-9a-f]{64}")
Held = tuple[str, str]
"""An image's reference and the digest of its configuration, which is its identity on a node."""


def engine() -> str:
    """Return the program that runs kind's nodes.

    Raises:
        ToolError: none is installed.
    """
    chosen = os.environ.get(_CHOICE) or next((name for name in ENGINES if available(name)), "")
    if not chosen:
        raise ToolError(f"none of {', '.join(ENGINES)} is installed, and one of them must run kind's nodes")
    return chosen


def nodes(cluster: str, run_tool: Run = run) -> list[str]:
    """Return the names of a kind cluster's nodes, which are those of their containers.

    Raises:
        ToolError: there is no such cluster, or kind can't tell.
    """
    found = run_tool(["kind", "get", "nodes", "--name", cluster]).split()
    if not found:
        raise ToolError(f"no kind cluster is named {cluster!r}; `kind get clusters` lists them")
    return found


def held(node: str, run_tool: Run = run) -> set[Held]:
    """Return the images that a node has.

    Raises:
        ToolError: it can't be asked.
    """
    return read_listing(run_tool([engine(), "exec", node, "ctr", "--namespace=k8s.io", "images", "list"]))


def read_listing(listing: str) -> set[Held]:
    """Read what ``ctr images list`` prints.

    The kubelet's images are in it twice, by name and by their configuration's digest: with the same target.
    """
    rows = [row for line in listing.splitlines()[1:] if len(row := line.split()) > 2]
    digests = {target: _digest(name) for name, _, target, *_ in rows if name.startswith(_BY_DIGEST)}
    named = [(name, target) for name, _, target, *_ in rows if not name.startswith(_BY_DIGEST)]
    return {(name, digests[target]) for name, target in named if target in digests}


def identity(archive: Path) -> Held:
    """Return which image a docker-archive holds, without unpacking it.

    Raises:
        ToolError: it is no such archive.
    """
    try:
        with tarfile.open(archive) as tar:
            member = tar.extractfile("manifest.json")
            entry: dict[str, Any] = json.load(member)[0] if member else {}
        return entry["RepoTags"][0], _digest(entry["Config"])
    except (OSError, tarfile.TarError, KeyError, IndexError, ValueError, TypeError) as error:
        raise ToolError(f"{archive} is no image archive: {error}; build it again with --fresh") from error


def _digest(text: str) -> str:
    found = _DIGEST.search(text)
    if found is None:
        raise ValueError(f"no digest in {text!r}")
    return found.group()
