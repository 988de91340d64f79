"""What ships: the starter stack's Secrets, programs and pods, and Valkey's, as planned, for servers on loopback."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from aistack.api.binding import AIBinding, AIBindingSpec, BindingMetadata
from aistack.api.group import API_VERSION, KIND
from aistack.api.parse import parse_stack
from aistack.catalog.loader import load_catalog
from aistack.catalog.models import Catalog
from aistack.cluster.secrets import resolve
from aistack.objects.manifest import Manifest
from aistack.objects.plan import CreateSecret, Observed, Plan, SecretRecord
from aistack.objects.recipes import Literal
from aistack.planning.plan import plan_stack
from aistack.proving.claims import run_claim
from aistack.proving.proofs import prove_one
from aistack.rendering import with_charts
from tests.charts import charts

STACK = "demo"
ADDED = ({"name": "valkey"}, {"name": "prometheus"})
"""Components besides the profile's."""
_APPS = tuple(
    AIBinding(metadata=BindingMetadata(name=name, namespace="ml"), spec=AIBindingSpec(stack=STACK, contract=contract))
    for name, contract in (
        ("one", "redis"),
        ("two", "redis"),
        ("metrics-one", "metrics"),
        ("metrics-two", "metrics"),
        ("docs", "vector"),
        ("news", "vector"),
    )
)
"""Consumers of what no component of the catalog uses."""
PATIENCE = 20.0
"""Seconds for which a claim tries to reach its provider."""
PROOF_PATIENCE = 0.0
"""The same for a proof: here every server is up, or meant not to be."""
_REFERENCE = re.compile(r"\$\((\w+)\)")
Binding = dict[str, str]


@dataclass
class Shipped:
    """The starter stack, with its providers on loopback.

    Args:
        folder: scratch space.
    """

    folder: Path
    catalog: Catalog = field(default_factory=load_catalog)
    ports: dict[str, int] = field(default_factory=dict)
    """Port by contract."""
    made: dict[str, Binding] = field(default_factory=dict)
    """Secrets' values by name: made once, as in a cluster."""
    stack: str = STACK
    """The stack's name."""
    components: Sequence[Mapping[str, Any]] = ADDED
    """Changes to the profile's components, and those besides it."""

    def plan(self, **generations: int) -> Plan:
        """Plan the stack as it is when these generations of Secrets (by base name, ``_`` for ``-``) are due."""
        lost = {
            base.replace("_", "-"): SecretRecord(generation - 1, "", present=False)
            for base, generation in generations.items()
            if generation > 1
        }
        spec = {"profile": "starter", "components": [*self.components]}
        metadata = {"name": self.stack, "namespace": "ml"}
        stack = parse_stack({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
        return with_charts(
            lambda known: plan_stack(stack, self.catalog, Observed(secrets=lost), _APPS, known), charts()
        ).plan

    def secret(self, base: str, generation: int = 1) -> Binding:
        """Return the values of a Secret; a binding's server is the one on loopback."""
        plan = self.plan(**{base.replace("-", "_"): generation})
        steps = [s for unit in plan.units for s in unit.prepare]
        step = next(s for s in steps if isinstance(s, CreateSecret) and s.base == base)
        if step.ref.name not in self.made:
            self.made[step.ref.name] = resolve(self._local(step), {})
        return self.made[step.ref.name]

    def _local(self, step: CreateSecret) -> CreateSecret:
        contract = step.recipes.get("type")
        if not isinstance(contract, Literal):
            return step
        place = {"host": Literal("127.0.0.1"), "port": Literal(str(self.ports[contract.value]))}
        return replace(step, recipes={**step.recipes, **place})

    def pod(self, deployment: str) -> dict[str, Any]:
        """Return the spec of a Deployment's pod."""
        return cast(dict[str, Any], self._object("Deployment", deployment)["spec"]["template"]["spec"])

    def config(self, name: str) -> Mapping[str, str]:
        """Return the data of a ConfigMap."""
        return cast(Mapping[str, str], self._object("ConfigMap", name)["data"])

    def _object(self, kind: str, name: str) -> Manifest:
        manifests = [s.manifest for u in self.plan().units for s in u.objects()]
        return next(m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """Return a container's environment as the kubelet would fill it."""
        result: dict[str, str] = {}
        for entry in container["env"]:
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            value = self._value(reference) if reference else entry["value"]
            result[entry["name"]] = _REFERENCE.sub(lambda match: result[match.group(1)], value)
        return result

    def _value(self, reference: Mapping[str, str]) -> str:
        base, _, generation = reference["name"].rpartition("-")
        return self.secret(base, int(generation))[reference["key"]]

    def run(self, function: str, contract: str, **bindings: Binding) -> list[dict[str, Any]]:
        """Run a contract's program as its Job does, and return the lines that it prints.

        Args:
            function: ``claim``, ``revoke``, ``retire`` or ``prove``.
            contract: whose.
            bindings: ``admin`` and ``share``; for proofs the share alone.
        """
        work = Path(tempfile.mkdtemp(dir=self.folder))
        for name, binding in bindings.items():
            (work / name).mkdir()
            for key, value in binding.items():
                (work / name / key).write_text(value, "utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if function == "prove":
                prove_one(f"share={contract}", bindings=work, patience=PROOF_PATIENCE)
            else:
                run_claim(function, contract, bindings=work, patience=PATIENCE)
        return [json.loads(line) for line in printed.getvalue().splitlines()]


@dataclass
class Provider:
    """One provider that runs, and the runner's answers about it.

    Args:
        shipped: the stack.
        contract: what it serves.
        component: who serves it.
        administrator: the contract whose admin binding is its own as well; by default it has one of its own.
    """

    shipped: Shipped
    contract: str
    component: str
    administrator: str = ""

    @property
    def admin(self) -> Binding:
        """The admin binding."""
        contract = self.administrator or self.contract
        return self.shipped.secret(f"{self.shipped.stack}-{self.component}-{contract}-admin")

    def share(self, consumer: str, generation: int = 1) -> Binding:
        """Return a consumer's share."""
        return self.shipped.secret(f"{self.shipped.stack}-{consumer}-{self.contract}", generation)

    def claim(self, share: Binding, admin: Binding | None = None) -> None:
        """Claim a share.

        Raises:
            ClaimFailedError: with the runner's class and message.
        """
        self._run("claim", share, admin)

    def retire(self, share: Binding) -> None:
        """End a share's former generations."""
        self._run("retire", share, None)

    def revoke(self, share: Binding) -> None:
        """Revoke a share."""
        self._run("revoke", share, None)

    def prove(self, share: Binding) -> list[str]:
        """Prove a share, and return the names of the steps that went well.

        Raises:
            ProofFailedError: with the step that failed, its class and message.
        """
        steps = self.shipped.run("prove", self.contract, share=share)
        if not steps[-1]["ok"]:
            raise ProofFailedError(steps[-1]["name"], steps[-1]["class"], steps[-1]["message"])
        return [step["name"] for step in steps]

    def _run(self, function: str, share: Binding, admin: Binding | None) -> None:
        (result,) = self.shipped.run(function, self.contract, admin=admin or self.admin, share=share)
        if not result["ok"]:
            raise ClaimFailedError(result["class"], result["message"])


class ProofFailedError(Exception):
    """A proof failed: at ``step``, with the runner's class ``kind``."""

    def __init__(self, step: str, kind: str, message: str) -> None:
        self.step, self.kind, self.message = step, kind, message
        super().__init__(f"{step}: {kind}: {message}")


class ClaimFailedError(Exception):
    """A claim failed; ``kind`` is the runner's class."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(f"{kind}: {message}")
