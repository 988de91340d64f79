"""What the operator reports: the ``status`` of an AIStack. Docstrings of fields are what ``kubectl explain`` prints."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from aistack.api.conditions import Condition
from aistack.api.model import Observation, map_list


class ComponentPhase(StrEnum):
    """Where a component stands."""

    PENDING = "Pending"
    """Waits for components that it needs."""
    PROGRESSING = "Progressing"
    """Was written and isn't healthy yet."""
    READY = "Ready"
    """Healthy, and as the spec asks."""
    FAILED = "Failed"
    """Won't become healthy by itself; the message says what to do."""
    SUSPENDED = "Suspended"
    """Is left as it is."""


class EdgeState(StrEnum):
    """How far a binding is known to work."""

    PENDING = "Pending"
    """The consumer's share isn't made yet."""
    UNPROVEN = "Unproven"
    """Made, and no proof has run."""
    PROVEN = "Proven"
    """The last proof did real work over it."""
    BROKEN = "Broken"
    """The last proof failed."""


class StepStatus(Observation):
    """One step of a proof: a piece of real work, or an attempt that must be refused."""

    name: str
    """What was done."""

    ok: bool
    """Whether it went as it should."""

    milliseconds: int = 0
    """How long it took."""


class ComponentStatus(Observation):
    """State of one component."""

    name: str
    """Name in the catalog."""

    version: str = ""
    """Version that runs, or will."""

    phase: ComponentPhase = ComponentPhase.PENDING
    """Pending (waits for others), Progressing, Ready, Failed or Suspended."""

    message: str = ""
    """What it waits for, or what is wrong and what to do."""

    url: str = ""
    """Address of its page, where it has one: the exposed one, or else that inside the cluster, which
    'aistack open NAME' brings to your browser."""


class EdgeStatus(Observation):
    """State of one consumer's binding to one provider."""

    consumer: Annotated[str, Field(alias="from")]
    """Component that uses the binding."""

    provider: Annotated[str, Field(alias="to")]
    """Component that provides it, or secret/NAME for a provider of your own."""

    contract: str
    """What is provided, e.g. postgres or s3."""

    state: EdgeState = EdgeState.PENDING
    """Pending (not made yet), Unproven (made, not tried), Proven (did real work) or Broken."""

    last_proven: datetime | None = None
    """When a proof last succeeded."""

    last_run: datetime | None = None
    """When a proof last ended, whatever came of it."""

    failure: str | None = None
    """What kind of fault broke it: auth, absent, network, tls, quota, slow or other."""

    steps: tuple[StepStatus, ...] = ()
    """What the last proof did, up to the step that failed."""

    message: str = ""
    """What is wrong and what to do."""

    @property
    def name(self) -> str:
        """What users call it, e.g. ``mlflow/postgres``."""
        return f"{self.consumer}/{self.contract}"


class Footprint(Observation):
    """What the stack asks of the cluster, summed over its pods and volumes."""

    cpu: str = "0"
    """CPU requests, e.g. 1500m."""

    memory: str = "0"
    """Memory requests, e.g. 1700Mi."""

    storage: str = "0"
    """Sizes of volumes, e.g. 30Gi."""

    pods: int = 0
    """Pods, with as many of those that components start later (one notebook, say) as the catalog expects."""


class AIStackStatus(Observation):
    """What the operator found and did."""

    observed_generation: int = -1
    """Generation of the spec that the rest of the status speaks of; -1 until the operator has seen the stack."""

    conditions: Annotated[
        tuple[Condition, ...],
        Field(json_schema_extra=map_list("type")),
    ] = ()
    """Ready (all healthy), Reconciling (still working), Stalled (a person must act), Proven (bindings did work)."""

    message: str = ""
    """The state in one line: all is well, what is waited for, or what to do."""

    components_ready: str = ""
    """How many of the enabled components are ready, e.g. 3/4."""

    profile: str = ""
    """Profile that runs."""

    components: Annotated[
        tuple[ComponentStatus, ...],
        Field(json_schema_extra=map_list("name")),
    ] = ()
    """State of each component."""

    edges: Annotated[
        tuple[EdgeStatus, ...],
        Field(json_schema_extra=map_list("from", "to", "contract")),
    ] = ()
    """Who uses what of whom, and whether it works."""

    last_handled_prove: str | None = None
    """Value of the annotation aistack.dev/prove that the latest proofs answer ('aistack prove' sets it)."""

    last_handled_rotate: str | None = None
    """Value of the annotation aistack.dev/rotate that was carried out last ('aistack rotate' sets it)."""

    footprint: Footprint | None = None
    """What the stack asks of the cluster."""

    release: str = ""
    """Release of the catalog that the stack runs; it stays with it until spec.release says otherwise."""

    catalog_digest: str = ""
    """Digest of the catalog that the stack runs from."""

    operator: str = ""
    """Namespace of the operator that serves the stack; others leave it alone."""
