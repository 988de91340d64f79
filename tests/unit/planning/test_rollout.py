"""Rollouts: pods overlap, so that nobody notices, unless their version changes."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.objects.manifest import Manifest, ref_of
from aistack.objects.plan import Observed
from aistack.planning.rollout import APART, OVERLAPPING, rollout
from tests.toy import find, plan, starter

NEW = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
NOT_THROUGH = {**NEW, "updatedReplicas": 0, "availableReplicas": 0, "readyReplicas": 0}


def live(version: str, strategy: str, status: dict[str, Any]) -> Manifest:
    template = {"metadata": {"labels": {"app.kubernetes.io/version": version}}, "spec": {"containers": []}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "demo-mlflow", "namespace": "ml", "generation": 1},
        "spec": {"replicas": 1, "strategy": {"type": strategy}, "template": template},
        "status": status,
    }


STATES: dict[str, tuple[Manifest | None, object]] = {
    "first-time": (None, OVERLAPPING),
    "same-version": (live("3.17.2", "RollingUpdate", NEW), OVERLAPPING),
    "same-version-on-its-way": (live("3.17.2", "RollingUpdate", NOT_THROUGH), OVERLAPPING),
    "another-version": (live("3.16.0", "RollingUpdate", NEW), APART),
    "another-version-broken": (live("3.16.0", "RollingUpdate", NOT_THROUGH), APART),
    "upgrade-on-its-way": (live("3.17.2", "Recreate", NOT_THROUGH), APART),
    "upgrade-not-seen-yet": (live("3.17.2", "Recreate", {**NEW, "observedGeneration": 0}), APART),
    "upgrade-through": (live("3.17.2", "Recreate", NEW), OVERLAPPING),
    "back-while-upgrading": (live("3.18.0", "Recreate", NOT_THROUGH), APART),
}


@pytest.mark.parametrize(("found", "strategy"), STATES.values(), ids=STATES)
def test_pods_meet_only_those_of_their_own_version(found: Manifest | None, strategy: object) -> None:
    assert rollout(found, "3.17.2") == strategy


def test_a_deployment_s_own_live_state_counts() -> None:
    other = {ref_of(m): m for m in (live("3.16.0", "RollingUpdate", NEW),)}
    for observed, strategy in ((Observed(), OVERLAPPING), (Observed(other), APART)):
        planned = plan("{profile: starter}", observed, catalog=starter())
        assert find(planned, "Deployment", "demo-mlflow")["spec"]["strategy"] == strategy
