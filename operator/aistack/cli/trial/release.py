"""The operator as a Helm release."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aistack
from aistack.api.crd import DEFINITIONS
from aistack.cli.session import Session
from aistack.cluster.client import Client
from aistack.errors import ToolError
from aistack.images.tools import Run, available, run
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.settings import OPERATOR_NAMESPACE

NAME = "aistack"
CHART = "aistack-operator"
TIMEOUT = "3m"
_DEPLOYMENT = ObjectKind("apps/v1", "Deployment")
_DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_CONFLICT = re.compile(r"conflicts? (with|occurred)")
"""In Helm's words, of server-side apply."""
_RELEASE_NAME = "meta.helm.sh/release-name"


@dataclass(frozen=True)
class Release:
    """The release of the operator's chart in a session's cluster."""

    session: Session
    run_tool: Run = field(default=run)

    def install(self, values: Mapping[str, Any]) -> None:
        """Install the packaged chart, or upgrade to it, and wait until the operator is ready.

        Args:
            values: of the chart, by their paths; those of an earlier installation stay otherwise.

        Raises:
            ToolError: helm is missing or failed.
        """
        options = ["--install", "--create-namespace", "--reset-then-reuse-values", "--wait", f"--timeout={TIMEOUT}"]
        given = [word for key, value in values.items() for word in ("--set-json", f"{key}={json.dumps(value)}")]
        words = ("upgrade", NAME, str(chart_folder()), *options, *given)
        try:
            self._helm(*words)
        except ToolError as error:
            if not _CONFLICT.search(str(error)):
                raise
            again = shlex.join(self._command(*words, "--take-ownership", "--force-conflicts"))
            raise ToolError(
                f"{error}\nsomebody else applied the same fields; to let the release have them again: {again}"
            ) from None

    def uninstall(self) -> None:
        """Uninstall it; the chart refuses where stacks are left.

        Raises:
            ToolError: helm is missing or failed.
        """
        self._helm("uninstall", NAME, "--ignore-not-found", "--wait", f"--timeout={TIMEOUT}")

    def _helm(self, *words: str) -> None:
        if not available("helm"):
            raise ToolError("helm is not installed: https://helm.sh/docs/intro/install (3.14 or newer)")
        self.run_tool(self._command(*words))

    def _command(self, *words: str) -> list[str]:
        given = (("--kubeconfig", self.session.kubeconfig), ("--kube-context", self.session.context))
        where = [word for name, value in given if value for word in (name, value)]
        return ["helm", *words, "--namespace", OPERATOR_NAMESPACE, *where]


def chart_folder() -> Path:
    """Return the chart's folder: in the package, or in its checkout.

    Raises:
        ToolError: it is in neither.
    """
    package = Path(aistack.__file__).parent
    for folder in (package / "charts", package.parents[1] / "charts"):
        if (folder / CHART / "Chart.yaml").is_file():
            return folder / CHART
    raise ToolError(f"this installation lacks the chart {CHART}; install aistack anew")


async def running_elsewhere(client: Client) -> str:
    """Return the place of an operator that isn't this release's; empty if there is none, or it can't be seen.

    Raises:
        ClusterError: nobody answers.
    """
    reply = await client.list(_DEPLOYMENT, labelSelector=f"app.kubernetes.io/name={CHART}")
    found = reply.result()["items"] or [] if reply.status == 200 else []
    others = [item for item in found if not _is_ours(item["metadata"])]
    return next((f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in others), "")


async def definitions_are_others(client: Client) -> bool:
    """Tell whether our definitions are there, and somebody else's to upgrade.

    Raises:
        ClusterError: nobody answers, or they can't be read.
    """
    replies = [await client.get(ObjectRef(*_DEFINITION, "", definition.name)) for definition in DEFINITIONS]
    there = [reply.result()["metadata"] for reply in replies if reply.status != 404]
    return any(metadata.get("annotations", {}).get(_RELEASE_NAME) != NAME for metadata in there)


def _is_ours(metadata: Manifest) -> bool:
    labels = metadata.get("labels", {})
    found = metadata["namespace"], labels.get("app.kubernetes.io/instance")
    return found == (OPERATOR_NAMESPACE, NAME)
