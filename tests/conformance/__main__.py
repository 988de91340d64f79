"""``python -m tests.conformance [NAME...]``: tries components on the kind cluster; tiers are read from its reports.

Without names it tries those that are no more what their report was written of.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from aistack.catalog.loader import load_catalog
from aistack.catalog.tiers import REPORT, current_reports
from tests.chart.helm import use as use_helm
from tests.cluster.common.errors import ClusterError
from tests.conformance.page import CATALOG
from tests.demo.cluster import AISTACK, alone, bring_up, user_environment
from tests.journey.kube import Kube
from tests.journey.operator import sole_operator


def main(
    name: Annotated[list[str] | None, typer.Argument(help="Components; default: whose reports are stale.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Try all.")] = False,
) -> None:
    """Try components and write their reports."""
    wanted = name or (list(load_catalog().components) if every else stale())
    if not wanted:
        print("every component is what its report was written of; --all tries them all the same")
        return
    use_helm()
    try:
        with alone(), tempfile.TemporaryDirectory() as folder:
            kube = bring_up()
            with sole_operator(kube, Path(folder)):
                failed = [component for component in wanted if not _try(kube, component)]
    except ClusterError as error:
        sys.exit(f"error: {error}")
    print("now: make generate")
    sys.exit(bool(failed))


def stale() -> list[str]:
    """Return the components without a report of what they are now."""
    components = load_catalog().components
    current = current_reports(CATALOG, components)
    return [name for name in components if name not in current]


def _try(kube: Kube, component: str) -> bool:
    print(f"\n{component}", flush=True)
    report = CATALOG / "components" / component / REPORT
    command = [AISTACK, "component", "test", component, "--report", report]
    return not subprocess.run(command, env=user_environment(kube), check=False).returncode


if __name__ == "__main__":
    typer.run(main)
