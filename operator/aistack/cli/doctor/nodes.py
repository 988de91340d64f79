"""Checks of the nodes: ready, of an architecture that we have images for, with room, and a network that enforces."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path

from aistack.api.status import Footprint
from aistack.catalog.models import DEFAULT_REGISTRY
from aistack.cli.doctor.finding import Case, Finding, Mark, quoted
from aistack.cluster.settings import POD
from aistack.objects.manifest import Manifest, ObjectKind
from aistack.objects.quantity import format_bytes, format_cpu, parse_quantity

NODE = ObjectKind("v1", "Node")
DAEMON_SET = ObjectKind("apps/v1", "DaemonSet")
ARCHITECTURES = frozenset({"amd64", "arm64"})
ENFORCING = ("antrea", "calico", "canal", "cilium", "kube-router", "ovn", "weave")
"""Words in the names of DaemonSets of network plugins that enforce NetworkPolicies."""
SILENT = ("flannel",)
"""The same of those that ignore them."""
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
LEAST_INOTIFY = 512
_LOCAL = ("kind://", "k3s://", "minikube://")
_ENDED = ("Succeeded", "Failed")


async def nodes(case: Case) -> Finding:
    """See that there are nodes on which pods can run."""
    return judge_nodes(await case.list(NODE))


def judge_nodes(found: Sequence[Manifest]) -> Finding:
    """Judge readiness and architectures."""
    usable = [node for node in found if _is_ready(node)]
    if not usable:
        return Finding("nodes", Mark.FAIL, f"none of {len(found)} is ready for pods", "kubectl get nodes")
    kinds = {_info(node).get("architecture", "?") for node in usable}
    if strange := kinds - ARCHITECTURES:
        remedy = f"images are for {quoted(ARCHITECTURES)}: keep stacks off them with spec.scheduling.nodeSelector"
        return Finding("nodes", Mark.WARN, f"some are of architecture {quoted(strange)}", remedy)
    if len(kinds) > 1:
        remedy = (
            "a registry holds our images for one platform only: set spec.scheduling.nodeSelector kubernetes.io/arch"
        )
        return Finding("nodes", Mark.WARN, f"they are of architectures {quoted(kinds)}", remedy)
    return Finding("nodes", Mark.OK, f"{len(usable)} of {len(found)} ready, {quoted(kinds)}")


def _info(node: Manifest) -> Manifest:
    info: Manifest = node.get("status", {}).get("nodeInfo", {})
    return info


def _is_ready(node: Manifest) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not node.get("spec", {}).get("unschedulable")


async def room(case: Case) -> Finding:
    """See that the profile fits."""
    return judge_room(case.profile, case.footprint, await case.list(NODE), await case.list(POD))


def judge_room(profile: str, asked: Footprint, found: Sequence[Manifest], pods: Sequence[Manifest]) -> Finding:
    """Compare what ready nodes have left with what the profile asks for."""
    has = _sum([node["status"].get("allocatable", {}) for node in found if _is_ready(node)])
    containers = [c for p in pods if p.get("status", {}).get("phase") not in _ENDED for c in p["spec"]["containers"]]
    taken = _sum([c.get("resources", {}).get("requests", {}) for c in containers])
    cpu, memory = has[0] - taken[0], has[1] - taken[1]
    free = f"{format_cpu(max(cpu, Decimal(0)))} CPU and {format_bytes(max(memory, Decimal(0)))} memory are free"
    wanted = f"{profile} asks for {asked.cpu} and {asked.memory}"
    if cpu < parse_quantity(asked.cpu) or memory < parse_quantity(asked.memory):
        return Finding("room", Mark.FAIL, f"{free}, {wanted}", "add nodes, or stop something; a running stack counts")
    return Finding("room", Mark.OK, f"{free}, {wanted}")


def _sum(resources: Sequence[Manifest]) -> tuple[Decimal, Decimal]:
    cpu, memory = ([parse_quantity(r[name]) for r in resources if name in r] for name in ("cpu", "memory"))
    return sum(cpu, Decimal(0)), sum(memory, Decimal(0))


async def images(case: Case) -> Finding:
    """See which images the nodes have already."""
    return judge_images(case.images, await case.list(NODE))


def judge_images(wanted: Collection[str], found: Sequence[Manifest]) -> Finding:
    """Judge what nodes tell of their images; they tell of 50 at most."""
    told = (image for node in found for image in node.get("status", {}).get("images") or ())
    there = {name for image in told for name in image.get("names") or ()}  # one that lost its tag has no name
    have = len(there.intersection(wanted))
    if have == len(wanted):
        return Finding("images", Mark.OK, f"all {have} are on the nodes")
    message = f"{have} of {len(wanted)} are on the nodes, the others are pulled from {DEFAULT_REGISTRY}"
    remedy = "nothing is published there yet: aistack images push, and spec.images.registry"
    return Finding("images", Mark.WARN, message, remedy)


async def network(case: Case) -> Finding:
    """See whether the network enforces NetworkPolicies."""
    return judge_network([item["metadata"]["name"] for item in await case.list(DAEMON_SET)])


def judge_network(daemons: Sequence[str]) -> Finding:
    """Judge by the names of the network plugin's DaemonSets."""
    if enforcing := [name for name in daemons if any(word in name for word in ENFORCING)]:
        return Finding("network", Mark.OK, f"{quoted(enforcing)} enforces NetworkPolicies")
    remedy = "use a network plugin that does (Calico, Cilium, ...), or trust every pod of the cluster"
    if silent := [name for name in daemons if any(word in name for word in SILENT)]:
        return Finding("network", Mark.WARN, f"{quoted(silent)} ignores NetworkPolicies", remedy)
    return Finding("network", Mark.UNKNOWN, "whether it enforces NetworkPolicies can't be seen", "ask who runs it")


async def inotify(case: Case) -> Finding:
    """See that a cluster in containers on this machine can watch enough files."""
    return judge_inotify(await case.list(NODE), _limit())


def _limit() -> int:
    return int(INOTIFY.read_text()) if INOTIFY.is_file() else 0


def judge_inotify(found: Sequence[Manifest], limit: int) -> Finding:
    """Judge this machine's limit where nodes are containers of it."""
    local = any(node.get("spec", {}).get("providerID", "").startswith(_LOCAL) for node in found)
    if local and 0 < limit < LEAST_INOTIFY:
        remedy = f"sudo sysctl fs.inotify.max_user_instances={LEAST_INOTIFY}"
        return Finding("inotify", Mark.WARN, f"{limit} instances are few for nodes in containers", remedy)
    return Finding("inotify", Mark.OK, f"{limit} instances" if local else "no nodes in containers of this machine")
