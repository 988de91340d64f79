"""A stack whose spec can't be read: just enough of it to write a status, or to let it go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aistack.api.component import ComponentSpec
from aistack.api.parse import parse_status
from aistack.api.spec import AIStack, AIStackSpec, DeletionPolicy, Metadata


def unparsed_stack(live: Mapping[str, Any]) -> AIStack:
    """Return a stack with the metadata, the status, the deletion policy and the account of one whose spec is wrong.

    It can be reported on and deleted, never planned: its spec is a placeholder. A deletion policy that can't be read
    counts as Retain, so that a typing error never deletes data; whatever is written for the account counts as its name.
    """
    spec = live.get("spec", {})
    policy = DeletionPolicy.DELETE if spec.get("deletionPolicy") == DeletionPolicy.DELETE else DeletionPolicy.RETAIN
    account = spec.get("serviceAccountName")
    return AIStack.model_construct(
        metadata=Metadata.model_validate(live["metadata"]),
        spec=AIStackSpec.model_construct(
            components=(ComponentSpec(name="unread"),),
            deletion_policy=policy,
            service_account_name=None if account is None else str(account),
        ),
        status=parse_status(live.get("status")),
    )
