"""``python -m tests.matrix [1.36...]``: the integration tests on each Kubernetes, one by one; ends with a table.

Tests that say nothing of a Kubernetes' version, marked ``any_version``, run with `make test` alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.all import PYTEST, ROOT
from tests.cluster.build import servers
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.progress import Progress, duration

TESTS = (*PYTEST, "-q", "--no-skips", "-n", "2", "-m", "not any_version", "tests/integration")


@dataclass(frozen=True)
class Run:
    """What came of one version; times in seconds."""

    version: str
    built: float
    tested: float
    passed: bool

    def __str__(self) -> str:
        state = "passed" if self.passed else "FAILED"
        return f"{self.version:<10} {state:<7} built in {duration(self.built):>7}, tested in {duration(self.tested):>7}"


def main(arguments: Sequence[str]) -> int:
    """Run the versions named, or all; go on after a failure, and end with 1 if there was one."""
    known = servers.available()
    if unknown := set(arguments) - known.keys():
        print(f"no such version: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    chosen = [minor for minor in known if minor in arguments or not arguments]
    print(f"== integration tests on {', '.join(chosen)}: about 8 min each, the first time 6 more", flush=True)
    try:
        runs = [_run(known[minor], minor) for minor in chosen]
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(["", "== matrix", *map(str, runs)]))
    return 0 if all(run.passed for run in runs) else 1


def _run(version: str, minor: str) -> Run:
    started = time.monotonic()
    servers.ensure(version, Progress(total=2))
    built = time.monotonic()
    print(f"== Kubernetes {version}", flush=True)
    done = subprocess.run(TESTS, cwd=ROOT, env={**os.environ, servers.VARIABLE: minor}, check=False)
    return Run(version, built - started, time.monotonic() - built, done.returncode == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
