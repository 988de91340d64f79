"""The trial's own cluster, made by kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aistack.errors import ToolError
from aistack.images.nodes import engine, nodes
from aistack.images.store import default_cache
from aistack.images.tools import Run, available, run

PREFIX = "kind-"
"""What kind puts before a cluster's name to name its context."""
OTHERWISE = "or use a cluster that you have: aistack up --current --registry REGISTRY"
START_SECONDS = 120


@dataclass(frozen=True)
class KindCluster:
    """A kind cluster of this machine, by its name.

    Args:
        name: may be of one that doesn't exist yet.
        kubeconfig: where its credentials go; empty for kubectl's usual place.
        run_tool: runs kind and the program that runs its nodes.
    """

    name: str
    kubeconfig: str = ""
    run_tool: Run = run

    @property
    def context(self) -> str:
        """Its context's name."""
        return PREFIX + self.name

    def exists(self) -> bool:
        """Tell whether it is there, running or not.

        Raises:
            ToolError: kind isn't installed, or nothing runs its nodes.
        """
        if not available("kind"):
            where = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
            raise ToolError(f"kind is not installed: {where}; {OTHERWISE}")
        try:
            self.run_tool([engine(), "info"])
        except ToolError as error:
            said = str(error).partition("\n")[2]
            raise ToolError(f"{engine()} doesn't answer: start it, {OTHERWISE}\n{said}") from None
        return self.name in self.run_tool(["kind", "get", "clusters"]).split()

    def create(self, config: str = "") -> None:
        """Make it, and wait until its control plane is ready.

        Args:
            config: file with kind's configuration: nodes, their image, ports. One node by default.

        Raises:
            ToolError: kind can't.
        """
        options = [f"--config={config}"] if config else []
        log = default_cache().parent / f"kind-{self.name}.log"
        try:
            self.run_tool(["kind", "create", "cluster", *self._named(), f"--wait={START_SECONDS}s", *options], log=log)
        except ToolError as error:
            said = log.read_text("utf-8", errors="replace") if log.is_file() else ""
            causes = [line for line in said.splitlines() if line.lower().startswith("error")]
            if not causes:
                raise
            # After its reason kind prints the stack of a Go program.
            raise ToolError("\n".join(["kind could not make the cluster:", *causes, f"(all of it: {log})"])) from error

    def start(self) -> None:
        """Start its nodes, which may stand still since the machine was started anew.

        Raises:
            ToolError: they don't start.
        """
        self.run_tool([engine(), "start", *nodes(self.name, self.run_tool)])

    def export(self) -> None:
        """Write its credentials into the kubeconfig, and make it the current context there.

        Raises:
            ToolError: kind can't.
        """
        self.run_tool(["kind", "export", "kubeconfig", *self._named()])

    def delete(self) -> None:
        """Delete it with all that is in it, and its context.

        Raises:
            ToolError: kind can't.
        """
        self.run_tool(["kind", "delete", "cluster", *self._named()])

    def _named(self) -> list[str]:
        given = [f"--kubeconfig={Path(self.kubeconfig)}"] if self.kubeconfig else []
        return [f"--name={self.name}", *given]
