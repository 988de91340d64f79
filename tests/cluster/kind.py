"""A Kubernetes with nodes: kind on the machine's own Docker daemon or a private one.

cluster = Kind()
cluster.up()                       # a running one is reused
cluster.load_images([Path("mlflow.tar")])
subprocess.run(["kubectl", "--kubeconfig", cluster.kubeconfig, "get", "pods", "-A"])
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import yaml

from tests.cluster import loading
from tests.cluster.build import binaries
from tests.cluster.common import store
from tests.cluster.common.errors import ClusterError, CommandError
from tests.cluster.common.paths import run_dir
from tests.cluster.common.ports import free_ports
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import run, succeeds
from tests.cluster.common.waiting import wait_for
from tests.cluster.docker.hosts import GivenHost, Host, OwnHost, pullable_image
from tests.cluster.kindconfig import State, cluster_config, node_names
from tests.cluster.node import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.cluster.archives import Image
    from tests.cluster.docker.client import Docker

_STEPS = 10
_LABEL = "io.x-k8s.kind.cluster"


@dataclass(frozen=True)
class Beside:
    """A place that the nodes reach.

    Attributes:
        address: where programs listen.
        prefix: of the command that starts one there.
        reach: where a port of it answers this machine's programs, until the block ends.
    """

    address: str
    prefix: tuple[str, ...]
    reach: Callable[[int], AbstractContextManager[tuple[str, int]]]


class Kind:
    """One kind cluster of this machine and user, by its name.

    Args:
        name: the cluster's name, also that of its run directory and network namespace.
        progress: where steps are reported; standard error by default.
    """

    def __init__(self, name: str = "aistack", progress: Progress | None = None) -> None:
        self.name = name
        self.directory = run_dir(f"kind-{name}")
        self.kubeconfig = self.directory / "kubeconfig"
        self.kubectl = binaries.directory() / "kubectl"
        self._progress = progress or Progress(_STEPS)
        self._state_file = self.directory / "state.json"

    def up(self, nodes: int | None = None, preload: Sequence[Path] = ()) -> Path:
        """Make the cluster, or reuse or revive the one that is there, and return its kubeconfig.

        Args:
            nodes: how many nodes; by default as many as a cluster that is there has, else 1.
            preload: image archives that every node must have.

        Raises:
            ClusterError: it can't be made, or one with another number of nodes is there.
        """
        with self._lock():
            self.directory.mkdir(parents=True, exist_ok=True)
            state = self.state
            if state and state.made and nodes not in {None, state.nodes}:
                raise ClusterError(f"a cluster with {state.nodes} node(s) is up: run `kind down` first for {nodes}")
            if not self.kubectl.exists():
                binaries.ensure(self._progress)
            if state and state.made and (self.healthy or self._revive(state)):
                self.wait_ready()
            else:
                self._create(nodes or 1, preload)
            self._load(preload)
        return self.kubeconfig

    def down(self, *, purge: bool = False) -> None:
        """Remove the cluster, and the daemon, namespace and relay if they are its own.

        Args:
            purge: remove the private daemon's cached data too.
        """
        with self._lock():
            state = self.state
            host = self._host(state) if state else OwnHost(self.name, self.directory)
            if state:
                self._remove_nodes(host)
            host.stop(purge=purge)
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def state(self) -> State | None:
        """What is known of the cluster; None where there is none."""
        if not self._state_file.exists():
            return None
        return State(**json.loads(self._state_file.read_text()))

    @property
    def docker(self) -> Docker:
        """The daemon that the nodes run on.

        Raises:
            ClusterError: there is no cluster.
        """
        return self._host(self._existing()).docker

    @property
    def nodes(self) -> list[str]:
        """The names of the nodes, which are those of their containers."""
        return node_names(self.name, self._existing().nodes)

    @property
    def healthy(self) -> bool:
        """Whether the nodes run and the API server calls itself ready, asked the way a user would."""
        state = self.state
        return state is not None and self._host(state).healthy and self._answers()

    def status(self) -> dict[str, object]:
        """The cluster's facts for people and programs; `healthy` is always among them."""
        state = self.state
        if state is None:
            return {"healthy": False, "kubeconfig": None, "nodes": {}}
        host = self._host(state)
        healthy = self.healthy
        states = {name: host.docker.inspect(name) for name in self.nodes} if host.docker.answers() else {}
        return {
            "healthy": healthy,
            "kubeconfig": self.kubeconfig if healthy else None,
            "nodes": {name: facts["State"]["Status"] if facts else "missing" for name, facts in states.items()},
            "runs on": host.kind,
            "DOCKER_HOST": host.docker.env.get("DOCKER_HOST", ""),
            "node image": state.image,
            "up to date": state.given or state.image == parts.image_name(),
        }

    def exec(self, node: str, *command: str) -> str:
        """Run a command in a node and return its output."""
        return self.docker.exec(node, *command)

    @property
    def beside(self) -> Beside:
        """Where programs of this machine run that nodes are to reach."""
        host = self._host(self._existing())
        networks = json.loads(host.docker("network", "inspect", "kind"))[0]["IPAM"]["Config"]
        address = next(found["Gateway"] for found in networks if "." in found.get("Gateway", ""))
        return Beside(address, tuple(host.beside), partial(host.reach, address))

    def reach(self, node: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Where a port of a node answers this machine's programs, until the block ends."""
        host = self._host(self._existing())
        return host.reach(host.docker.inspect(node)["NetworkSettings"]["Networks"]["kind"]["IPAddress"], port)

    def load_images(self, paths: Sequence[Path]) -> list[Image]:
        """Import image archives into every node, skip what is there, and return what was not."""
        with self._lock():
            return self._load(paths)

    def wait_ready(self, timeout: float = 180) -> None:
        """Wait until every node is Ready and cluster DNS and the volume provisioner run.

        Raises:
            ClusterError: they don't in time.
        """
        for command in (
            ["wait", "--for=condition=Ready", "nodes", "--all"],
            ["--namespace=kube-system", "rollout", "status", "deployment/coredns"],
            ["--namespace=local-path-storage", "rollout", "status", "deployment/local-path-provisioner"],
            ["wait", "--for=create", "serviceaccount/default"],
        ):
            self._kubectl(*command, f"--timeout={timeout:.0f}s")

    def _lock(self) -> AbstractContextManager[None]:
        return store.lock(f"kind-{self.name}", busy=f"waiting for another command on the cluster {self.name!r}")

    def _load(self, paths: Sequence[Path]) -> list[Image]:
        return loading.load(self.docker, self.nodes, paths, self._progress) if paths else []

    def _create(self, nodes: int, preload: Sequence[Path]) -> None:
        self._clear_away()
        node_image = pullable_image()
        host: Host = GivenHost(node_image) if node_image else OwnHost(self.name, self.directory)
        host.start(self._progress)
        if self._containers(host):
            if node_image:
                raise ClusterError(f"a kind cluster {self.name!r} that isn't ours is there: `kind delete cluster` it")
            self._remove_nodes(host)
        names = node_names(self.name, nodes)
        node_image = host.prepare(names, preload, self._progress)
        state = State(nodes, free_ports(1)[0], node_image, isinstance(host, GivenHost), made=False)
        self._save(state)
        config = self.directory / "kind.yaml"
        config.write_text(yaml.safe_dump(cluster_config(state, [host.mounts(name) for name in names])))
        with self._progress.step(f"Kubernetes with {nodes} node(s) on {host.kind}", "about 30 s"):
            self._kind_create(host, config, node_image)
            host.connect(state.port)
        with self._progress.step("nodes, DNS and volumes ready", "about 15 s"):
            self.wait_ready()
        self._save(replace(state, made=True))

    def _clear_away(self) -> None:
        """Remove what is left of a cluster of ours that can't be used any more."""
        if (state := self.state) is None:
            return
        host = self._host(state)
        self._remove_nodes(host)
        host.stop(purge=False)
        self._state_file.unlink()

    def _save(self, state: State) -> None:
        draft = self._state_file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self._state_file)

    def _kind_create(self, host: Host, config: Path, node_image: str) -> None:
        options = [
            f"--name={self.name}",
            f"--config={config}",
            f"--image={node_image}",
            f"--kubeconfig={self.kubeconfig}",
        ]
        try:
            run([binaries.directory() / "kind", "create", "cluster", *options], env=host.docker.env, timeout=600)
        except CommandError as error:
            log = self.directory / "kind-create.log"
            log.write_text(error.output)
            raise ClusterError(f"{error}; all that kind said is in {log}") from error

    def _revive(self, state: State) -> bool:
        """Bring back a cluster whose machine or processes were restarted; False where only a new one helps."""
        host = self._host(state)
        started = time.time()
        host.start(self._progress)
        names = node_names(self.name, state.nodes)
        if not all(host.docker.inspect(name) for name in names):
            return False
        stood_still = not all(host.docker.inspect(name)["State"]["Running"] for name in names)
        with self._progress.step("the cluster that was there", "about 20 s"):
            try:
                host.docker("start", *names, timeout=60)
                host.connect(state.port)
                wait_for(self._answers, 90, "the API server")
                if stood_still:
                    # Until the kubelets report again, nodes and pods read as they were before.
                    wait_for(lambda: self._last_heard() >= started, 60, "news of every node", interval=1)
                self.wait_ready()
            except ClusterError as error:
                self._progress.say(f"      it does not come back ({error}): making a new one")
                return False
        return True

    def _last_heard(self) -> float:
        """When the node that has been silent longest last reported."""
        report = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].lastHeartbeatTime}'
        times = self._kubectl("get", "nodes", "--output", report).split()
        return min(datetime.fromisoformat(moment).timestamp() for moment in times)

    def _remove_nodes(self, host: Host) -> None:
        """Remove this cluster's containers, also those of a daemon that has to be started for it."""
        if not host.docker.answers():
            host.start(self._progress)
        for container in self._containers(host):
            host.docker.remove(container)

    def _containers(self, host: Host) -> list[str]:
        return host.docker("ps", "--all", "--quiet", f"--filter=label={_LABEL}={self.name}").split()

    def _host(self, state: State) -> Host:
        return GivenHost(state.image) if state.given else OwnHost(self.name, self.directory)

    def _existing(self) -> State:
        if (state := self.state) is None:
            raise ClusterError("no cluster is up: run `python -m tests.cluster kind up`")
        return state

    def _answers(self) -> bool:
        return succeeds([self.kubectl, "--kubeconfig", self.kubeconfig, "get", "--raw=/readyz"], timeout=30)

    def _kubectl(self, *arguments: str) -> str:
        return run([self.kubectl, "--kubeconfig", self.kubeconfig, *arguments])
