"""The helm program: rendering a chart that lies in a folder, and fetching one from a repository."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore

from aistack.api.versions import OLDEST_KUBERNETES
from aistack.catalog.charts import Chart
from aistack.errors import ToolError
from aistack.sources.process import Limits, run_confined

PROGRAM = "AISTACK_HELM"
"""Names the program where it isn't on PATH as ``helm``."""
KUBERNETES = "{}.{}.0".format(*OLDEST_KUBERNETES)
"""What charts take the cluster for: a plan is the same with and without a cluster, and no pod rolls because the API
server was upgraded. What this version serves, the newer ones that we support serve as well."""
RENDER = Limits(seconds=30)
"""Loki's chart, with 8,000 lines of templates, takes 100 MiB and a third of a second."""
FETCH = Limits(seconds=60, memory=384 * 1024 * 1024, output=64 * 1024 * 1024)
"""Room for a repository's index; an archive is measured when it is read."""
AT_ONCE = 2
"""How many of them run at once: what they take must fit into the operator's own memory."""
_QUICK = {"GOGC": "off", "GOMEMLIMIT": "80MiB"}
"""A program that lives a tenth of a second need not tidy up, unless a chart makes it large: a quarter of the time."""
_NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody is: a chart whose schema refers to somewhere else is not followed there."""


@dataclass(frozen=True)
class Helm:
    """helm, with nothing of the user's own.

    Args:
        program: its path; found by ``AISTACK_HELM`` or on PATH if not given.
        trust: file with the certificates of authorities that repositories are trusted by; empty: the system's.
        logins: file with logins to OCI registries, as ``helm registry login`` and ``docker login`` write it.
    """

    program: str = ""
    trust: str = ""
    logins: str = ""
    _room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE), repr=False, compare=False)

    def template(self, chart: Path, release: str, namespace: str, values: bytes) -> bytes:
        """Return what a chart makes of values, as YAML, hooks included.

        Args:
            chart: the chart's folder.
            release: name of the release.
            namespace: where it would be installed.
            values: JSON.

        Raises:
            LimitError: the chart takes too long, too much memory, or makes too much.
            ExitError: it can't be rendered; with what helm said.
            ToolError: there is no helm.
        """
        options = ["--namespace", namespace, "--kube-version", KUBERNETES, "--skip-crds", "--values", "-"]
        command = [self._found(), "template", release, str(chart), *options]
        with self._room:
            return run_confined(command, RENDER, given=values, settings={**_no_network(), **_QUICK})

    def pull(self, chart: Chart, folder: Path) -> Path:
        """Fetch a remote chart's archive into an empty folder, and return it.

        Raises:
            LimitError: the repository is too slow, or the archive too large.
            ExitError: it can't be fetched; with what helm said.
            ToolError: there is no helm.
        """
        trust = ["--ca-file", self.trust] if self.trust else []
        logins = ["--registry-config", found] if (found := self.logins or usual_logins()) else []
        options = ["--version", str(chart.version), "--destination", str(folder), *trust, *logins]
        with self._room:
            run_confined([self._found(), "pull", *_address(chart), *options], FETCH, settings=_network())
        archives = list(folder.glob("*.tgz"))
        if len(archives) != 1:
            raise ToolError(f"helm pull brought {len(archives)} archives")
        return archives[0]

    def _found(self) -> str:
        program = self.program or os.environ.get(PROGRAM) or shutil.which("helm")
        if not program:
            raise ToolError(
                f"helm isn't installed, and a chart needs it: https://helm.sh/docs/intro/install; or {PROGRAM} names it"
            )
        return program


def usual_logins() -> str:
    """Return the file in which helm, or docker, keeps logins of this user; empty if there is none."""
    home = Path(os.environ.get("HOME", "/nonexistent"))
    docker = Path(os.environ.get("DOCKER_CONFIG") or home / ".docker")
    named = os.environ.get("HELM_REGISTRY_CONFIG")
    places = [Path(named)] if named else [home / ".config/helm/registry/config.json", docker / "config.json"]
    return next((str(place) for place in places if place.is_file()), "")


def _network() -> dict[str, str]:
    """Return what of this process's environment says how the network is reached, and whom to trust there."""
    names = ("HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {name: os.environ[name] for name in names if name in os.environ}


def _address(chart: Chart) -> list[str]:
    repository = str(chart.repository).rstrip("/")
    if repository.startswith("oci://"):
        return [f"{repository}/{chart.name}"]
    return [str(chart.name), "--repo", repository]


def _no_network() -> dict[str, str]:
    return dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
