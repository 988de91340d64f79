"""Those who are compared: each makes, keeps, changes and deletes the same objects in its own way."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.api import CONFIG_MAPS, NETWORK_POLICIES, STACKS, Api, ready
from tests.bench.load import NAME, POLICIES, rendered, stack_manifest, write_yaml
from tests.bench.measure import Cost, run_measured
from tests.bench.operator import Operator
from tests.cluster.controlplane import ControlPlane

DRIFTED = "somebody's own"


@dataclass
class Contender:
    """One of them; the operations are called in the order create, again, change, drift, delete."""

    name: str
    agents: tuple[str, ...]
    """Beginnings of its user agents."""
    plane: ControlPlane
    api: Api
    folder: Path
    watches: bool = False
    """Whether it notices drift by itself."""
    edits: int = 0
    """How many edits by somebody else it is shown in one round."""
    count: int = 0

    def __post_init__(self) -> None:
        self.namespace = f"bench-{self.name}"

    def pids(self) -> list[int]:
        """Its processes that run on."""
        return []

    def prepare(self, count: int) -> None:
        """Get ready for so many objects; not measured."""
        self.count = count
        write_yaml(rendered(self.namespace, count), self.folder / self.name / "base.yaml")
        write_yaml(rendered(self.namespace, count, note="changed"), self.folder / self.name / "changed.yaml")

    def reset(self) -> None:
        """Get ready for one more round; not measured."""

    def create(self, cost: Cost) -> None:
        """Make all objects."""
        raise NotImplementedError

    def again(self, cost: Cost) -> None:
        """Go over all objects with nothing to do."""
        raise NotImplementedError

    def change(self, cost: Cost) -> None:
        """Bring one changed field to its object."""
        raise NotImplementedError

    def delete(self, cost: Cost) -> None:
        """Take all objects away."""
        raise NotImplementedError

    def ask(self) -> None:
        """Have drift looked for now, where it isn't noticed."""

    def drift(self) -> Iterator[float]:
        """Edit objects as somebody else, one after the other, and yield the seconds until each is as before."""
        for _ in range(self.edits):
            name = f"{NAME}-load-item-{random.randrange(1, self.count - POLICIES)}"  # noqa: S311 - no cryptography
            yield self._repair(name)

    def _repair(self, name: str) -> float:
        collection = CONFIG_MAPS.format(self.namespace)
        with self.api.events(collection, name) as events:
            before = next(events)["object"]["data"]["payload"]
            started = time.perf_counter()
            self.api.patch(f"{collection}/{name}", {"data": {"payload": DRIFTED}}, "somebody")
            self.ask()
            edited = False
            for event in events:
                payload = event["object"]["data"]["payload"]
                if edited and payload == before:
                    return time.perf_counter() - started
                edited = edited or payload == DRIFTED
        raise TimeoutError(f"{name} isn't repaired")

    def objects(self) -> int:
        """How many objects there are."""
        collections = (CONFIG_MAPS, NETWORK_POLICIES)
        found = [item for each in collections for item in self.api.send("GET", each.format(self.namespace))["items"]]
        return sum(item["metadata"]["name"].startswith(f"{NAME}-load") for item in found)


@dataclass
class Ours(Contender):
    """The operator: one AIStack."""

    operator: Operator = field(kw_only=True)

    def pids(self) -> list[int]:
        return [self.operator.pid]

    def prepare(self, count: int) -> None:
        self.count = count
        self.operator.settle()

    def create(self, cost: Cost) -> None:
        self._until_ready(cost, lambda: self.api.make(self._collection, stack_manifest(self.namespace, self.count)))

    def again(self, cost: Cost) -> None:
        passes, started = self.operator.passes, time.perf_counter()
        annotations = {"bench.example/again": str(time.time())}
        self.api.patch(self._path, {"metadata": {"annotations": annotations}})
        while self.operator.passes == passes:
            time.sleep(0.005)
        cost.seconds = time.perf_counter() - started
        self.operator.settle()

    def change(self, cost: Cost) -> None:
        spec = stack_manifest(self.namespace, self.count, note="changed")["spec"]
        self._until_ready(cost, lambda: self.api.patch(self._path, {"spec": spec}))

    def delete(self, cost: Cost) -> None:
        started = time.perf_counter()
        self.api.send("DELETE", self._path)
        self.api.wait_gone(self._collection, NAME)
        cost.seconds = time.perf_counter() - started
        self.operator.settle()

    def _until_ready(self, cost: Cost, do: Any) -> None:
        started = time.perf_counter()
        wanted = do()["metadata"]["generation"]
        done = self.api.wait(self._collection, NAME, lambda o: o["metadata"]["generation"] >= wanted and ready(o))
        cost.seconds = done - started
        self.operator.settle()

    @property
    def _collection(self) -> str:
        return STACKS.format(self.namespace)

    @property
    def _path(self) -> str:
        return f"{self._collection}/{NAME}"


@dataclass
class Bare(Contender):
    """The limit: only the requests, 32 at a time."""

    process: Any = field(kw_only=True)

    def pids(self) -> list[int]:
        return [self.process.pid]

    def prepare(self, count: int) -> None:
        super().prepare(count)
        for name in ("base", "changed"):
            self._do("read", name, file=str(self.folder / self.name / f"{name}.yaml"))

    def create(self, cost: Cost) -> None:
        self._do("apply", "base")

    def again(self, cost: Cost) -> None:
        self._do("apply", "base")

    def change(self, cost: Cost) -> None:
        self._do("apply", "changed")

    def delete(self, cost: Cost) -> None:
        self._do("delete", "base")

    def _do(self, verb: str, name: str, **more: str) -> None:
        print(json.dumps({"do": verb, "name": name, **more}), file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n", "the bare client failed"


@contextmanager
def bare_process(kubeconfig: Path) -> Iterator[Any]:
    """Run the bare client."""
    command = [sys.executable, "-m", "tests.bench.bare", str(kubeconfig)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


class Kubectl(Contender):
    """``kubectl apply --server-side`` of one file."""

    def create(self, cost: Cost) -> None:
        self._apply("base", cost)

    def again(self, cost: Cost) -> None:
        self._apply("base", cost)

    def change(self, cost: Cost) -> None:
        self._apply("changed", cost)

    def delete(self, cost: Cost) -> None:
        run_measured([*self._kubectl, "delete", "--wait=false", "-f", self._file("base")], cost)

    def _apply(self, name: str, cost: Cost) -> None:
        run_measured([*self._kubectl, "apply", "--server-side", "-f", self._file(name)], cost)

    def _file(self, name: str) -> str:
        return str(self.folder / self.name / f"{name}.yaml")

    @property
    def _kubectl(self) -> list[str]:
        return [str(self.plane.kubectl), "--kubeconfig", str(self.plane.kubeconfig)]
