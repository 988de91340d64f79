"""What an account that lacks a right is told: who, which right, and the command that grants it."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.cluster.account import Account
from aistack.cluster.replies import Reply
from aistack.errors import ForbiddenError

TEAM = Account("ml", "team", "--clusterrole=aistack-stack")
BOUND = "kubectl -n ml create rolebinding team --clusterrole=aistack-stack --serviceaccount=ml:team"
USER = 'User "system:serviceaccount:ml:team" cannot'


def refusal(message: str, **details: Any) -> Reply:
    return Reply(403, {"message": message, "details": details}, "apply Service ml/x")


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        pytest.param(
            refusal(f'services "x" is forbidden: {USER} patch resource "services" in API group ""', name="x"),
            f"ServiceAccount ml/team may not patch services; {BOUND}",
            id="a right of the role",
        ),
        pytest.param(
            refusal('roles "x" is forbidden: user "u" is attempting to grant RBAC permissions not currently held'),
            f"ServiceAccount ml/team holds less than it would grant; {BOUND}",
            id="rights that it would grant",
        ),
        pytest.param(
            refusal(f'secrets "pg" is forbidden: {USER} get resource "secrets" in API group ""', name="pg"),
            "ServiceAccount ml/team may not read it; let it: kubectl -n ml create role team-reads-pg --verb=get "
            "--resource=secrets --resource-name=pg; kubectl -n ml create rolebinding team-reads-pg "
            "--role=team-reads-pg --serviceaccount=ml:team",
            id="a Secret of the user's, and no other",
        ),
        pytest.param(
            refusal('serviceaccounts "team" is forbidden: User "op" cannot impersonate resource "serviceaccounts"'),
            "the operator may not act as ServiceAccount ml/team; whoever installed it names it in the chart's value "
            "allowedServiceAccounts (or defaultServiceAccount)",
            id="the operator's own",
        ),
    ],
)
def test_who_lacks_what_and_how_it_is_granted(reply: Reply, remedy: str) -> None:
    assert TEAM.remedy(reply) == remedy


def test_the_remedy_comes_before_the_servers_words_which_may_be_long() -> None:
    reply = Reply(403, {"message": f'x is forbidden: {USER} get resource "x"'}, "get X ml/x", remedy="do this")
    with pytest.raises(ForbiddenError, match=r"^get X ml/x: a right is missing: do this \(x is forbidden"):
        reply.result()
