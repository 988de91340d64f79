"""``python -m tests.demo {up|down|cluster}``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.common.errors import ClusterError
from tests.cluster.kind import Kind
from tests.demo.cluster import AISTACK, alone, bring_up, user_environment
from tests.journey.kube import Kube, KubeError
from tests.journey.starter import Starter

NAMESPACE, STACK = "ml", "demo"
ARTIFACT = b"hello from the demo\n"


def main(arguments: list[str]) -> int:
    """Run one command."""
    command = {"up": up, "down": down, "cluster": cluster}.get(arguments[0] if arguments else "")
    if command is None:
        print("usage: python -m tests.demo {up|down|cluster}", file=sys.stderr)
        return 2
    try:
        with alone():
            command()
    except (AssertionError, ClusterError, KubeError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def cluster() -> None:
    """Bring up the cluster with images and CRD, and no stack."""
    bring_up()


def up() -> None:
    """Bring up everything and show that it works."""
    started = time.monotonic()
    with _step("a Kubernetes on this machine, with our images (the first time builds it all: about 27 min)"):
        kube = bring_up()
    _run_cli(kube, "up", "--current", "-n", NAMESPACE, "--name", STACK)
    stack = Starter(kube, NAMESPACE, STACK)
    with _step("a run through MLflow's API, seen by two witnesses"):
        _show_run(stack)
    _print_ways_in(kube, time.monotonic() - started)


def down() -> None:
    """Remove what ``up`` made; caches stay."""
    with _step("removing the cluster; caches stay"):
        Kind().down()


def _run_cli(kube: Kube, *arguments: str) -> None:
    """Run a command as a user would who has this cluster, kind and helm, and show what it prints."""
    subprocess.run([str(AISTACK), *arguments], env=user_environment(kube), check=True)


def _show_run(stack: Starter) -> None:
    run = stack.log_run("demo", metric=0.93, artifact=ARTIFACT)
    print(f"   logged  run {run.run_id}: accuracy={run.metric}, hello.txt of {len(run.artifact)} bytes")
    metric = stack.metric_in_postgres(run.run_id)
    print(f"   found   accuracy={metric} in PostgreSQL, database {stack.binding('mlflow', 'postgres')['database']}")
    found = stack.artifact_in_s3(run)
    print(f"   found   {len(found or b'')} equal bytes in S3, bucket {stack.binding('mlflow', 's3')['bucket']}")
    if metric != run.metric or found != run.artifact:
        raise AssertionError("what was found is not what was logged")


def _print_ways_in(kube: Kube, seconds: float) -> None:
    print(
        f"""
The stack is up and works ({seconds:.0f} s). It stays until `make demo-down`. For the commands above:

  export KUBECONFIG={kube.kubeconfig} PATH={AISTACK.parent}:$PATH

In JupyterHub, open welcome.ipynb and run it.
"""
    )


@contextmanager
def _step(title: str) -> Iterator[None]:
    print(f"\n== {title}", flush=True)
    started = time.monotonic()
    yield
    print(f"== done in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
