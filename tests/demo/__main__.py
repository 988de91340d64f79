"""``python -m tests.demo {up|down|cluster}``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import run_dir
from tests.cluster.kind import Kind
from tests.demo.cluster import AISTACK, ROOT, alone, bring_up
from tests.journey.kube import Kube, KubeError
from tests.journey.operator import operator_daemon, start_operator
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
    with _step("a Kubernetes on this machine, with our images (the first time builds it all: about 18 min)"):
        kube = bring_up()
    with _step("the operator"):
        _start_operator(kube)
    with _step("examples/starter.yaml, and every component Ready"):
        _apply(kube)
    stack = Starter(kube, NAMESPACE, STACK)
    with _step("every connection, tried by real work"):
        _run_cli(kube, "prove", "--stack", STACK)
    with _step("a run through MLflow's API, seen by two witnesses"):
        _show_run(stack)
    _print_ways_in(kube, time.monotonic() - started)


def down() -> None:
    """Remove what ``up`` made; caches stay."""
    with _step("removing the operator and the cluster; caches stay"):
        operator_daemon(run_dir("demo")).stop()
        Kind().down()


def _start_operator(kube: Kube) -> None:
    daemon = operator_daemon(run_dir("demo"))
    daemon.stop()
    start_operator(daemon, kube.kubeconfig, tied=False)
    print(f"   log: {daemon.log}")


def _apply(kube: Kube) -> None:
    if NAMESPACE not in kube.run("get", "namespaces", "-o", "name").replace("namespace/", "").split():
        kube.run("create", "namespace", NAMESPACE)
    kube.run("label", "--overwrite", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    _run_cli(kube, "apply", "-f", str(ROOT / "examples" / "starter.yaml"), "--wait", "--timeout", "600")


def _run_cli(kube: Kube, *arguments: str) -> None:
    """Run a command as a user would, and show what it prints."""
    subprocess.run([str(AISTACK), "--kubeconfig", str(kube.kubeconfig), "-n", NAMESPACE, *arguments], check=True)


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
    cli = f".venv/bin/aistack -n {NAMESPACE}"
    print(
        f"""
The stack is up and works ({seconds:.0f} s). It stays until `make demo-down`.

  export KUBECONFIG={kube.kubeconfig}
  {cli} open mlflow        # MLflow in your browser, with its login
  {cli} open jupyterhub    # notebooks; open welcome.ipynb and run it
  {cli} status {STACK}
  {cli} prove              # every connection again, now
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
