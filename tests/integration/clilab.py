"""The command line as a user runs it: in a process of its own, with the toy catalog, against a real API server."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.integration.stacklab import StackLab
from tests.toy import TOY


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """The command line in a process of its own, with the toy catalog."""

    lab: StackLab
    folder: Path

    async def __call__(self, *args: str, kubeconfig: Path | None = None) -> Result:
        where = ["--kubeconfig", str(kubeconfig or self.lab.cluster.kubeconfig), "-n", self.lab.namespace]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "aistack.cli", "--catalog", str(TOY), *where, *args),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1"},
        )
        out, err = await process.communicate()
        return Result(process.returncode or 0, out.decode(), err.decode())

    def again(self, words: str) -> str:
        """The command that advice gives: with the global options of this one."""
        return f"aistack {words} --catalog {TOY} --kubeconfig {self.lab.cluster.kubeconfig} -n {self.lab.namespace}"

    def file(self, spec: str = "{profile: toy}") -> str:
        """Write a stack and return its path."""
        manifest = self.lab.manifest(spec)
        del manifest["metadata"]["namespace"]
        path = self.folder / "stack.yaml"
        path.write_text(yaml.safe_dump(manifest))
        return str(path)

    async def plan(self, file: str, *args: str) -> Result:
        """Plan as against the operator of this test."""
        return await self("plan", "-f", file, "--operator-namespace", self.lab.system, *args)

    async def beside(self, operator: object, *args: str) -> Result:
        """Run a command while the operator works."""
        running = asyncio.create_task(self(*args))
        while not running.done():
            if not await self.lab.gone():
                await self.lab.reconcile(operator)  # type: ignore[arg-type]  # a pipeline
                await self.lab.play()
            await asyncio.sleep(0.1)
        return running.result()
