"""Writing a status: camelCase, nothing that isn't known, and read back as it was."""

from __future__ import annotations

from datetime import UTC, datetime

from aistack.api.conditions import Condition, ConditionStatus, ConditionType, Reason
from aistack.api.parse import parse_stack
from aistack.api.spec import status_manifest
from aistack.api.status import AIStackStatus, ComponentPhase, ComponentStatus, EdgeState, EdgeStatus, Footprint
from tests.bad_stacks import stack

TIME = datetime(2026, 1, 1, tzinfo=UTC)
STATUS = AIStackStatus(
    observed_generation=2,
    conditions=(
        Condition(
            type=ConditionType.READY,
            status=ConditionStatus.TRUE,
            reason=Reason.HEALTHY,
            observed_generation=2,
            last_transition_time=TIME,
        ),
    ),
    message="everything is ready",
    components_ready="1/1",
    components=(
        ComponentStatus(name="mlflow", version="3.18.0", phase=ComponentPhase.READY, url="http://demo-mlflow"),
    ),
    edges=(EdgeStatus(consumer="mlflow", provider="postgres", contract="postgres", state=EdgeState.UNPROVEN),),
    footprint=Footprint(cpu="1500m", memory="1700Mi", storage="30Gi", pods=5),
    catalog_digest="sha256:00",
)


def test_a_status_survives_the_way_to_the_cluster_and_back() -> None:
    written = {**stack("demo", "{profile: starter}"), "status": status_manifest(STATUS)}

    assert parse_stack(written).status == STATUS


def test_edges_are_written_from_consumer_to_provider() -> None:
    (edge,) = status_manifest(STATUS)["edges"]

    assert edge == {
        "from": "mlflow",
        "to": "postgres",
        "contract": "postgres",
        "state": "Unproven",
        "steps": [],
        "message": "",
    }


def test_what_is_not_known_is_left_out_instead_of_written_as_null() -> None:
    assert status_manifest(AIStackStatus(observed_generation=1)) == {
        "observedGeneration": 1,
        "conditions": [],
        "message": "",
        "componentsReady": "",
        "profile": "",
        "components": [],
        "edges": [],
        "release": "",
        "catalogDigest": "",
        "operator": "",
    }
