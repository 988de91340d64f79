"""Workloads whose number of pods an autoscaler decides: ``replicas`` is left to it, whatever the plan says.

It is asked for only where somebody took that field of ours, so it costs nothing where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aistack.cluster.context import Context
from aistack.errors import AIStackError
from aistack.objects.manifest import ObjectKind, ObjectRef

AUTOSCALER = ObjectKind("autoscaling/v2", "HorizontalPodAutoscaler")
REPLICAS = ".spec.replicas"


async def is_autoscaled(ctx: Context, ref: ObjectRef) -> bool:
    """Tell whether an autoscaler targets a workload.

    Where that can't be asked the field counts as ours: no autoscaler can be meant where none may be listed.
    """
    try:
        found = (await ctx.client.list(AUTOSCALER, ref.namespace)).result()["items"]
    except AIStackError:
        return False
    return any(_targets(autoscaler, ref) for autoscaler in found)


def _targets(autoscaler: Mapping[str, Any], ref: ObjectRef) -> bool:
    target = autoscaler["spec"]["scaleTargetRef"]
    group, _, _ = ref.api_version.rpartition("/")
    of = str(target.get("apiVersion", "")).rpartition("/")[0]
    return (of, target["kind"], target["name"]) == (group, ref.kind, ref.name)
