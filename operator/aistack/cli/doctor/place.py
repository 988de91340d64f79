"""Checks of where the stack goes: its namespace, quotas, and the class of its volumes."""

from __future__ import annotations

from collections.abc import Sequence

from aistack.api.status import Footprint
from aistack.cli.doctor.finding import Case, Finding, Mark, quoted
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.objects.quantity import format_bytes, format_cpu, parse_quantity

QUOTA = ObjectKind("v1", "ResourceQuota")
LIMIT_RANGE = ObjectKind("v1", "LimitRange")
STORAGE_CLASS = ObjectKind("storage.k8s.io/v1", "StorageClass")
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


async def namespace(case: Case) -> Finding:
    """See that the namespace is there."""
    reply = await case.client.get(ObjectRef("v1", "Namespace", "", case.namespace))
    return judge_namespace(case.namespace, None if reply.status == 404 else reply.result())


def judge_namespace(name: str, found: Manifest | None) -> Finding:
    """Judge a namespace; every pod keeps the restricted Pod Security Standard, so that any level will do."""
    if found is None:
        return Finding("namespace", Mark.FAIL, f"{name} doesn't exist", f"kubectl create namespace {name}")
    if found["metadata"].get("deletionTimestamp"):
        return Finding("namespace", Mark.FAIL, f"{name} is being deleted", "wait, or use another one with -n")
    labels = found["metadata"].get("labels") or {}
    level = labels.get("pod-security.kubernetes.io/enforce", "not set")
    return Finding("namespace", Mark.OK, f"{name}; Pod Security: {level}, all pods keep the restricted level")


async def quota(case: Case) -> Finding:
    """See that the namespace's quotas leave room, and ask for nothing that pods don't have."""
    quotas, limits = await case.list(QUOTA, case.namespace), await case.list(LIMIT_RANGE, case.namespace)
    return judge_quota(case.profile, case.footprint, quotas, limits)


def judge_quota(profile: str, asked: Footprint, quotas: Sequence[Manifest], limits: Sequence[Manifest]) -> Finding:
    """Compare what quotas leave with what the profile asks for; LimitRanges may give pods what quotas ask for."""
    wanted = {"cpu": asked.cpu, "memory": asked.memory, "storage": asked.storage}
    short = [text for item in quotas for name, text in _left(item).items() if _exceeds(wanted[name], text)]
    if short:
        asks = f"{profile} asks for {asked.cpu} CPU, {asked.memory} memory and {asked.storage} storage"
        return Finding("quota", Mark.FAIL, f"only {quoted(short)} left by quotas, {asks}", "raise the quota")
    if any("limits.cpu" in item.get("status", {}).get("hard", {}) for item in quotas) and not _gives_cpu(limits):
        problem = "a quota counts limits.cpu, which refuses every pod of a stack: none sets a CPU limit"
        return Finding("quota", Mark.FAIL, problem, "make a LimitRange with a default for cpu")
    return Finding("quota", Mark.OK, f"{len(quotas)} that leave room" if quotas else "none in the namespace")


def _gives_cpu(limits: Sequence[Manifest]) -> bool:
    """Tell whether containers without a CPU limit get one."""
    rules = [rule for item in limits for rule in item["spec"]["limits"] if rule["type"] == "Container"]
    return any("cpu" in rule.get("default", {}) for rule in rules)


def _left(quota: Manifest) -> dict[str, str]:
    """Return what a quota has left, by our words."""
    status = quota.get("status", {})
    hard, used = status.get("hard", {}), status.get("used", {})
    names = {"requests.cpu": "cpu", "cpu": "cpu", "requests.memory": "memory", "memory": "memory"}
    names["requests.storage"] = "storage"
    found = {}
    for key, name in names.items():
        if key in hard:
            amount = max(parse_quantity(hard[key]) - parse_quantity(used.get(key, "0")), parse_quantity("0"))
            found[name] = format_cpu(amount) if name == "cpu" else format_bytes(amount)
    return found


def _exceeds(wanted: str, left: str) -> bool:
    return parse_quantity(wanted) > parse_quantity(left)


async def storage(case: Case) -> Finding:
    """See that volumes come without being told their class."""
    return judge_storage(await case.list(STORAGE_CLASS))


def judge_storage(classes: Sequence[Manifest]) -> Finding:
    """Judge the default class."""
    names = [item["metadata"]["name"] for item in classes]
    defaults = [c for c in classes if (c["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"]
    if not classes:
        return Finding("storage", Mark.FAIL, "there is no StorageClass", "install a provisioner of volumes")
    if not defaults:
        remedy = f"set spec.storage.className to one of {quoted(names)}"
        return Finding("storage", Mark.WARN, "no StorageClass is the default", remedy)
    if len(defaults) > 1:
        both = quoted(c["metadata"]["name"] for c in defaults)
        return Finding("storage", Mark.WARN, f"{both} are both the default", "set spec.storage.className")
    (only,) = defaults
    grows = "volumes can grow" if only.get("allowVolumeExpansion") else "volumes can't grow later: choose their size"
    return Finding("storage", Mark.OK, f"{only['metadata']['name']} is the default; {grows}")
