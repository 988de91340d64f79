"""This process as one of several replicas: of one operator, which is whatever runs in one namespace."""

from __future__ import annotations

from aistack.api.group import GROUP
from aistack.cluster.client import Client
from aistack.cluster.lease import Candidate, Election
from aistack.cluster.settings import Settings

LEASE = "aistack-operator"
"""One in each namespace of an operator, whose name is also what stacks' ``status.operator`` says."""
SERVES = f"{GROUP}/serves"
"""Annotation of the Lease: the namespaces that its leader serves."""
EVERYWHERE = "all namespaces"


def served_by(settings: Settings) -> str:
    """Return the namespaces that an operator serves, in words."""
    return ", ".join(sorted(settings.namespaces)) or EVERYWHERE


def election_of(client: Client, settings: Settings, identity: str) -> Election:
    """Return this replica's part in the election.

    Args:
        client: for the Lease alone.
        settings: say where the operator lives, and what it serves.
        identity: of the replica.
    """
    return Election(client, Candidate(settings.namespace, LEASE, identity, {SERVES: served_by(settings)}))


def serving_problem(election: Election, serves: str) -> str:
    """Say what is wrong where the leader serves other namespaces than the replica that waits; empty if nothing is."""
    theirs = election.annotations.get(SERVES, serves)
    if theirs == serves:
        return ""
    return (
        f"{election.leader} leads here and serves {theirs}; this one would serve {serves}, and waits for ever unless "
        "that one goes. Two operators need a namespace each"
    )
