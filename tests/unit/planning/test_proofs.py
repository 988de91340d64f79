"""Proofs as planned: one Job for each identity of a consumer, with its shares and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.api.spec import AIStack
from aistack.objects.plan import Observed, RunProof, SecretRecord
from aistack.planning.plan import Planned, plan_stack
from aistack.planning.proofs import asked_for
from tests.toy import applied, plan, secrets, stack, starter, toy


def proofs_of(planned: Planned) -> dict[str, RunProof]:
    return {step.key: step for unit in planned.plan.units for step in unit.proofs}


def cleanups(planned: Planned) -> dict[str, str]:
    return {step.key: step.ref.name for unit in planned.plan.units for step in unit.cleanup}


def annotated(key: str, value: str, spec: str = "{profile: toy}") -> AIStack:
    plain = stack(spec)
    metadata = plain.metadata.model_copy(update={"annotations": {f"aistack.dev/{key}": value}})
    return plain.model_copy(update={"metadata": metadata})


def test_each_identity_tries_its_own_edges() -> None:
    found = proofs_of(plan("{profile: starter}", catalog=starter()))
    assert {key: step.edges for key, step in found.items()} == {
        "mlflow": ("mlflow/postgres", "mlflow/s3"),
        "jupyterhub": ("jupyterhub/postgres",),
        "jupyterhub.notebook": ("jupyterhub/s3", "jupyterhub/mlflow"),
    }
    assert found["jupyterhub.notebook"].after == ("mlflow", "seaweedfs")


def test_a_proof_s_pod_is_the_consumer_s_and_sees_no_other_secret() -> None:
    planned = plan()
    step = proofs_of(planned)["web"]
    pod = step.manifest["spec"]["template"]
    assert pod["metadata"]["labels"]["aistack.dev/identity"] == "web"
    assert "aistack.dev/serving" not in pod["metadata"]["labels"], "it never gets the consumer's traffic"
    mounted = {v["secret"]["secretName"] for v in pod["spec"]["volumes"] if "secret" in v}
    assert mounted == {secrets(planned)["demo-web-sql"].ref.name}
    assert pod["spec"]["automountServiceAccountToken"] is False
    (container,) = pod["spec"]["containers"]
    assert container["command"][-2:] == ["prove", "sql=sql"]
    assert container["resources"]["limits"]["memory"] == "96Mi"
    assert step.manifest["spec"]["backoffLimit"] == 0


def test_the_hub_s_proof_has_its_service_account_and_no_token() -> None:
    pod = proofs_of(plan("{profile: starter}", catalog=starter()))["jupyterhub"].manifest["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("demo-jupyterhub-hub", False)


@pytest.mark.parametrize(
    ("every", "seconds", "on_change"),
    [("1h", 3600, True), ("90s", 90, True), ("on-change", 0, True), ("off", 0, False)],
)
def test_how_often(every: str, seconds: int, on_change: bool) -> None:
    step = proofs_of(plan(f"{{profile: toy, proofs: {{every: '{every}'}}}}"))["web"]
    assert (step.every, step.on_change) == (seconds, on_change)


def test_a_changed_share_is_another_proof_and_gates() -> None:
    before = plan()
    world = applied(before)
    record = world.secrets["demo-web-sql"]
    lost = replace(record, present=False)
    after = proofs_of(plan(observed=replace(world, secrets={**world.secrets, "demo-web-sql": lost})))
    first = proofs_of(before)
    assert first["web"].ref != after["web"].ref
    assert (first["web"].gates, after["web"].gates) == (False, True)
    assert first["web.worker"].ref == after["web.worker"].ref


@pytest.mark.parametrize(
    ("value", "edges", "token"),
    [
        ("", ("web/sql",), ""),
        ("t1", ("web/sql",), "t1"),
        ("t1 web/sql", ("web/sql", "web/blob"), "t1 web/sql"),
        ("t1 web/blob", ("web/sql",), ""),
    ],
    ids=["nothing", "all", "this one", "another one"],
)
def test_who_asks_for_a_proof(value: str, edges: tuple[str, ...], token: str) -> None:
    assert asked_for(annotated("prove", value), edges) == token


def rotated(world: Observed, value: str) -> Planned:
    return plan_stack(annotated("rotate", value), toy(), world)


def test_a_rotation_is_one_new_generation_for_one_request() -> None:
    first = plan()
    second = rotated(applied(first), "t1 web/sql")
    assert secrets(second)["demo-web-sql"].generation == 2
    assert secrets(second)["demo-web-blob"].generation == 1, "other edges aren't meant"
    again = rotated(answered(second), "t1 web/sql")
    assert secrets(again)["demo-web-sql"].generation == 2, "one request is answered once"
    without = plan(observed=answered(second))
    assert secrets(without)["demo-web-sql"].generation == 2, "a request that is taken back changes nothing"
    assert secrets(rotated(answered(without), "t2 web/sql"))["demo-web-sql"].generation == 3


def answered(planned: Planned) -> Observed:
    """The world after a plan was applied, requests noted."""
    records = {b: SecretRecord(s.generation, s.desired_hash, True, s.token) for b, s in secrets(planned).items()}
    return replace(applied(planned), secrets=records)


def test_a_former_generation_is_ended_unless_spawned_pods_may_hold_it() -> None:
    first = plan()
    assert cleanups(first) == {}
    assert set(cleanups(rotated(applied(first), "t1 web/sql"))) == {"web/sql/retire"}
    assert cleanups(rotated(applied(first), "t1 web/blob")) == {}, "workers that run go on with what they have"
