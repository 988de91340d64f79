"""kubectl, as a user calls it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar


class KubeError(RuntimeError):
    """kubectl failed; the message is what it said."""


@dataclass(frozen=True)
class Kube:
    """One cluster, through its kubeconfig."""

    kubectl: Path
    kubeconfig: Path

    def run(self, *args: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run kubectl and return what it printed."""
        done = subprocess.run(
            self._command(*args), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise KubeError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def json(self, *args: str) -> Any:
        """Run kubectl and return what it printed as JSON."""
        return json.loads(self.run(*args, "-o", "json"))

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """Server-side apply objects, as the user kubectl."""
        for document in documents:
            self.run("apply", "--server-side", "-f", "-", stdin=json.dumps(document))

    def define(self, files: Path) -> None:
        """Server-side apply definitions of kinds, and wait until they are served."""
        self.run("apply", "--server-side", "--force-conflicts", "-f", str(files))
        # Again where kubectl takes a definition that has no conditions yet for a broken one.
        wait = ("wait", "--for=condition=Established", "-f", str(files), "--timeout=10s")
        eventually(lambda: self.run(*wait), seconds=30)

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return a Secret's values."""
        data = self.json("-n", namespace, "get", "secret", name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    @contextmanager
    def forward(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """Forward a port, as `kubectl port-forward` does, and yield the local one."""
        command = self._command("-n", namespace, "port-forward", "--address", "127.0.0.1", target, f":{port}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                yield _local_port(process)
            finally:
                process.terminate()

    def _command(self, *args: str) -> list[str]:
        return [str(self.kubectl), "--kubeconfig", str(self.kubeconfig), *args]


def _local_port(process: subprocess.Popen[str]) -> int:
    line = process.stdout.readline() if process.stdout else ""
    match = re.search(r"127\.0\.0\.1:(\d+) ->", line)
    if match is None:
        raise KubeError(f"kubectl port-forward: {line.strip()}")
    return int(match.group(1))


T = TypeVar("T")


def eventually(check: Callable[[], T], seconds: float, pause: float = 0.5) -> T:
    """Call ``check`` until it returns something true, and return that.

    Raises:
        AssertionError: time ran out; with the last failure.
    """
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if found := check():
                return found
        except (KubeError, AssertionError) as error:
            last = error
        time.sleep(pause)
    raise AssertionError(f"not within {seconds:.0f} s: {last}")
